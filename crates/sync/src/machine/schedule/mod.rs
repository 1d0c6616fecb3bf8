//! Decides when the next pass runs and which lanes it skips.
//!
//! A [`Schedule`] takes what happened ([`Trigger`]s and the results of passes) and returns what to do now ([`Step`]).
//! It reads no clock: the caller passes each moment, measured by a monotonic clock. The caller also passes random
//! numbers.
//!
//! There are two separate kinds of backoff:
//!
//! * The **connection** backs off after a pass that failed as a whole: no network, or a server that is down or asks to
//!   slow down.
//! * A **lane** backs off after the server answered `retry` to its mutation, or after its mutation failed a whole call
//!   alone. All other lanes go on, and pulls go on. A refusal causes no backoff, because it is a final answer.
//!
//! Both use full jitter: a random wait below a ceiling that doubles with each failure, up to a cap. When the app comes
//! to the foreground or the network returns, both end at once. A wait that the server named (`Retry-After`) does not
//! end then. A person's own [`crate::Engine::sync`] ignores this schedule: it always runs and tries every lane.

mod rhythm;

pub use rhythm::{Rhythm, RhythmError};

use super::{
    PassResult,
    backoff::{Backoff, Growth},
};
use crate::SyncError;
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Retry};
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// A point in time: the duration since some start, by a monotonic clock.
pub type Moment = Duration;

/// The longest `Retry-After` that is honoured. A gateway that says a year is mistaken.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

/// An event that the schedule reacts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Something was written locally.
    LocalWrite,
    /// The server signals that it has something new.
    Hint,
    /// The network is back.
    Online,
    /// The network is gone: nothing runs until it is back.
    Offline,
    /// The app came to the foreground.
    Foreground,
    /// The app went to the background.
    Background,
    /// Somebody signed in, or the app renewed its session.
    SignedIn,
    /// Nobody is signed in: nothing runs until somebody is.
    SignedOut,
    /// The store is being closed: nothing runs until it is open again.
    Pause,
    /// The store is open again.
    Resume,
    /// Live hints come from now on: the timer may run at its slower pace.
    LiveUp,
    /// They do not come any more.
    LiveDown,
}

/// What the runner does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Run a pass.
    Pass {
        /// Lanes that still back off.
        held: HashSet<ConversationId>,
        /// The timer is due. Such a pass also does work that is not urgent.
        periodic: bool,
    },
    /// Ask again at this moment, or after a trigger.
    Wait(Moment),
    /// Do nothing until a trigger.
    Rest,
}

/// When the next pass runs; see the [module](self).
#[derive(Debug, Clone)]
pub struct Schedule {
    rhythm: Rhythm,
    online: bool,
    foreground: bool,
    signed_in: bool,
    paused: bool,
    live: bool,
    /// A pass is wanted as soon as nothing prevents it.
    wanted: bool,
    /// When the timer is due.
    periodic: Moment,
    connection: Backoff,
    /// The end of the wait that the server named.
    retry_after: Moment,
    lanes: BTreeMap<ConversationId, Backoff>,
    /// When marks of what has arrived go by themselves; none if none wait.
    deliver: Option<Moment>,
    /// The running pass takes them along.
    delivering: bool,
}

impl Schedule {
    /// The schedule of a new engine: the first pass is due at once.
    #[must_use]
    pub fn new(rhythm: Rhythm) -> Self {
        Self {
            rhythm,
            online: true,
            foreground: true,
            signed_in: true,
            paused: false,
            live: false,
            wanted: true,
            periodic: Moment::ZERO,
            connection: Backoff::default(),
            retry_after: Moment::ZERO,
            lanes: BTreeMap::new(),
            deliver: None,
            delivering: true,
        }
    }

    /// Records a trigger.
    pub fn trigger(&mut self, now: Moment, trigger: Trigger) {
        match trigger {
            Trigger::LocalWrite | Trigger::Hint | Trigger::SignedIn => {}
            Trigger::Online => self.online = true,
            Trigger::Offline => self.online = false,
            Trigger::Foreground => self.foreground = true,
            Trigger::Background => self.foreground = false,
            Trigger::SignedOut => self.signed_in = false,
            Trigger::Pause => self.paused = true,
            Trigger::Resume => self.paused = false,
            Trigger::LiveUp => self.live = true,
            Trigger::LiveDown => self.live = false,
        }
        match trigger {
            Trigger::Offline | Trigger::SignedOut | Trigger::Pause | Trigger::LiveUp => {}
            // Whoever hears nothing any more looks as soon as those who never did.
            Trigger::LiveDown => self.periodic = self.periodic.min(now + self.timer_interval()),
            Trigger::Background => self.periodic = now + self.timer_interval(),
            Trigger::LocalWrite | Trigger::Hint => self.wanted = true,
            Trigger::Online | Trigger::Foreground | Trigger::SignedIn | Trigger::Resume => {
                self.wanted = true;
                if !planted(PlantedBug::OnlineKeepsWaiting) {
                    self.connection = Backoff::default();
                    self.lanes.clear();
                }
                // Somebody may have signed in through another process on the same file. A pass finds out without a
                // call.
                self.signed_in = true;
            }
        }
    }

