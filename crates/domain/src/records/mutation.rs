//! Changes of records, as a person makes them and as the queue keeps them.

use super::{DeviceTime, Fields, Priority, RecordId, TableName};
use crate::{MutationId, OrgId, open_enum::open_enum};

open_enum!(
    /// What a mutation does to its record.
    RecordOperation {
        /// Creates it.
        Create => "create",
        /// Sets some of its fields.
        Update => "update",
        /// Deletes it.
        Delete => "delete",
    }
);

/// A record that a person creates.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecord {
    /// The id that the device made.
    pub id: RecordId,
    /// The table.
    pub table: TableName,
    /// The org; none for that of the signed-in person.
    pub org_id: Option<OrgId>,
    /// Its fields.
    pub fields: Fields,
    /// When.
    pub at: DeviceTime,
}

/// A change of a record: only the fields that it sets.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordChange {
    /// The table.
    pub table: TableName,
    /// The record.
    pub id: RecordId,
    /// The fields that it sets. Null clears a field.
    pub fields: Fields,
    /// When.
    pub at: DeviceTime,
}

/// One change that is to be sent. Its id stays the same over all attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordMutation {
    /// Made on the device.
    pub id: MutationId,
    /// The table.
    pub table: TableName,
    /// The record, which is also its `client_id` on the server.
    pub record_id: RecordId,
    /// What it does.
    pub operation: RecordOperation,
    /// The org, for a create.
    pub org_id: Option<OrgId>,
    /// The fields that it sets; empty for a delete.
    pub fields: Fields,
    /// How urgent it is.
    pub priority: Priority,
    /// When it was made.
    pub modified_at: DeviceTime,
    /// By how many microseconds that clock is ahead of the server's, if that was measured.
    pub ahead_micros: Option<i64>,
}

impl RecordMutation {
    /// An upper bound of its size as JSON on the wire, in bytes.
    #[must_use]
    pub fn wire_size(&self) -> usize {
        // Ids, times, field names and punctuation.
        const FRAME: usize = 512;
        FRAME + self.fields.json_size()
    }
}
