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
    pub(super) const fn heartbeat_at(&self) -> Moment {
        self.heartbeat
    }

    /// The last heartbeat was not answered by the time of the next.
    pub(super) fn is_dead(&self, now: Moment) -> bool {
        self.unanswered && self.heartbeat <= now && !planted(PlantedBug::SilenceIsLife)
    }
}

impl Connection {
    pub(super) fn opened(&mut self, now: Moment, rhythm: &LiveRhythm) {
        let waits = self.waits();
        *self = Self::Up(Up { since: now, heartbeat: now + rhythm.heartbeat, unanswered: false, waits });
    }

    pub(super) const fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }

    pub(super) fn asked(&mut self, now: Moment, rhythm: &LiveRhythm) {
        if let Self::Up(up) = self {
            up.heartbeat = now + rhythm.heartbeat;
            up.unanswered = true;
        }
    }

    pub(super) const fn alive(&mut self) {
        if let Self::Up(up) = self {
            up.unanswered = false;
        }
    }

    pub(super) fn try_at_once(&mut self) {
        if let Self::Down(waits) = self {
            waits.backoff = Backoff::default();
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
