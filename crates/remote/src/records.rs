//! The three calls for records. All names of tables and columns are those of the server.

use crate::RemoteResult;
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, AuditId, Cursor, MutationId, OrgId, RecordId, ServerLimits, Time,
    records::{AuditOperation, ConflictRule, Fields, Modified, RecordOperation, RecordPage, RecordResult, TableName},
};
use std::time::Duration;

/// One change of a record, as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingRecord {
    /// The mutation; the server keeps the last one of each row, so a change that is sent again is recognised.
    pub id: MutationId,
    /// The table.
    pub table: TableName,
    /// The record: its primary key, or the id that the device made.
    pub record_id: RecordId,
    /// What to do.
    pub operation: RecordOperation,
    /// The org, for a create.
    pub org_id: Option<OrgId>,
    /// The fields that it sets. Ids of other records may be those that a device made.
    pub fields: Fields,
    /// When it was made.
    pub modified: Modified,
    /// The change of the record that this device made before this one, if it has just sent it or sends it in the same
    /// batch. While that is the last change of the row, nobody else came between, and nothing is compared. Without it,
    /// a change that was slow to arrive would look later than the one that a person made while it was on its way.
    pub after: Option<MutationId>,
    /// What decides between it and the changes of others.
    pub rule: ConflictRule,
}

/// Asks for a page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPullRequest {
    /// The tables. A cursor is only good for the tables that it was made with.
    pub tables: Vec<TableName>,
    /// Where to continue; none to begin a first load.
    pub cursor: Option<Cursor>,
    /// The most rows in the page; none for the server's own limit.
    pub limit: Option<u32>,
    /// The most bytes of rows in the page; none for the server's own limit.
    pub bytes: Option<u32>,
}

/// The results of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordPushAnswer {
    /// One per change, in the order of the batch.
    pub results: Vec<RecordResult>,
    /// The server's clock when it answered.
    pub server_time: Time,
    /// The server's current limits.
    pub limits: ServerLimits,
    /// From sending the batch until the last byte of the response.
    pub took: Duration,
}

/// An entry of the audit log, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingAudit {
    /// Its id, the primary key.
    pub id: AuditId,
    /// The table.
    pub table: TableName,
    /// The record.
    pub record_id: RecordId,
    /// What was done.
    pub operation: AuditOperation,
    /// Where in the app, or why.
    pub context: Option<String>,
    /// When.
    pub at: Modified,
}

/// The result of an upload of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditAnswer {
    /// Entries that the server has now.
    pub stored: Vec<AuditId>,
    /// Entries that it refuses for good, each with why.
    pub refused: Vec<(AuditId, String)>,
}

/// The calls for records that the engine makes for a signed-in person.
///
/// A server without these functions answers [`crate::RemoteErrorKind::NotFieldpost`].
///
/// The suite in `conformance::records` holds every sentence of docs/protocol.md, "Records".
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RecordsApi: Send + Sync {
    /// Sends changes in order and returns one result for each. Sending a batch again is harmless. One change that is
    /// refused does not undo another.
    ///
    /// 1. A create is recognised by the record's id; what is stored already is not changed by it, and it counts as won.
    /// 2. An update is applied if it is later than the row (by the server's clock, a time in the future counts as now);
    ///    ties are decided by the larger mutation id. Otherwise it lost. A change that the row says it had last is won.
    ///    A change with [`OutgoingRecord::after`] or with the rule [`ConflictRule::LastArrivalWins`] may be applied
    ///    without comparing.
    /// 3. A delete is won whether the record is there or not.
    /// 4. A `retry` takes all later changes of its record in the batch along.
    async fn push_records(&self, token: &AccessToken, changes: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer>;

    /// Fetches a page. A committed change is in the first pull that starts after the commit.
    async fn pull_records(&self, token: &AccessToken, request: RecordPullRequest) -> RemoteResult<RecordPage>;

    /// Uploads entries of the audit log. An entry that is sent again is stored once.
    async fn push_audit(&self, token: &AccessToken, entries: &[OutgoingAudit]) -> RemoteResult<AuditAnswer>;
}
