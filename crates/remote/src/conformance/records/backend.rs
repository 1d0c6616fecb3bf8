//! What the suite needs from a backend with records.

use crate::{
    RecordsApi,
    conformance::{Backend, Unsupported, Verdict},
};
use async_trait::async_trait;
use fieldpost_domain::{
    AuditId, OrgId, PersonId, RetryCode, Time,
    records::{AuditOperation, Column, ColumnKind, ColumnName, Fields, RecordId, RecordTable, TableName},
};
use serde::Serialize;

/// An implementation of the contract with records, and the server behind it.
#[async_trait]
pub trait RecordsBackend: Backend {
    /// The calls under test.
    fn records(&self) -> &dyn RecordsApi;

    /// Changes the server without going through the contract. The change is committed when this returns.
    async fn perform_on_records(&self, action: RecordAction) -> Verdict;

    /// The same in a transaction that has begun and written when this returns, and stays open.
    async fn hold(&self, _action: RecordAction) -> Result<Box<dyn Held>, Unsupported> {
        Err(Unsupported("hold a transaction open"))
    }

    /// An entry of the audit log, as the server keeps it.
    async fn stored_audit(&self, id: AuditId) -> Result<Option<StoredAudit>, Unsupported>;
}

/// An open transaction.
#[async_trait]
pub trait Held: Send + Sync {
    /// Commits it.
    async fn commit(self: Box<Self>);
}

/// An entry of the audit log, as the server keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAudit {
    /// Whose it is.
    pub person_id: PersonId,
    /// The table.
    pub table: String,
    /// The record.
    pub record_id: RecordId,
    /// What was done.
    pub operation: AuditOperation,
    /// Where, or why.
    pub context: Option<String>,
    /// When, by the server's clock.
    pub at: Time,
}

/// An action of an operator or of a third-party client. It has a JSON form, for backends that pass it to a script.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum RecordAction {
    /// A client inserts a row itself. No other row has the id.
    InsertRecord {
        /// The table.
        table: TableName,
        /// The primary key.
        id: RecordId,
        /// `client_id`, as an older version of the app writes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<RecordId>,
        /// The org.
        org_id: OrgId,
        /// The other columns.
        fields: Fields,
    },
    /// A client changes columns of a row itself, and knows nothing of Fieldpost's columns.
    UpdateRecord {
        /// The table.
        table: TableName,
        /// The primary key.
        id: RecordId,
        /// The columns.
        fields: Fields,
    },
    /// Gives a row to another org.
    MoveRecord {
        /// The table.
        table: TableName,
        /// The primary key.
        id: RecordId,
        /// The new org.
        org_id: OrgId,
    },
    /// Deletes a row.
    DeleteRecord {
        /// The table.
        table: TableName,
        /// The primary key.
        id: RecordId,
    },
    /// Makes the server answer the next change of a record with `retry`.
    RetryNextRecord {
        /// The record, by its primary key or its client's id.
        record_id: RecordId,
        /// The code.
        code: RetryCode,
    },
    /// Changes a policy of a table in a way that shows and hides nothing.
    ChangePolicies {
        /// The table.
        table: TableName,
    },
}

/// The table `visits`. Its rules, beyond those that the columns state:
///
/// - Members of the org read and write its rows. Admins and a row's author may delete it.
/// - A row with `private` is seen and written by admins alone.
/// - A row with `done` is seen by every member, and changed by admins alone.
/// - `minutes` is not negative: a check constraint (23514).
/// - A trigger refuses a row whose `site` is `closed`, with the message `The site is closed` (P0001).
/// - The row that another row refers to cannot be deleted.
#[must_use]
pub fn visits() -> RecordTable {
    let column = |name: &str, kind| Column::new(name_of(name), kind);
    RecordTable::new(table("visits"))
        .column(column("site", ColumnKind::Text).required())
        .column(column("worker_id", ColumnKind::Reference(table("workers"))))
        .column(column("follows_id", ColumnKind::Reference(table("visits"))))
        .column(column("minutes", ColumnKind::Integer))
        .column(column("rating", ColumnKind::Real))
        .column(column("started_at", ColumnKind::Time))
        .column(column("day", ColumnKind::Date))
        .column(column("notes", ColumnKind::Json))
        .column(column("done", ColumnKind::Bool))
        .column(column("private", ColumnKind::Bool))
}

fn name_of(name: &str) -> ColumnName {
    ColumnName::new(name).expect("a name")
}

/// The name of a table.
pub(super) fn table(name: &str) -> TableName {
    TableName::new(name).expect("a name")
}
