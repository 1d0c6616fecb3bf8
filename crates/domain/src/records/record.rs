//! A record as the device shows it.

use super::{Fields, TableName};
use crate::{MutationId, OrgId, Time, Version, id::RecordId};
use serde::{Deserialize, Serialize};

/// Whether the server has what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// The server has it as it is shown.
    Synced,
    /// A change waits to be sent, or for its result.
    Queued,
    /// A change was refused and waits for a person's decision.
    Failed,
}

/// A record, with the changes that were made here and that the server has not answered yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// Its table.
    pub table: TableName,
    /// The server's primary key; none while only this device has the record. Then it equals `id`.
    pub server_id: Option<RecordId>,
    /// The org that it belongs to.
    pub org_id: OrgId,
    /// Its fields, under the names on the device. A column without a value is absent.
    pub fields: Fields,
    /// Fields of the server that the declaration does not have.
    pub extra: Fields,
    /// When it was created.
    pub created_at: Time,
    /// When it was last changed.
    pub modified_at: Time,
    /// The version of the server's row; zero while the server has none.
    pub version: Version,
    /// Whether the server has what is shown.
    pub state: RecordState,
}

/// A change of this device that lost against a later one. The person may apply it again.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordConflict {
    /// The mutation that lost.
    pub mutation_id: MutationId,
    /// The table.
    pub table: TableName,
    /// The record.
    pub record_id: RecordId,
    /// What this device had set.
    pub lost: Fields,
    /// When, by the device.
    pub lost_modified_at: Time,
    /// The values of the same fields in the row that won.
    pub won: Fields,
    /// When the winner was written, by the server's clock.
    pub won_modified_at: Time,
    /// When this device learned of it.
    pub noticed_at: Time,
}
