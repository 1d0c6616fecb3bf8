//! Rows of records from the server, under the server's names.

use super::{Fields, RecordId, TableName};
use crate::{Cursor, MutationId, OrgId, ServerEpoch, Time, Transfer, Version};

/// A row of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordRow {
    /// The table's name on the server.
    pub table: TableName,
    /// The primary key.
    pub id: RecordId,
    /// The id that the device made; none for rows of other clients.
    pub client_id: Option<RecordId>,
    /// The org.
    pub org_id: OrgId,
    /// Grows with every change of the row.
    pub version: Version,
    /// When it was created, if the table says so.
    pub created_at: Option<Time>,
    /// When it was last changed, as last-write-wins compares it.
    pub modified_at: Time,
    /// The mutation that changed it last; none if another client did.
    pub last_mutation_id: Option<MutationId>,
    /// All other columns.
    pub fields: Fields,
}

/// A row that was deleted, or that the person may no longer see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordTombstone {
    /// The table's name on the server.
    pub table: TableName,
    /// The primary key.
    pub id: RecordId,
    /// The id that the device made.
    pub client_id: Option<RecordId>,
    /// The version of the deletion.
    pub version: Version,
}

/// One page of records: of a first load, or of the changes since a cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordPage {
    /// What the call cost.
    pub transfer: Transfer,
    /// The rows.
    pub rows: Vec<RecordRow>,
    /// What was deleted.
    pub tombstones: Vec<RecordTombstone>,
    /// Rows that this version cannot read: they are reported and skipped.
    pub unreadable: u32,
    /// Where to continue. Stored in the same transaction as the rows.
    pub cursor: Cursor,
    /// Whether more pages follow now.
    pub more: bool,
    /// The page belongs to a first load. What no page of the load has named is gone when its last page (`more` is false)
    /// is applied.
    pub loading: bool,
    /// Tables that were asked for and that the server does not offer.
    pub unknown_tables: Vec<TableName>,
    /// The server's current history.
    pub epoch: Option<ServerEpoch>,
    /// The server's clock when it answered.
    pub server_time: Time,
}
