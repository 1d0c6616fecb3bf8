//! The audit phase: uploads the log of who has read what, after everything else and never in its way.
//!
//! It makes a bounded number of calls. What it cannot upload now stays, and a failure fails nothing: the pass has done
//! its work. Only a server that asks to slow down is heeded.

use super::{RecordEffect, RecordPass};
use fieldpost_domain::{
    AuditId,
    planted::{PlantedBug, planted},
    records::AuditEntry,
};
use fieldpost_remote::{AuditAnswer, RemoteError, RemoteErrorKind, RemoteResult};

/// How many calls one pass makes for the audit log.
const CALLS: u32 = 4;

/// The state of the audit phase.
#[derive(Debug, Default)]
pub(super) struct Audit {
    calls: u32,
    batch: Vec<AuditEntry>,
    /// The size of the next upload, once one was too large.
    narrowed: Option<u32>,
    /// What [`PlantedBug::AuditBeforeRecords`] has begun with.
    pub(super) first: bool,
}

impl RecordPass {
    pub(super) fn read_audit(&mut self) -> RecordEffect {
        if self.audit.calls >= CALLS {
            return self.after_audit();
        }
        let full = self.limits.push_rows.max(1);
        RecordEffect::ReadAudit { limit: self.audit.narrowed.unwrap_or(full).min(full) }
    }

    pub(super) fn on_audit(&mut self, entries: Vec<AuditEntry>) -> RecordEffect {
        if entries.is_empty() {
            return self.after_audit();
        }
        self.audit.calls += 1;
        self.audit.batch.clone_from(&entries);
        RecordEffect::PushAudit(entries)
    }

    pub(super) fn on_audit_pushed(&mut self, answer: RemoteResult<AuditAnswer>) -> RecordEffect {
        // A lost response is not worth another call now: an entry that is sent again is stored once.
        self.report.requests += 1;
        let batch = std::mem::take(&mut self.audit.batch);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.on_audit_error(&batch, error),
        };
        let sent = |id: &AuditId| batch.iter().any(|entry| entry.id == *id);
        let stored: Vec<AuditId> = answer.stored.into_iter().filter(sent).collect();
        let refused: Vec<AuditId> = answer.refused.into_iter().map(|(id, _)| id).filter(sent).collect();
        self.report.audited += stored.len() as u64;
        self.report.audit_refused += refused.len() as u64;
        match [stored, refused].concat() {
            // Nothing would leave, and the next call would be the same.
            none if none.is_empty() => self.after_audit(),
            done => RecordEffect::Audited(done),
        }
    }

    fn on_audit_error(&mut self, batch: &[AuditEntry], error: RemoteError) -> RecordEffect {
        let too_much = matches!(
            error.kind(),
            RemoteErrorKind::TooLarge | RemoteErrorKind::Oversized | RemoteErrorKind::StatementTimeout
        );
        if planted(PlantedBug::AuditLeavesWhenSent) {
            return RecordEffect::Audited(batch.iter().map(|entry| entry.id).collect());
        }
        match batch {
            _ if error.kind() == RemoteErrorKind::RateLimited || self.audit.first => self.fail(error),
            [_, _, ..] if too_much => {
                self.audit.narrowed = Some(u32::try_from(batch.len() / 2).unwrap_or(u32::MAX));
                self.read_audit()
            }
            _ => self.audit_failed(error.into()),
        }
    }

    /// The audit log was not uploaded. That is said, and fails nothing.
    pub(super) fn audit_failed(&mut self, error: crate::SyncError) -> RecordEffect {
        self.audit_error = Some(error);
        self.after_audit()
    }

    fn after_audit(&mut self) -> RecordEffect {
        if std::mem::take(&mut self.audit.first) {
            return self.read_batch();
        }
        self.end_well()
    }

    /// What [`PlantedBug::AuditBeforeRecords`] begins with.
    pub(super) fn audit_first(&mut self) -> Option<RecordEffect> {
        if !planted(PlantedBug::AuditBeforeRecords) || self.lane != super::Lane::Full {
            return None;
        }
        self.audit.first = true;
        Some(self.read_audit())
    }
}
