//! Decides what a pass of syncing does next.
//!
//! A [`Pass`] is told what happened (an [`Event`]) and answers what to do (an [`Effect`]), one at a time, until it answers
//! [`Effect::Finish`]. It goes through three phases:
//!
//! 1. **Push.** What has waited too long is parked first, if there is a limit (`expiry`). Then batches of the outbox until
//!    nothing sendable is left. A lane whose mutation must be retried is held for the rest of the pass, so that its order stays
//!    and other lanes go on. What happens to a batch that comes to nothing as a whole is told in `push`.
//! 2. **Follow.** From where the store says: a first load, one that was interrupted, or pulls by cursor until there is no
//!    more. A device that has nothing yet begins with a first screen (`first_screen`). An expired cursor leads to a new first load; so
//!    does a digest that shows a difference, once per pass.
//! 3. **Repair.** Parts of threads that are known to be missing are fetched through history. A pass of the timer also checks
//!    one conversation (`check`).
//!
//! What must stay true:
//!
//! * Nothing is settled without an answer of the server. What an answer was lost of is sent again under its id, and is known
//!   to be on its way until there is one.
//! * The position only moves with the page that it belongs to ([`Effect::ApplyPull`] carries both).
//! * Every loop is bounded: by progress of the store, or by a count kept here. A server that answers nonsense can make a pass
//!   fail, never run forever.
//! * What does not get through is not sent again as it was: batches and pages shrink until something does, and grow back.
//! * What a pass has learned is given out before it ends, whichever way ([`Effect::Remember`]), so that the next one begins with
//!   it, in this process or another.
//! * A push that fails while the server is there does not keep the person from receiving: its error is remembered, the pass
//!   goes on to follow, and ends with that error.

mod check;
mod effect;
mod ending;
mod event;
mod expiry;
mod first_screen;
mod follow;
mod outcome;
mod pace;
mod pass_result;
mod push;
pub(crate) mod repair;
pub mod schedule;

pub use effect::Effect;
pub use event::Event;
pub use expiry::Expiry;
pub use outcome::{Outcome, SyncReport};
pub use pass_result::PassResult;
pub use schedule::{Moment, Rhythm, Schedule, Step, Trigger};

use crate::{Progress, SyncError};
use ending::Ending;
use fieldpost_domain::{
    Time,
    planted::{PlantedBug, planted},
};
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_storage::{StorageError, StorageErrorKind, SyncMemory};

/// How often one call is repeated at once because its answer was lost. More than that is the network's state, not bad luck.
const REPEATS: u32 = 1;

/// How often a pass reads the position again because another process moved it.
const SUPERSEDED_LIMIT: u32 = 3;

/// One pass of syncing.
#[derive(Debug)]
pub struct Pass {
    /// What was learned, by earlier passes and by this one.
    memory: SyncMemory,
    ending: Ending,
    push: push::Push,
    follow: follow::Follow,
    repair: repair::Repair,
    check: check::Check,
    report: SyncReport,
    /// Calls whose answers were lost in a row.
    lost_in_a_row: u32,
    superseded: u32,
    /// Why pushing failed, when the pass went on to follow nevertheless.
    push_error: Option<SyncError>,
    /// The pass came to its end, whatever pushing did.
    ended_well: bool,
    /// What has waited since before this is parked before anything is sent; none if messages wait as long as it takes.
    expire_before: Option<Time>,
}

impl Default for Pass {
    fn default() -> Self {
        Self::new()
    }
}

impl Pass {
    /// A pass that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self {
            memory: SyncMemory::default(),
            ending: Ending::default(),
            push: push::Push::default(),
            follow: follow::Follow::default(),
            repair: repair::Repair::default(),
            check: check::Check::default(),
            report: SyncReport::default(),
            lost_in_a_row: 0,
            superseded: 0,
            push_error: None,
            ended_well: false,
            expire_before: None,
        }
    }

    /// Does not send what has waited since before this, if given, but parks it first.
    #[must_use]
    pub fn expiring(mut self, before: Option<Time>) -> Self {
        self.expire_before = before;
        self
    }

    /// What to do first.
    #[must_use]
    pub const fn start(&self) -> Effect {
        Effect::Recall
    }

    /// What to do after this has happened.
    #[must_use]
    pub fn next(&mut self, event: Event) -> Effect {
        let effect = self.decide(event);
        self.before_the_end(effect)
    }

    fn decide(&mut self, event: Event) -> Effect {
        match event {
            Event::Recalled(memory) => self.on_recalled(*memory),
            Event::Expired(count) => {
                self.report.failed += count;
                self.read_batch()
            }
            Event::Batch(mutations) => self.on_batch(mutations),
            Event::Pushed(answer) => self.on_pushed(answer),
            Event::Settled(report) => self.on_settled(&report),
            Event::State(state) => {
                self.push.is_over();
                self.on_state(state)
            }
            Event::BootstrapBegun => self.on_bootstrap_begun(),
            Event::Bootstrapped(answer) => self.on_bootstrapped(answer),
            Event::BootstrapApplied(report) => self.on_bootstrap_applied(&report),
            Event::Pulled(answer) => self.on_pulled(answer),
            Event::PullApplied(report) => self.on_pull_applied(&report),
            Event::Missing(ranges) => self.on_missing(ranges),
            Event::HistoryRead(answer) => self.on_history(answer),
            Event::HistoryApplied(report) => self.on_history_applied(&report),
            Event::Checkable(checkable) => self.on_checkable(checkable),
            Event::Checked(answer) => self.on_checked(answer),
            Event::CheckApplied(report) => self.on_check_applied(&report),
            Event::DigestChecked(right) => self.on_digest_checked(right),
            Event::Remembered => self.on_remembered(),
            Event::StorageFailed(error) => self.on_storage_failed(error),
            // Nothing is ever sent without a session.
            Event::SessionFailed(error) => {
                self.withdraw_before(|pass| Effect::Finish(Outcome::failed(error, pass.report)))
            }
        }
    }

    /// How far a first load is, while one is under way.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.follow.progress()
    }

    fn on_recalled(&mut self, memory: SyncMemory) -> Effect {
        let memory = if planted(PlantedBug::NothingRemembered) { SyncMemory::default() } else { memory };
        self.push.suspect(&memory.suspects);
        self.ending = Ending::before(&memory);
        self.memory = memory;
        match self.expire_before {
            Some(before) => Effect::Expire { before },
            None => self.read_batch(),
        }
    }

    fn finish(&mut self) -> Effect {
        self.ended_well = true;
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
        if let Some(end) = self.ending.take_failure() {
            // Why the pass failed says more than that it could not be noted.
            return end;
        }
        if error.kind() == StorageErrorKind::Superseded && self.superseded < SUPERSEDED_LIMIT {
            self.superseded += 1;
            self.report.superseded += 1;
            return Effect::ReadState;
        }
        Effect::Finish(Outcome::failed(error.into(), self.report))
    }
}
