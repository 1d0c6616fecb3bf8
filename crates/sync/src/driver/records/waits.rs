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
        self.named().map_or(Ok(()), |error| Err(error.into()))
    }

    /// The answer to a call that is not made; none if it may be made now.
    pub(super) fn named(&self) -> Option<RemoteError> {
        let until = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        Some(RemoteError::new(RemoteErrorKind::RateLimited, "records").with_retry_after(left))
    }

    /// A person asks for a sync: it always tries.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
