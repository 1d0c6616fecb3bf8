//! The result of a pass.

use crate::SyncError;
use fieldpost_storage::{ApplyReport, SettleReport};
use serde::Serialize;

/// Counts what a pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SyncReport {
    /// Calls, including repeated ones, but without renewing the session.
    pub requests: u64,
    /// Calls that were repeated because their response was lost.
    pub repeated: u64,
    /// Mutations that the server acknowledged.
    pub pushed: u64,
    /// Mutations that became dead letters.
    pub failed: u64,
    /// Mutations that the server wants again later.
    pub retrying: u64,
    /// Pages that were applied.
    pub pages: u64,
    /// Rows that changed something in the store.
    pub rows: u64,
    /// New messages of others.
    pub new_messages: u64,
    /// Unreadable rows that were kept aside.
    pub unreadable: u64,
    /// Bootstraps that were begun, for any reason.
    pub bootstraps: u64,
    /// Missing parts of threads that were fetched.
    pub repaired: u64,
    /// Conversations that were compared with the server.
    pub checked: u64,
    /// Comparisons that found a difference; it has been repaired.
    pub diverged: u64,
    /// How often another process had moved the position.
    pub superseded: u64,
    /// Single mutations or rows that are too large to be transferred; they were held or skipped.
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

/// How a pass ended. What it did before an error is kept.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What it did.
    pub report: SyncReport,
    /// Why it failed; none if it finished.
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
    /// Compares errors by their text, because they carry no equality of their own.
    fn eq(&self, other: &Self) -> bool {
        let text = |outcome: &Self| outcome.error.as_ref().map(ToString::to_string);
        self.report == other.report && text(self) == text(other)
    }
}
