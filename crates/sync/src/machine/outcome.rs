//! How a pass ends.

use crate::SyncError;
use fieldpost_storage::{ApplyReport, SettleReport};
use serde::Serialize;

/// What a pass of syncing did, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SyncReport {
    /// Calls made, repeated ones included; renewing the session is not counted.
    pub requests: u64,
    /// Calls made again because their answer was lost.
    pub repeated: u64,
    /// Mutations that the server acknowledged.
    pub pushed: u64,
    /// Mutations that became dead letters.
    pub failed: u64,
    /// Mutations that wait for another attempt.
    pub retrying: u64,
    /// Pages applied.
    pub pages: u64,
    /// Rows that changed something here.
    pub rows: u64,
    /// Messages of others that are new here.
    pub new_messages: u64,
    /// Rows that could not be read and were kept aside.
    pub unreadable: u64,
    /// First loads begun, for whatever reason.
    pub bootstraps: u64,
    /// Parts of threads that were missing and have been fetched.
    pub repaired: u64,
    /// Conversations that were compared with the server.
    pub checked: u64,
    /// Of those, how many differed, and have been repaired.
    pub diverged: u64,
    /// How often another process had moved the position.
    pub superseded: u64,
    /// Single things that are too large for the way to the server or back: held back, or passed over.
    pub oversized: u64,
}

impl SyncReport {
    pub(super) const fn add_settled(&mut self, settled: &SettleReport) {
        self.pushed += settled.acknowledged as u64;
        self.failed += settled.failed as u64;
        self.retrying += settled.retrying as u64;
    }

    pub(super) const fn add_page(&mut self, applied: &ApplyReport) {
        self.pages += 1;
        self.rows += applied.applied;
        self.new_messages += applied.new_messages;
        self.unreadable += applied.unreadable;
    }
}

/// How a pass ended. What it did before an error stays done.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What it did.
    pub report: SyncReport,
    /// Why it did not finish; none if it did.
    pub error: Option<SyncError>,
}

impl Outcome {
    pub(super) const fn done(report: SyncReport) -> Self {
        Self { report, error: None }
    }

    pub(super) const fn failed(error: SyncError, report: SyncReport) -> Self {
        Self { report, error: Some(error) }
    }
}

impl PartialEq for Outcome {
    /// Errors are compared by what they say: tests ask which error it was, not whether it is the same object.
    fn eq(&self, other: &Self) -> bool {
        let text = |outcome: &Self| outcome.error.as_ref().map(ToString::to_string);
        self.report == other.report && text(self) == text(other)
    }
}
