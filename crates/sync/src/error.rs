//! Why a sync did not finish.

use fieldpost_domain::{
    Retry,
    planted::{PlantedBug, planted},
};
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_storage::StorageError;
use std::sync::Arc;

/// Why a sync did not finish. It is cheap to clone: all callers that share a pass get the same error. The enum is
/// exhaustive, so that code which translates errors must handle every new one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SyncError {
    /// Nobody is signed in. The outbox is kept and is sent after the same person signs in again.
    #[error("nobody is signed in")]
    SignedOut,
    /// The engine was paused or sent to the background before this finished. What it did before is kept.
    #[error("syncing was stopped")]
    Stopped,
    /// The local database failed.
    #[error(transparent)]
    Storage(Arc<StorageError>),
    /// The server could not be reached, or refused the call.
    #[error(transparent)]
    Remote(Arc<RemoteError>),
}

impl SyncError {
    /// Whether trying again can help, and when.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::SignedOut => Retry::AfterReauth,
            Self::Stopped => Retry::Never,
            Self::Storage(error) => error.retry(),
            Self::Remote(error) => match error.kind() {
                RemoteErrorKind::Intercepted | RemoteErrorKind::NotFieldpost
                    if planted(PlantedBug::PortalEndsRunner) =>
                {
                    Retry::Never
                }
                _ => error.retry(),
            },
        }
    }

    /// Whether the server is out of reach, as opposed to refusing the call.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Remote(error)
            if matches!(error.kind(),
                RemoteErrorKind::Unreachable
                    | RemoteErrorKind::Interrupted
                    | RemoteErrorKind::TimedOut
                    | RemoteErrorKind::Intercepted))
    }
}

impl From<StorageError> for SyncError {
    fn from(error: StorageError) -> Self {
        Self::Storage(Arc::new(error))
    }
}

impl From<RemoteError> for SyncError {
    fn from(error: RemoteError) -> Self {
        Self::Remote(Arc::new(error))
    }
}
