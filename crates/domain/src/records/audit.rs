//! The audit log: who has read which record.

use super::{DeviceTime, RecordId, TableName};
use crate::{AuditId, PersonId, open_enum::open_enum};

open_enum!(
    /// What was done to a record.
    AuditOperation {
        /// It was shown.
        Read => "READ",
        /// It was created.
        Create => "CREATE",
        /// It was changed.
        Update => "UPDATE",
        /// It was deleted.
        Delete => "DELETE",
    }
);

/// An entry that a device adds for the owner of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// Its id.
    pub id: AuditId,
    /// The table, by its name on the device.
    pub table: TableName,
    /// The record.
    pub record_id: RecordId,
    /// What was done.
    pub operation: AuditOperation,
    /// Where in the app, or why.
    pub context: Option<String>,
    /// When.
    pub at: DeviceTime,
}

/// One entry. It names a record and never holds its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// Who.
    pub person_id: PersonId,
    /// The table, by its name on the server.
    pub table: TableName,
    /// The record.
    pub record_id: RecordId,
    /// What was done.
    pub operation: AuditOperation,
    /// Where in the app, or why: at most 500 characters.
    pub context: Option<String>,
    /// When.
    pub at: DeviceTime,
    /// By how many microseconds that clock is ahead of the server's, if that was measured.
    pub ahead_micros: Option<i64>,
}
