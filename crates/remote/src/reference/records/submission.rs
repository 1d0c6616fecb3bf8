//! A change in its wire form: looser than [`OutgoingRecord`], whose type already excludes what a server has to refuse.

use crate::OutgoingRecord;
use fieldpost_domain::{
    MutationId,
    records::{RecordId, RecordOutcome, RecordRefusal, TableName},
};

/// One element of a batch.
#[derive(Debug, Clone)]
pub struct RecordSubmission {
    /// The mutation's own id, echoed; none if the element has no readable id.
    pub id: Option<MutationId>,
    /// The record that it names; none if that cannot be read.
    pub record: Option<(TableName, RecordId)>,
    /// The change, or why it cannot be read.
    pub change: Result<OutgoingRecord, RecordRefusal>,
}

/// The result of one element.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordSubmissionResult {
    /// The id as submitted.
    pub id: Option<MutationId>,
    /// The outcome.
    pub outcome: RecordOutcome,
    /// Fields that the table has no columns for.
    pub ignored: Vec<String>,
}

impl From<&OutgoingRecord> for RecordSubmission {
    fn from(change: &OutgoingRecord) -> Self {
        let record = Some((change.table.clone(), change.record_id));
        Self { id: Some(change.id), record, change: Ok(change.clone()) }
    }
}
