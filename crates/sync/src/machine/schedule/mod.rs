//! Decides when the next pass runs, and which lanes it leaves alone.
//!
//! A [`Schedule`] is told what happened ([`Trigger`]s, and how passes ended) and answers what to do now ([`Step`]). It reads
//! no clock: every moment is given to it, as the time since some beginning by a clock that never jumps. Chance is given to it
//! as well.
//!
//! There are two kinds of waiting, and they do not mix:
//!
//! * The **connection** waits after a pass that came to nothing: no network, a server that is down or asks to slow down.
//! * A **lane** waits after its mutation was answered `retry`, or made a whole call fail alone. All other lanes go on, and
//!   what the server has is fetched. A mutation that is refused makes nobody wait: that was an answer.
//!
//! Both wait with full jitter: a moment between nothing and a ceiling that doubles with every failure, up to a cap. A person
//! who comes back to the app, and a network that comes back, end both at once. What the server itself asked for
//! (`Retry-After`) they do not end. A person's own [`crate::Engine::sync`] is not decided here: it always runs, and tries
//! everything.

mod backoff;
mod rhythm;

pub use rhythm::Rhythm;

use super::PassResult;
use crate::SyncError;
use backoff::{Backoff, Growth};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Retry};
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// A point in time: how long after some beginning, by a clock that never jumps.
pub type Moment = Duration;

/// The longest that a server is believed when it asks to wait. A gateway that says a year is mistaken.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);

/// What makes a pass worth its while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Something was written here.
    LocalWrite,
    /// The server says that there is something new.
    Hint,
    /// There is a network again.
    Online,
    /// There is none any more: nothing is tried until there is.
    Offline,
    /// The person looks at the app.
    Foreground,
    /// The person does not look at it any more.
    Background,
    /// There is a session that works: somebody signed in, or the app renewed it.
    SignedIn,
    /// Nobody is signed in any more: nothing is tried until somebody is.
    SignedOut,
    /// The store is let go of: nothing is tried until it is back.
    Pause,
    /// The store is back.
    Resume,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Run a pass.
    Pass {
        /// Lanes that still wait.
        held: HashSet<ConversationId>,
        /// It is the timer's: the right one for looking after things that are not urgent.
        periodic: bool,
    },
    /// Look again at this moment, or when something happens.
    Wait(Moment),
    /// Nothing until something happens.
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
    /// A pass is worth its while as soon as nothing stands against it.
    wanted: bool,
    /// When the timer next wants one.
    periodic: Moment,
    connection: Backoff,
    /// Not before this, the server says.
    asked: Moment,
    lanes: BTreeMap<ConversationId, Backoff>,
}

impl Schedule {
    /// The schedule of an engine that has just begun: the first pass is due at once.
    #[must_use]
    pub fn new(rhythm: Rhythm) -> Self {
        Self {
            rhythm,
            online: true,
            foreground: true,
            signed_in: true,
            paused: false,
            wanted: true,
            periodic: Moment::ZERO,
            connection: Backoff::default(),
            asked: Moment::ZERO,
            lanes: BTreeMap::new(),
        }
    }

    /// Something happened.
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
        }
        match trigger {
            Trigger::Offline | Trigger::SignedOut | Trigger::Pause => {}
            Trigger::Background => self.periodic = now + self.every(),
            Trigger::LocalWrite | Trigger::Hint => self.wanted = true,
            Trigger::Online | Trigger::Foreground | Trigger::SignedIn | Trigger::Resume => {
                self.wanted = true;
                if !planted(PlantedBug::OnlineKeepsWaiting) {
                    self.connection = Backoff::default();
                    self.lanes.clear();
                }
                // Somebody may have signed in meanwhile, in another process on the same file. A pass finds out without a call.
                self.signed_in = true;
            }
        }
    }

    /// Whether the store is let go of.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused && !planted(PlantedBug::PausedEngineSyncs)
    }

    /// What to do now.
    #[must_use]
    pub fn next(&self, now: Moment) -> Step {
        if !self.online || !self.signed_in || self.paused {
            return Step::Rest;
        }
        let wanted = if self.wanted { now } else { self.periodic };
        let lanes = self.lanes.values().map(Backoff::until);
        let due = lanes.fold(wanted, Ord::min).max(self.connection.until()).max(self.asked);
        if due > now {
            return Step::Wait(due);
        }
        let held = self.lanes.iter().filter(|(_, backoff)| backoff.until() > now).map(|(lane, _)| *lane).collect();
        Step::Pass { held, periodic: self.periodic <= now }
    }

    /// A pass begins, whoever wanted it: what has happened until now is covered by it.
    pub fn begun(&mut self, now: Moment) {
        self.wanted = false;
        self.periodic = now + self.every();
    }

    /// The pass was cut off before its end. Whoever wanted it still does.
    pub const fn cut_off(&mut self) {
        self.wanted = true;
    }

    /// A pass has ended. `chance` gives a new number, any, whenever it is asked.
    pub fn ended(&mut self, now: Moment, result: &PassResult, mut chance: impl FnMut() -> u32) {
        self.periodic = now + self.every();
        self.wanted |= result.more_to_push;
        let growth = self.growth();
        let tried = result.connection.is_none();
        self.lanes.retain(|lane, _| {
            let silent = tried && !result.held.contains(lane) && !result.waiting.contains(lane);
            !silent && !result.moved.contains(lane)
        });
        for lane in &result.waiting {
            self.lanes.entry(*lane).or_default().failed(now, growth, chance());
        }
        match &result.connection {
            None => {
                self.wanted &= !planted(PlantedBug::HintDuringPassLost);
                self.connection = Backoff::default();
                self.asked = Moment::ZERO;
            }
            Some(SyncError::SignedOut) => self.signed_in = false,
            Some(error) => self.connection_failed(now, error.retry(), growth, chance()),
        }
    }

    fn connection_failed(&mut self, now: Moment, retry: Retry, growth: Growth, chance: u32) {
        if retry == Retry::Never {
            // Asking again soon would be told the same; the timer asks now and then.
            return;
        }
        self.wanted = true;
        self.connection.failed(now, growth, chance);
        if let Retry::After(wait) = retry {
            let longest = if planted(PlantedBug::NamedWaitIgnored) { Duration::ZERO } else { LONGEST_ASKED };
            self.asked = now + wait.min(longest);
        }
    }

    const fn every(&self) -> Duration {
        if self.foreground { self.rhythm.foreground } else { self.rhythm.background }
    }

    /// Nobody looks: no need to ask a server that is out of reach more often than one that is not.
    fn growth(&self) -> Growth {
        let cap = if self.foreground {
            self.rhythm.longest_wait
        } else {
            self.rhythm.longest_wait.max(self.rhythm.background)
        };
        Growth { first: self.rhythm.first_wait, cap }
    }
}
