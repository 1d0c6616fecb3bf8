//! One topic on the connection.

use super::LiveRhythm;
use crate::machine::{Moment, backoff::Backoff, schedule::MAX_RETRY_AFTER};
use fieldpost_domain::Retry;
use fieldpost_remote::RemoteErrorKind;
use std::time::Duration;

/// A topic and its waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Channel {
    state: State,
    backoff: Backoff,
    /// When it was joined last.
    joined: Moment,
    /// It brings what it is there for, as far as one can know.
    ready: bool,
    /// The end of the wait that the server named.
    retry_after: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Out,
    /// The join must be answered by this moment.
    Joining(Moment),
    Joined,
}

impl Channel {
    /// A topic that lasted so long has done its work, whatever it ends of.
    const LASTING: Duration = Duration::from_secs(5 * 60);

    pub(super) fn is_joined(&self) -> bool {
        self.state == State::Joined
    }

    pub(super) const fn is_joining(&self) -> bool {
        matches!(self.state, State::Joining(_))
    }

    pub(super) fn is_out(&self) -> bool {
        self.state == State::Out
    }

    /// When something is to be done: another join, or giving this one up. None while it is joined.
    pub(super) fn due(&self) -> Option<Moment> {
        match self.state {
            State::Out => Some(self.backoff.until().max(self.retry_after)),
            State::Joining(until) => Some(until),
            State::Joined => None,
        }
    }

    pub(super) fn is_late(&self, now: Moment) -> bool {
        matches!(self.state, State::Joining(until) if until <= now)
    }

    pub(super) const fn joining(&mut self, until: Moment) {
        self.state = State::Joining(until);
    }

    /// The waits begin anew only when it is ready: a server that lets everybody in and has nothing to say ends each topic after a while.
    pub(super) const fn joined(&mut self, now: Moment) {
        self.state = State::Joined;
        self.joined = now;
        self.ready = false;
    }

    pub(super) fn ready(&mut self) {
        self.ready = true;
        self.backoff = Backoff::default();
    }

    /// The connection is gone; the topic has done nothing wrong.
    pub(super) const fn left(&mut self) {
        self.state = State::Out;
    }

    pub(super) fn try_at_once(&mut self) {
        self.backoff = Backoff::default();
    }

    /// It is left alone until then, whatever else happens.
    pub(super) const fn rest(&mut self, until: Moment) {
        self.retry_after = until;
    }

    /// Nothing is known of it that the next join would need.
    pub(super) fn is_forgotten(&self, now: Moment) -> bool {
        self.is_out() && self.due().is_some_and(|at| at <= now)
    }

    pub(super) fn refused(
        &mut self,
        now: Moment,
        (kind, retry): (RemoteErrorKind, Retry),
        rhythm: &LiveRhythm,
        chance: u32,
    ) {
        let lasted = self.is_joined() && now.saturating_sub(self.joined) >= Self::LASTING;
        if lasted {
            self.backoff = Backoff::default();
        }
        // Another token ends what a token is the reason of.
        let in_vain = self.is_joined() && !self.ready && !lasted && kind != RemoteErrorKind::Unauthorized;
        self.state = State::Out;
        let is_a_refusal = matches!(kind, RemoteErrorKind::Forbidden | RemoteErrorKind::NotFound);
        let growth = if is_a_refusal || in_vain { rhythm.after_a_refusal() } else { rhythm.after_a_fault() };
        self.backoff.failed(now, growth, chance);
        if let Retry::After(wait) = retry {
            self.retry_after = now + wait.min(MAX_RETRY_AFTER);
        }
    }
}
