//! Decides what a pass over the records does next, as [`super::Pass`] does for messages.
//!
//! A [`RecordPass`] takes what happened (a [`RecordEvent`]) and returns what to do (a [`RecordEffect`]), one at a time,
//! until it returns [`RecordEffect::Finish`]. It has three phases:
//!
//! 1. **Push.** It sends batches of the queue until nothing is due any more: first the immediate changes, alone, then
//!    the others (`push`).
//! 2. **Pull.** It fetches pages until there is no more; an expired cursor leads to a first load, once per pass (`pull`).
//! 3. **Audit.** It uploads some of the audit log (`audit`).
//!
//! A pass of the lane [`Lane::Immediate`] has the first half of the first phase alone. It may run beside a full pass.
//!
//! These rules must hold:
//!
//! * A change leaves the queue only by a result of the server. Each change of a batch is settled, withdrawn or postponed
//!   before the next batch is read; if the pass is cut off before, the change is sent again with the same id.
//! * The cursor moves only together with its page ([`RecordEffect::Apply`] carries both).
//! * Every loop is bounded, by progress of the store or by a counter.
//! * If only pushing fails, the pass still pulls; if only pulling fails, it still uploads the audit log. It remembers
//!   the first error and ends with it.
//! * A pass saves what it has learned before it ends ([`RecordEffect::Remember`]).

mod audit;
mod dependent;
mod effect;
mod outcome;
mod pull;
mod push;
mod sizes;

pub use effect::{RecordEffect, RecordEvent};
pub use outcome::{RecordPassOutcome, RecordReport};

use super::{PassResult, REPEATS};
use crate::SyncError;
use fieldpost_domain::ServerLimits;
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{StorageError, records::RecordMemory};

/// What a pass is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lane {
    /// Everything.
    #[default]
    Full,
    /// Sending immediate changes, and nothing else.
    Immediate,
}

/// One pass over the records.
#[derive(Debug, Default)]
pub struct RecordPass {
    lane: Lane,
    /// What earlier passes have learned; none before it is read.
    recalled: Option<RecordMemory>,
    /// What this pass has learned. Its counters are those of earlier passes.
    memory: RecordMemory,
    /// The server's limits, once it has stated them.
    limits: ServerLimits,
    push: push::Push,
    pull: pull::Pull,
    audit: audit::Audit,
    line: sizes::Line,
    report: RecordReport,
    /// The counts of the report that are saved already.
    counted: RecordReport,
    /// How many responses were lost in a row.
    lost_in_a_row: u32,
    /// The first error, if the pass went on in spite of it.
    error: Option<SyncError>,
    audit_error: Option<SyncError>,
    /// The pass reached its end.
    ended_well: bool,
    /// The last effect, once everything is saved.
    end: Option<Box<RecordEffect>>,
}

impl RecordPass {
    /// A pass that has not begun yet.
    #[must_use]
    pub fn new(lane: Lane) -> Self {
        Self { lane, ..Self::default() }
    }

    /// The first effect.
    #[must_use]
    pub const fn start(&self) -> RecordEffect {
        RecordEffect::Recall
    }

    /// The effect that follows an event.
    #[must_use]
    pub fn next(&mut self, event: RecordEvent) -> RecordEffect {
        let effect = self.decide(event);
        self.save_before_end(effect)
    }

    fn decide(&mut self, event: RecordEvent) -> RecordEffect {
        match event {
            RecordEvent::Recalled(memory) => {
                self.recalled = Some(memory);
                self.memory = memory;
                self.audit_first().unwrap_or_else(|| self.read_batch())
            }
            RecordEvent::Batch(mutations) => self.on_batch(mutations),
            RecordEvent::Pushed(answer) => self.on_pushed(answer),
            RecordEvent::Settled(report) => self.on_settled(&report),
            RecordEvent::State { cursor, tables } => self.on_state(cursor, tables),
            RecordEvent::LoadBegun => self.on_load_begun(),
            RecordEvent::Pulled(answer) => self.on_pulled(answer),
            RecordEvent::Applied(report) => self.on_applied(report),
            RecordEvent::Audit(entries) => self.on_audit(entries),
            RecordEvent::AuditPushed(answer) => self.on_audit_pushed(answer),
            RecordEvent::AuditSettled => self.read_audit(),
            RecordEvent::Remembered => self.on_remembered(),
            RecordEvent::StorageFailed(error) => self.on_storage_failed(error),
            RecordEvent::NotCalled(error) => self.on_not_called(error),
        }
    }

