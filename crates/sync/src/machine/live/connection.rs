//! The connection and its heartbeats.

use super::LiveRhythm;
use crate::machine::{Moment, backoff::Backoff, schedule::MAX_RETRY_AFTER};
use fieldpost_domain::{
    Retry,
    planted::{PlantedBug, planted},
};
use fieldpost_remote::RemoteErrorKind;

#[derive(Debug, Clone)]
pub(super) enum Connection {
    Down(Waits),
    Up(Up),
}

/// When the next try is due.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Waits {
    backoff: Backoff,
    /// The end of the wait that the server named.
    retry_after: Moment,
}

/// An open connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Up {
    since: Moment,
    /// When the next heartbeat is due.
    heartbeat: Moment,
    /// The last one has not been answered.
    unanswered: bool,
    /// Something has happened at which connections die in silence, so it is asked at once whether the server is there.
    doubted: bool,
    /// How many times in a row joins were not answered.
    unheard: u32,
    /// The waits so far, for one that ends at once.
    waits: Waits,
}

impl Default for Connection {
    fn default() -> Self {
        Self::Down(Waits::default())
    }
}

impl Waits {
    pub(super) fn until(&self) -> Moment {
        self.backoff.until().max(self.retry_after)
    }
}

impl Up {
    /// So many times in a row that joins are not answered, the server does not hear them on this connection.
    const UNHEARD: u32 = 3;

    pub(super) const fn heartbeat_at(&self) -> Moment {
        if self.doubted { Moment::ZERO } else { self.heartbeat }
    }

    /// Joins are not answered, although heartbeats may be.
    pub(super) const fn is_deaf(&self) -> bool {
        self.unheard >= Self::UNHEARD
    }

    /// The last heartbeat was not answered by the time of the next.
    pub(super) fn is_dead(&self, now: Moment) -> bool {
        self.unanswered && self.heartbeat <= now && !planted(PlantedBug::SilenceIsLife)
    }
}

impl Connection {
    pub(super) fn opened(&mut self, now: Moment, rhythm: &LiveRhythm) {
        let waits = self.waits();
        let heartbeat = now + rhythm.heartbeat;
        *self = Self::Up(Up { since: now, heartbeat, unanswered: false, doubted: false, unheard: 0, waits });
    }

    pub(super) const fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }

    pub(super) fn asked(&mut self, now: Moment, rhythm: &LiveRhythm) {
        if let Self::Up(up) = self {
            let wait = if up.doubted { rhythm.join_timeout } else { rhythm.heartbeat };
            // An earlier one need not be answered later because of this one.
            let earlier = up.heartbeat;
            up.heartbeat = if up.doubted && up.unanswered { earlier.min(now + wait) } else { now + wait };
            up.unanswered = true;
            up.doubted = false;
        }
    }

    /// Joins were not answered in time.
    pub(super) const fn unheard(&mut self) {
        if let Self::Up(up) = self {
            up.unheard += 1;
        }
    }

    /// A join was answered.
    pub(super) const fn heard(&mut self) {
        if let Self::Up(up) = self {
            up.unheard = 0;
        }
    }

    pub(super) const fn alive(&mut self) {
        if let Self::Up(up) = self {
            up.unanswered = false;
        }
    }

    /// The network or the app is back: no wait is needed any more, and a connection that is open may be dead.
    pub(super) fn try_at_once(&mut self) {
        match self {
            Self::Down(waits) => waits.backoff = Backoff::default(),
            Self::Up(up) => up.doubted = true,
        }
    }

    pub(super) fn failed(
        &mut self,
        now: Moment,
        (kind, retry): (RemoteErrorKind, Retry),
        rhythm: &LiveRhythm,
        chance: u32,
    ) {
        let mut waits = self.waits();
        let is_a_fault = retry != Retry::Never && kind != RemoteErrorKind::NotFound;
        let growth = if is_a_fault { rhythm.after_a_fault() } else { rhythm.after_a_refusal() };
        waits.backoff.failed(now, growth, chance);
        if let Retry::After(wait) = retry {
            waits.retry_after = now + wait.min(MAX_RETRY_AFTER);
        }
        *self = Self::Down(waits);
    }

    /// A connection that lasted longer than the longest wait has done its work: the waits begin anew.
    pub(super) fn lost(&mut self, now: Moment, rhythm: &LiveRhythm, chance: u32) {
        let lasted = matches!(self, Self::Up(up) if now.saturating_sub(up.since) >= rhythm.longest_wait);
        let mut waits = if lasted { Waits::default() } else { self.waits() };
        waits.backoff.failed(now, rhythm.after_a_fault(), chance);
        *self = Self::Down(waits);
    }

    const fn waits(&self) -> Waits {
        match self {
            Self::Down(waits) => *waits,
            Self::Up(up) => up.waits,
        }
    }
}
