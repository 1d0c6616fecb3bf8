//! The contract of records, implemented by this server.

use super::{RecordSubmission, RecordSubmissionResult, audit, pull::pull, push};
use crate::{
    AuditAnswer, OutgoingAudit, OutgoingRecord, RecordPullRequest, RecordPushAnswer, RecordsApi, RemoteError,
    RemoteErrorKind, RemoteResult,
    reference::{ReferenceServer, state::State},
};
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, PersonId,
    records::{RecordPage, RecordResult},
};
use std::time::Duration;

const PUSH: &str = "push_records";
const PULL: &str = "pull_records";
const AUDIT: &str = "push_audit";

/// About what a change costs as JSON beside its fields.
const FRAME: usize = 512;

impl State {
    /// The caller of a function for records, if there are any.
    fn record_caller(&self, token: &AccessToken, operation: &'static str) -> RemoteResult<PersonId> {
        if !self.options.records {
            return Err(RemoteError::new(RemoteErrorKind::NotFieldpost, operation));
        }
        self.caller(token, operation)
    }
}

#[async_trait]
impl RecordsApi for ReferenceServer {
    async fn push_records(&self, token: &AccessToken, changes: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer> {
        let bytes = size(changes);
        let batch: Vec<_> = changes.iter().map(RecordSubmission::from).collect();
        let results = self.submit_records(token, &batch, bytes)?;
        let state = self.lock();
        Ok(answer(&state, changes, results))
    }

    async fn pull_records(&self, token: &AccessToken, request: RecordPullRequest) -> RemoteResult<RecordPage> {
        let state = self.lock();
        let caller = state.record_caller(token, PULL)?;
        pull(&state, caller, &request)
    }

    async fn push_audit(&self, token: &AccessToken, entries: &[OutgoingAudit]) -> RemoteResult<AuditAnswer> {
        let mut state = self.lock();
        let caller = state.record_caller(token, AUDIT)?;
        if entries.len() > state.options.limits.push_rows as usize {
            return Err(RemoteError::new(RemoteErrorKind::TooLarge, AUDIT));
        }
        Ok(audit::push(&mut state, caller, entries))
    }
}

/// The results of a batch of changes that all have ids.
pub(super) fn answer(
    state: &State,
    changes: &[OutgoingRecord],
    results: Vec<RecordSubmissionResult>,
) -> RecordPushAnswer {
    let result = |(change, result): (&OutgoingRecord, RecordSubmissionResult)| RecordResult {
        mutation_id: change.id,
        outcome: result.outcome,
        ignored: result.ignored,
    };
    RecordPushAnswer {
        results: changes.iter().zip(results).map(result).collect(),
        server_time: state.now(),
        limits: state.options.limits,
        took: Duration::ZERO,
    }
}

/// About the size of a batch as JSON.
fn size(changes: &[OutgoingRecord]) -> usize {
    changes.iter().map(|change| FRAME + change.fields.json_size()).sum()
}

impl ReferenceServer {
    /// A push in its wire form, with elements that [`OutgoingRecord`] cannot express. `bytes` is the size of the batch
    /// as JSON.
    ///
    /// # Errors
    /// As [`RecordsApi::push_records`].
    pub fn submit_records(
        &self,
        token: &AccessToken,
        batch: &[RecordSubmission],
        bytes: usize,
    ) -> RemoteResult<Vec<RecordSubmissionResult>> {
        let mut state = self.lock();
        let caller = state.record_caller(token, PUSH)?;
        let limits = state.options.limits;
        if batch.len() > limits.push_rows as usize || bytes > limits.push_bytes as usize {
            return Err(RemoteError::new(RemoteErrorKind::TooLarge, PUSH));
        }
        Ok(push::push(&mut state, caller, batch))
    }
}