    /// Whether the store is closed for a pause.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused && !planted(PlantedBug::PausedEngineSyncs)
    }

    /// The next step.
    #[must_use]
    pub fn next(&self, now: Moment) -> Step {
        if !self.online || !self.signed_in || self.paused {
            return Step::Rest;
        }
        let wanted = if self.wanted { now } else { self.deliver.map_or(self.periodic, |at| at.min(self.periodic)) };
        let lanes = self.lanes.values().map(Backoff::until);
        let due = lanes.fold(wanted, Ord::min).max(self.connection.until()).max(self.retry_after);
        if due > now {
            return Step::Wait(due);
        }
        let held = self.lanes.iter().filter(|(_, backoff)| backoff.until() > now).map(|(lane, _)| *lane).collect();
        Step::Pass { held, periodic: self.periodic <= now }
    }

    /// A pass begins. It covers all triggers so far.
    pub fn begun(&mut self, now: Moment) {
        self.wanted = false;
        self.delivering = self.deliver.is_none_or(|at| at <= now) || self.periodic <= now;
        if self.delivering {
            self.deliver = None;
        }
        self.periodic = now + self.timer_interval();
    }

    /// Whether the running pass sends marks of what has arrived even if nothing else waits. Otherwise they wait for more
    /// pages, so that a stream of them makes one call.
    #[must_use]
    pub const fn is_delivering(&self) -> bool {
        self.delivering
    }

    /// The pass was cut off, so another one is still wanted.
    pub const fn cut_off(&mut self) {
        self.wanted = true;
    }

    /// A pass has ended. `chance` returns a new random number at each call.
    pub fn ended(&mut self, now: Moment, result: &PassResult, mut chance: impl FnMut() -> u32) {
        self.periodic = now + self.timer_interval();
        self.wanted |= result.more_to_push;
        if result.delivered {
            self.deliver.get_or_insert(now + self.rhythm.deliver);
        }
        let growth = self.growth();
        let got_through = result.connection.is_none();
        self.lanes.retain(|lane, _| {
            let done = got_through && !result.held.contains(lane) && !result.waiting.contains(lane);
            !done && !result.moved.contains(lane)
        });
        for lane in &result.waiting {
            self.lanes.entry(*lane).or_default().failed(now, growth, chance());
        }
        match &result.connection {
            None => {
                self.wanted &= !planted(PlantedBug::HintDuringPassLost);
                self.connection = Backoff::default();
                self.retry_after = Moment::ZERO;
            }
            Some(SyncError::SignedOut) => self.signed_in = false,
            Some(error) => self.connection_failed(now, error.retry(), growth, chance()),
        }
    }

    fn connection_failed(&mut self, now: Moment, retry: Retry, growth: Growth, chance: u32) {
        if retry == Retry::Never {
            // The same call would fail again; only the timer tries again.
            return;
        }
        self.wanted = true;
        self.connection.failed(now, growth, chance);
        if let Retry::After(wait) = retry {
            let limit = if planted(PlantedBug::NamedWaitIgnored) { Duration::ZERO } else { MAX_RETRY_AFTER };
            self.retry_after = now + wait.min(limit);
        }
    }

    const fn timer_interval(&self) -> Duration {
        if !self.foreground {
            return self.rhythm.background;
        }
        match self.rhythm.live {
            Some(slower) if self.live => slower,
            _ => self.rhythm.foreground,
        }
    }

    /// In the background, a server that is out of reach is tried no more often than one that is in reach.
    fn growth(&self) -> Growth {
        let cap = if self.foreground {
            self.rhythm.longest_wait
        } else {
            self.rhythm.longest_wait.max(self.rhythm.background)
        };
        Growth { first: self.rhythm.first_wait, cap }
    }
}
