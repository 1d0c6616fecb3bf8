//! One topic on the connection.

use super::LiveRhythm;
use crate::machine::{Moment, backoff::Backoff, schedule::MAX_RETRY_AFTER};
use fieldpost_domain::Retry;
use fieldpost_remote::RemoteErrorKind;

/// A topic and its waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Channel {
    state: State,
    backoff: Backoff,
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
    pub(super) fn is_joined(&self) -> bool {
        self.state == State::Joined
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

    pub(super) fn joined(&mut self) {
        self.state = State::Joined;
        self.backoff = Backoff::default();
    }

    /// The connection is gone; the topic has done nothing wrong.
    pub(super) const fn left(&mut self) {
        self.state = State::Out;
    }

    pub(super) fn try_at_once(&mut self) {
        self.backoff = Backoff::default();
    }

    pub(super) fn refused(
        &mut self,
        now: Moment,
        (kind, retry): (RemoteErrorKind, Retry),
        rhythm: &LiveRhythm,
        chance: u32,
    ) {
        self.state = State::Out;
        let is_a_refusal = matches!(kind, RemoteErrorKind::Forbidden | RemoteErrorKind::NotFound);
        let growth = if is_a_refusal { rhythm.after_a_refusal() } else { rhythm.after_a_fault() };
        self.backoff.failed(now, growth, chance);
        if let Retry::After(wait) = retry {
            self.retry_after = now + wait.min(MAX_RETRY_AFTER);
        }
    }
}
