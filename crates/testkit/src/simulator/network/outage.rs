//! What is wrong with the whole server for a while.

use super::habits::is_of_the_session;
use fieldpost_remote::RemoteErrorKind;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// Fieldpost's functions are missing.
    Missing,
    /// It refuses every token, even one that it has just issued.
    Tokens,
}

/// What is wrong now.
#[derive(Debug, Default)]
pub(crate) struct Outages(Mutex<Vec<(Outage, Instant)>>);

impl Outages {
    /// For this long, this is wrong.
    pub(crate) fn begin(&self, outage: Outage, lasting: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((outage, Instant::now() + lasting));
    }

    /// Everything is right again.
    pub(crate) fn heal(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn is(&self, outage: Outage) -> bool {
        let now = Instant::now();
        let outages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outages.iter().any(|(what, until)| *what == outage && now < *until)
    }

    pub(super) fn refuses_tokens(&self) -> bool {
        self.is(Outage::Tokens)
    }

    /// The server's answer to a call that arrives now, if it is not the real one.
    pub(super) fn answer(&self, call: &str) -> Option<RemoteErrorKind> {
        if is_of_the_session(call) {
            None
        } else if self.is(Outage::Missing) {
            Some(RemoteErrorKind::NotFieldpost)
        } else if self.is(Outage::Tokens) {
            Some(RemoteErrorKind::Unauthorized)
        } else {
            None
        }
    }
}
