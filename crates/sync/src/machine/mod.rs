//! Decides what a pass does next.
//!
//! A [`Pass`] takes what happened (an [`Event`]) and returns what to do (an [`Effect`]), one at a time, until it
//! returns [`Effect::Finish`]. It has three phases:
//!
//! 1. **Push.** If there is a ttl, expired messages become dead letters first (`expiry`). Then the pass sends batches
//!    of the outbox until nothing can be sent any more. If a mutation must be retried, its lane is held for the rest of
//!    the pass: the lane keeps its order and the other lanes go on. `push` says what happens when a whole batch fails. If
//!    the server says that nothing else has changed, the pass does not pull (`quiet`).
//! 2. **Follow.** The pass continues from the stored position: it bootstraps, continues an interrupted bootstrap, or
//!    pulls from the cursor until there is no more. An empty device begins with a first screen (`first_screen`). An
//!    expired cursor leads to a new bootstrap, and so does a digest that differs, once per pass.
//! 3. **Repair.** The pass fetches missing parts of threads through history. A pass of the timer also checks one
//!    conversation (`check`).
//!
//! These rules must hold:
//!
//! * A mutation is settled only by a response of the server. If a response is lost, the mutation stays in flight and is
//!   resent with the same id.
//! * The position moves only together with its page ([`Effect::ApplyPull`] carries both).
//! * Every loop is bounded, by progress of the store or by a counter. A faulty server can make a pass fail, but never
//!   run forever.
//! * A batch or page that fails because of its size or a timeout is not repeated at that size. It shrinks until it gets
//!   through, and grows back later.
//! * A pass saves what it has learned before it ends, whichever way it ends ([`Effect::Remember`]). The next pass
//!   starts with that, in this process or another.
//! * If only pushing fails, the pass still follows, so that the person receives messages. It remembers the error and
//!   ends with it.

mod backoff;
mod check;
mod effect;
mod ending;
mod event;
mod expiry;
mod first_screen;
mod follow;
mod line;
pub mod live;
mod meanwhile;
mod outcome;
mod pace;
mod pass_result;
mod push;
mod quiet;
#[cfg(feature = "records")]
pub mod records;
pub(crate) mod repair;
pub mod schedule;
mod wait;

pub use effect::Effect;
pub use event::Event;
pub use expiry::Expiry;
pub use live::{Live, LiveRhythm, LiveStatus, LiveStep, Writing};
pub use outcome::{Outcome, SyncReport};
pub use pass_result::PassResult;
pub use schedule::{Moment, Rhythm, RhythmError, Schedule, Step, Trigger};

use crate::{Progress, SyncError};
use ending::Ending;
use fieldpost_domain::{
    Time,
    planted::{PlantedBug, planted},
};
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_storage::{StorageError, StorageErrorKind, SyncMemory, SyncState};

/// How often to repeat one call at once when its response was lost. More losses in a row mean a bad network.
const REPEATS: u32 = 1;

/// How often one pass reads the position again because another process moved it.
const SUPERSEDED_LIMIT: u32 = 3;

/// A difference between two clocks that no answer takes to come, in milliseconds.
const WRONG_CLOCK_MS: i64 = 60_000;

/// One pass of syncing.
#[derive(Debug)]
pub struct Pass {
    /// What this pass and earlier ones have learned.
    memory: SyncMemory,
    ending: Ending,
    push: push::Push,
    quiet: quiet::Quiet,
    follow: follow::Follow,
    repair: repair::Repair,
    check: check::Check,
    line: line::Line,
    report: SyncReport,
    /// How many responses were lost in a row.
    lost_in_a_row: u32,
    superseded: u32,
    /// The server has asked to slow down: neither the pass nor what pushes beside it makes another call.
    told_to_wait: Option<SyncError>,
    /// The error of the push phase, if the pass followed in spite of it.
    push_error: Option<SyncError>,
    /// The pass reached its end, even if pushing failed.
    ended_well: bool,
    /// Messages recorded before this time become dead letters before anything is sent; none without a ttl.
    expire_before: Option<Time>,
}

impl Default for Pass {
    fn default() -> Self {
        Self::new()
    }
}

impl Pass {
    /// A pass that has not begun yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            memory: SyncMemory::default(),
            ending: Ending::default(),
            push: push::Push::default(),
            quiet: quiet::Quiet::default(),
            follow: follow::Follow::default(),
            repair: repair::Repair::default(),
            check: check::Check::default(),
            line: line::Line::default(),
            report: SyncReport::default(),
            lost_in_a_row: 0,
            superseded: 0,
            told_to_wait: None,
            push_error: None,
            ended_well: false,
            expire_before: None,
        }
    }

    /// Makes messages recorded before this time dead letters, instead of sending them.
    #[must_use]
    pub fn expiring(mut self, before: Option<Time>) -> Self {
        self.expire_before = before;
        self
    }

    /// The first effect.
    #[must_use]
    pub const fn start(&self) -> Effect {
        Effect::Recall
    }

    /// The effect that follows an event.
    #[must_use]
    pub fn next(&mut self, event: Event) -> Effect {
        let effect = self.decide(event);
        let effect = self.heed_wait(effect);
        self.save_before_end(effect)
    }

    fn decide(&mut self, event: Event) -> Effect {
        match event {
            Event::Recalled(state) => self.on_recalled(*state),
            Event::Expired(count) => {
                self.report.failed += count;
                self.read_batch()
            }
            Event::Batch(mutations) => self.on_batch(mutations),
            Event::Pushed(answer) => self.on_pushed(answer),
            Event::Settled(report) => self.on_settled(&report),
            Event::State(state) => {
                self.push.clear_batch();
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
            // Without a session the driver has not sent anything.
            Event::SessionFailed(error) => {
                self.withdraw_before(|pass| Effect::Finish(Outcome::failed(error, pass.report)))
            }
        }
    }

    /// Notes by how many milliseconds the device's clock is ahead of the server's, if that is more than a slow response
    /// explains.
    pub fn clock_is_ahead(&mut self, millis: i64) {
        let moved = self.memory.clock_ahead_ms.is_none_or(|before| (before - millis).abs() > WRONG_CLOCK_MS);
        if millis.abs() <= WRONG_CLOCK_MS {
            self.memory.clock_ahead_ms = None;
        } else if moved {
            self.memory.clock_ahead_ms = Some(millis);
        }
    }

    /// The progress of the bootstrap, while one is running.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.follow.progress()
    }

    fn on_recalled(&mut self, state: SyncState) -> Effect {
        let memory = if planted(PlantedBug::NothingRemembered) { SyncMemory::default() } else { state.memory.clone() };
        self.push.try_last(&memory.suspects);
        self.ending = Ending::stored(&memory);
        self.memory = memory;
        self.may_be_quiet(&state);
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

    /// Counts a call. True if the call is to be repeated: its response was lost, and repeating it is harmless.
    fn repeats<T>(&mut self, answer: &Result<T, RemoteError>) -> bool {
        self.report.requests += 1;
        let lost = matches!(answer, Err(error) if error.kind() == RemoteErrorKind::Interrupted);
        self.lost_in_a_row = if lost { self.lost_in_a_row + 1 } else { 0 };
        let repeat = lost && self.lost_in_a_row <= REPEATS;
        self.report.repeated += u64::from(repeat);
        repeat
    }

    /// If another process applied a page meanwhile, the pass continues from the new position. Any other error ends it.
    fn on_storage_failed(&mut self, error: StorageError) -> Effect {
        if let Some(end) = self.ending.take_failure() {
            // The pass ends with its own error: it says more than a failure to save.
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
