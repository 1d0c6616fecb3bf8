//! The wait that the server named: it is for both lanes.

use crate::SyncError;
use fieldpost_domain::Retry;
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use std::{
    sync::{Mutex as Lock, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The longest wait that is honoured, as in [`crate::machine::schedule`].
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Until when no call is made.
#[derive(Debug, Default)]
pub(super) struct Waits(Lock<Option<Instant>>);

impl Waits {
    /// The server answered with this error.
    pub(super) fn note(&self, error: &RemoteError) {
        if let (RemoteErrorKind::RateLimited, Retry::After(wait)) = (error.kind(), error.retry()) {
            let wait = wait.min(LONGEST);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait);
        }
    }

    /// Whether a call may be made now.
    pub(super) fn check(&self) -> Result<(), SyncError> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match until {
            Some(until) if until > Instant::now() => {
                let left = until - Instant::now();
                Err(RemoteError::new(RemoteErrorKind::RateLimited, "records").with_retry_after(left).into())
            }
            _ => Ok(()),
        }
    }

    /// A person asks for a sync: it always tries.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
