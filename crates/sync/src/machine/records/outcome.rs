//! The result of a pass.

use crate::SyncError;
use fieldpost_storage::records::{RecordApplyReport, RecordSettleReport};
use serde::Serialize;

/// Counts what a pass did with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RecordReport {
    /// Calls, including repeated ones, but without renewing the session.
    pub requests: u64,
    /// Calls that were repeated because their response was lost.
    pub repeated: u64,
    /// Changes that the server has.
    pub won: u64,
    /// Changes that lost against later ones.
    pub lost: u64,
    /// Changes whose record the server does not have.
    pub missing: u64,
    /// Changes that became dead letters.
    pub failed: u64,
    /// Changes that wait for another attempt.
    pub retrying: u64,
    /// Fields that the server has no columns for, counted once for each change.
    pub ignored: u64,
    /// Pages that were applied.
    pub pages: u64,
    /// Records that are new or look different.
    pub changed: u64,
    /// Records that left.
    pub removed: u64,
    /// Rows that this version cannot read.
    pub unreadable: u64,
    /// First loads that were begun.
    pub loads: u64,
    /// Declared tables that the server does not offer.
    pub unknown_tables: u64,
    /// How often another process had moved the position.
    pub superseded: u64,
    /// Entries of the audit log that were uploaded.
    pub audited: u64,
    /// Entries of the audit log that the server refused for good.
    pub audit_refused: u64,
}

impl RecordReport {
    /// Adds what another pass did.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self {
            requests,
            repeated,
            won,
            lost,
            missing,
            failed,
            retrying,
            ignored,
            pages,
            changed,
            removed,
            unreadable,
            loads,
            unknown_tables,
            superseded,
            audited,
            audit_refused,
        } = other;
        for (sum, more) in [
            (&mut self.requests, requests),
            (&mut self.repeated, repeated),
            (&mut self.won, won),
            (&mut self.lost, lost),
            (&mut self.missing, missing),
            (&mut self.failed, failed),
            (&mut self.retrying, retrying),
            (&mut self.ignored, ignored),
            (&mut self.pages, pages),
            (&mut self.changed, changed),
            (&mut self.removed, removed),
            (&mut self.unreadable, unreadable),
            (&mut self.loads, loads),
            (&mut self.unknown_tables, unknown_tables),
            (&mut self.superseded, superseded),
            (&mut self.audited, audited),
            (&mut self.audit_refused, audit_refused),
        ] {
            *sum += more;
        }
    }

    pub(super) fn add_settled(&mut self, settled: &RecordSettleReport) {
        self.won += u64::from(settled.won);
        self.lost += u64::from(settled.lost);
        self.missing += u64::from(settled.missing);
        self.failed += u64::from(settled.failed);
        self.retrying += u64::from(settled.retrying);
    }

    pub(super) fn add_page(&mut self, applied: RecordApplyReport) {
        self.pages += 1;
        self.changed += u64::from(applied.changed);
        self.removed += u64::from(applied.removed);
    }
}

/// How a pass ended. What it did before an error is kept.
#[derive(Debug, Clone)]
pub struct RecordPassOutcome {
    /// What it did.
    pub report: RecordReport,
    /// Why it failed; none if it finished.
    pub error: Option<SyncError>,
    /// Why the audit log was not uploaded. It fails nothing.
    pub audit_error: Option<SyncError>,
}

impl PartialEq for RecordPassOutcome {
    /// Compares errors by their text, because they carry no equality of their own.
    fn eq(&self, other: &Self) -> bool {
        let text = |error: &Option<SyncError>| error.as_ref().map(ToString::to_string);
        self.report == other.report
            && text(&self.error) == text(&other.error)
            && text(&self.audit_error) == text(&other.audit_error)
    }
}
