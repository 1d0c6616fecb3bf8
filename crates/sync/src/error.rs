//! Why a sync did not finish.

use fieldpost_domain::Retry;
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_storage::StorageError;
use std::sync::Arc;

/// Why a sync did not finish. Cheap to clone: everybody who waited for the same pass gets the same error. The list is closed,
/// so that whoever turns it into words of its own cannot mistake a new reason for an old one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SyncError {
    /// Nobody is signed in. What was written is kept and goes out after signing in as the same person.
    #[error("nobody is signed in")]
    SignedOut,
    /// The engine was paused, or sent to the background, before this finished. What was done stays done.
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
    /// Whether trying again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::SignedOut => Retry::AfterReauth,
            Self::Stopped => Retry::Never,
            Self::Storage(error) => error.retry(),
            Self::Remote(error) => error.retry(),
        }
    }

    /// Whether it means that the server is out of reach, as opposed to answering with a refusal.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Remote(error)
            if matches!(error.kind(),
                RemoteErrorKind::Unreachable | RemoteErrorKind::Interrupted | RemoteErrorKind::TimedOut))
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
