//! Records: rows of an app's own tables, as docs/protocol.md, "Records", says.
//!
//! `tables` keeps the rows; `columns` is what a database does with values: types, constraints, foreign keys. Writes go
//! through [`super::transaction`] and the same feed as messages, so open transactions, restores and epochs are the same
//! for both. `visibility` decides who sees what: every member of a record's org sees it, unless the project's policies
//! hide it. `push` applies a batch, one change after the other (`change`); `pull` is a load or a pass over the feed.

mod api;
mod audit;
mod change;
mod columns;
mod cursor;
mod open;
mod operator;
mod pull;
mod push;
mod retries;
mod stamp;
mod submission;
mod tables;
mod visibility;

pub use audit::AuditRow;
pub use submission::{RecordSubmission, RecordSubmissionResult};

pub(super) use retries::Retries;
pub(super) use tables::{RecordKey, RecordTables, StoredRecord};
