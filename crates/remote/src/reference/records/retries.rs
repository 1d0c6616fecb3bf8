//! `retry` results on demand, for tests.

use fieldpost_domain::{RetryCode, records::RecordId};
use std::collections::VecDeque;

/// The retries still to give, oldest first.
#[derive(Debug, Default)]
pub(in crate::reference) struct Retries(VecDeque<(Option<RecordId>, RetryCode)>);

impl Retries {
    pub(super) fn add(&mut self, record: Option<RecordId>, code: RetryCode) {
        self.0.push_back((record, code));
    }

    /// Takes the first one that applies to a change of a record with these ids.
    pub(super) fn take(&mut self, ids: [RecordId; 2]) -> Option<RetryCode> {
        let index = self.0.iter().position(|(wanted, _)| wanted.is_none_or(|wanted| ids.contains(&wanted)))?;
        self.0.remove(index).map(|(_, code)| code)
    }
}
