//! Decides what a pass of syncing does next.
//!
//! A [`Pass`] is told what happened (an [`Event`]) and answers what to do (an [`Effect`]), one at a time, until it answers
//! [`Effect::Finish`]. It goes through three phases:
//!
//! 1. **Push.** Batches of the outbox until nothing sendable is left. A lane whose mutation must be retried is held for the
//!    rest of the pass, so that its order stays and other lanes go on. A batch that the server does not accept as a whole is
//!    halved until the mutation at fault stands alone; its lane is then held (or, when it alone is too large, it becomes a
//!    dead letter).
//! 2. **Follow.** From where the store says: a first load, one that was interrupted, or pulls by cursor until there is no
//!    more. An expired cursor leads to a new first load; so does a digest that shows a difference, once per pass.
//! 3. **Repair.** Parts of threads that are known to be missing are fetched through history.
//!
//! What must stay true:
//!
//! * Nothing is settled without an answer of the server. A batch whose answer was lost is sent again as it was.
//! * The position only moves with the page that it belongs to ([`Effect::ApplyPull`] carries both).
//! * Every loop is bounded: by progress of the store, or by a count kept here. A server that answers nonsense can make a pass
//!   fail, never run forever.
//! * A push that fails while the server is there does not keep the person from receiving: its error is remembered, the pass
//!   goes on to follow, and ends with that error.

mod effect;
mod event;
mod follow;
mod outcome;
mod push;
mod repair;

pub use effect::Effect;
pub use event::Event;
pub use outcome::{Outcome, SyncReport};

use crate::{Progress, SyncError};
use fieldpost_domain::ServerLimits;
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_storage::{StorageError, StorageErrorKind};

/// How often one call is repeated at once because its answer was lost. More than that is the network's state, not bad luck.
const REPEATS: u32 = 1;

/// How often a pass reads the position again because another process moved it.
const SUPERSEDED_LIMIT: u32 = 3;

/// One pass of syncing.
#[derive(Debug)]
pub struct Pass {
    limits: ServerLimits,
    push: push::Push,
    follow: follow::Follow,
    repair: repair::Repair,
    report: SyncReport,
    /// Calls whose answers were lost in a row.
    lost_in_a_row: u32,
    superseded: u32,
    /// Why pushing failed, when the pass went on to follow nevertheless.
    push_error: Option<SyncError>,
}

impl Pass {
    /// A pass that has not begun. `limits` are the server's as last known; `may_reconcile` allows one new first load when the
    /// digests differ.
    #[must_use]
    pub fn new(limits: ServerLimits, may_reconcile: bool) -> Self {
        Self {
            limits,
            push: push::Push::default(),
            follow: follow::Follow::new(may_reconcile),
            repair: repair::Repair::default(),
            report: SyncReport::default(),
            lost_in_a_row: 0,
            superseded: 0,
            push_error: None,
        }
    }

    /// What to do first.
    #[must_use]
    pub fn start(&mut self) -> Effect {
        self.read_batch()
    }

    /// What to do after this has happened.
    #[must_use]
    pub fn next(&mut self, event: Event) -> Effect {
        match event {
            Event::Batch(mutations) => self.on_batch(mutations),
            Event::Pushed(answer) => self.on_pushed(answer),
            Event::Settled(report) => self.on_settled(&report),
            Event::State(state) => self.on_state(state.position),
            Event::BootstrapBegun => self.on_bootstrap_begun(),
            Event::Bootstrapped(answer) => self.on_bootstrapped(answer),
            Event::BootstrapApplied(report) => self.on_bootstrap_applied(&report),
            Event::Pulled(answer) => self.on_pulled(answer),
            Event::PullApplied(report) => self.on_pull_applied(&report),
            Event::Missing(ranges) => self.on_missing(ranges),
            Event::HistoryRead(answer) => self.on_history(answer),
            Event::HistoryApplied(report) => self.on_history_applied(&report),
            Event::SuccessRecorded => self.finish(),
            Event::StorageFailed(error) => self.on_storage_failed(error),
            Event::SessionFailed(error) => Effect::Finish(Outcome::failed(error, self.report)),
        }
    }

    /// How far a first load is, while one is under way.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.follow.progress()
    }

    /// The server's limits as last stated.
    #[must_use]
    pub const fn limits(&self) -> ServerLimits {
        self.limits
    }

    /// Whether this pass started a first load because the digests differed.
    #[must_use]
    pub const fn reconciled(&self) -> bool {
        self.follow.reconciled()
    }

    fn finish(&mut self) -> Effect {
        Effect::Finish(match self.push_error.take() {
            Some(error) => Outcome::failed(error, self.report),
            None => Outcome::done(self.report),
        })
    }

    fn fail(&self, error: RemoteError) -> Effect {
        Effect::Finish(Outcome::failed(error.into(), self.report))
    }

    /// Counts a call, and says whether it is to be repeated: its answer was lost, and repeating it is harmless.
    fn repeats<T>(&mut self, answer: &Result<T, RemoteError>) -> bool {
        self.report.requests += 1;
        let lost = matches!(answer, Err(error) if error.kind() == RemoteErrorKind::Interrupted);
        self.lost_in_a_row = if lost { self.lost_in_a_row + 1 } else { 0 };
        let repeat = lost && self.lost_in_a_row <= REPEATS;
        self.report.repeated += u64::from(repeat);
        repeat
    }

    /// Another process applied a page meanwhile: go on from where it stands now. Everything else ends the pass.
    fn on_storage_failed(&mut self, error: StorageError) -> Effect {
        if error.kind() == StorageErrorKind::Superseded && self.superseded < SUPERSEDED_LIMIT {
            self.superseded += 1;
            return Effect::ReadState;
        }
        Effect::Finish(Outcome::failed(error.into(), self.report))
    }
}