    /// Nothing is left to push, or pushing failed.
    fn after_push(&mut self) -> RecordEffect {
        match self.lane {
            Lane::Full => RecordEffect::ReadState,
            Lane::Immediate => self.end_well(),
        }
    }

    /// The pass has done everything.
    fn end_well(&mut self) -> RecordEffect {
        self.ended_well = true;
        let outcome = RecordEffect::Finish(self.outcome(self.error.clone()));
        if self.lane == Lane::Immediate || self.error.is_some() {
            return outcome;
        }
        self.end = Some(Box::new(outcome));
        RecordEffect::Remember { succeeded: true }
    }

    fn on_remembered(&mut self) -> RecordEffect {
        self.recalled = Some(self.memory);
        self.counted = self.report;
        if let Some(end) = self.end.take() {
            self.recalled = None;
            return *end;
        }
        // Nothing else is saved in between.
        self.apply_waiting().unwrap_or_else(|| RecordEffect::Finish(self.outcome(self.error.clone())))
    }

    /// Before a pass ends otherwise, it saves what it has learned.
    fn save_before_end(&mut self, effect: RecordEffect) -> RecordEffect {
        if effect.outcome().is_none() || !self.has_learned() {
            return effect;
        }
        self.end = Some(Box::new(effect));
        RecordEffect::Remember { succeeded: false }
    }

    /// Whether there is something to save that the store does not have.
    #[must_use]
    pub fn has_learned(&self) -> bool {
        let counts = |report: &RecordReport| (report.lost, report.missing, report.unreadable, report.ignored);
        self.recalled.is_some_and(|recalled| recalled != self.memory || counts(&self.counted) != counts(&self.report))
    }

    /// What the store is to remember, if it has `kept` now: another lane may have saved something meanwhile.
    #[must_use]
    pub fn learn(&self, kept: RecordMemory) -> RecordMemory {
        let counted = |kept: u64, report: fn(&RecordReport) -> u64| kept + report(&self.report) - report(&self.counted);
        let learned = RecordMemory {
            lost: counted(kept.lost, |report| report.lost),
            missing: counted(kept.missing, |report| report.missing),
            unreadable: counted(kept.unreadable, |report| report.unreadable),
            ignored: counted(kept.ignored, |report| report.ignored),
            ..self.memory
        };
        match self.lane {
            Lane::Full => learned,
            // It has pulled nothing.
            Lane::Immediate => {
                let mut line = kept.line;
                line.up = learned.line.up;
                RecordMemory { page_size: kept.page_size, run_open: kept.run_open, line, ..learned }
            }
        }
    }

    /// The result of the pass for the schedule. Changes that failed alone wait on their own.
    #[must_use]
    pub fn result(&self, error: Option<&SyncError>) -> PassResult {
        let only_changes_failed = self.ended_well && self.push.blames_changes() && !self.pull.has_failed();
        PassResult { connection: error.filter(|_| !only_changes_failed).cloned(), ..PassResult::default() }
    }

    fn outcome(&self, error: Option<SyncError>) -> RecordPassOutcome {
        RecordPassOutcome { report: self.report, error, audit_error: self.audit_error.clone() }
    }

    /// Remembers an error and goes on. The first one says most.
    fn note(&mut self, error: SyncError) {
        self.error.get_or_insert(error);
    }

    fn fail(&self, error: RemoteError) -> RecordEffect {
        self.fail_with(error.into())
    }

    fn fail_with(&self, error: SyncError) -> RecordEffect {
        RecordEffect::Finish(self.outcome(Some(error)))
    }

    /// Counts a call. True if the call is to be repeated: its response was lost, and repeating it is harmless.
    fn repeats<T>(&mut self, answer: &RemoteResult<T>) -> bool {
        self.report.requests += 1;
        let lost = matches!(answer, Err(error) if error.kind() == RemoteErrorKind::Interrupted);
        self.lost_in_a_row = if lost { self.lost_in_a_row + 1 } else { 0 };
        let repeat = lost && self.lost_in_a_row <= REPEATS;
        self.report.repeated += u64::from(repeat);
        repeat
    }

    fn on_storage_failed(&mut self, error: StorageError) -> RecordEffect {
        if let Some(end) = self.end.take() {
            // The pass ends with its own error: it says more than a failure to save.
            self.recalled = None;
            let failed = end.outcome().is_some_and(|outcome| outcome.error.is_some());
            return if failed { *end } else { self.fail_with(error.into()) };
        }
        if let Some(next) = self.on_superseded(&error) {
            return next;
        }
        self.fail_with(error.into())
    }
}
