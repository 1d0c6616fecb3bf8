//! What an app can act on.

use fieldpost_domain::{ContentError, MetadataError, Retry};
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_storage::{NotPossible, StorageError, StorageErrorKind};
use fieldpost_sync::SyncError;
use std::sync::Arc;

/// The result of every call of the SDK.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, by what the app or the person can do about it. The text says so in words.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody is signed in, or the session has ended: ask for the password. What was written is kept.
    #[error("nobody is signed in; sign in first (what was written is kept)")]
    SignedOut,
    /// The password or the address is wrong.
    #[error("wrong e-mail address or password")]
    WrongCredentials,
    /// The server is out of reach. What was written is kept, and goes out with a later sync.
    #[error("{0}; what was written is kept and goes out with the next sync")]
    Offline(#[source] Arc<RemoteError>),
    /// The client was paused, or sent to the background before this finished. What was written is kept.
    #[error("the client is paused; resume it first (what was written is kept)")]
    Paused,
    /// The text cannot be a message.
    #[error(transparent)]
    InvalidContent(#[from] ContentError),
    /// What was attached cannot be sent; nothing was written.
    #[error(transparent)]
    InvalidMetadata(#[from] MetadataError),
    /// There is no such conversation here.
    #[error("there is no such conversation on this device; sync first, or check the id")]
    NotFound,
    /// Nothing like that waits: it was sent, or taken back.
    #[error("nothing like that waits in the outbox: it was sent, or taken back")]
    NotWaiting,
    /// It is on its way to the server, and whether it arrived is not known: sync first, then decide.
    #[error("it is on its way, and whether it arrived is not known yet; sync first, then decide")]
    OutcomeUnknown,
    /// That cannot be done with what waits there. What cannot be sent or edited can still be taken back.
    #[error("that is not possible: {0}")]
    NotPossible(NotPossible),
    /// The first sync has to have happened: until then nothing is known of who is who.
    #[error("this needs a first sync; sync once while there is a network")]
    NotReady,
    /// The server no longer serves this version.
    #[error("the server no longer serves this version; update the app")]
    UpdateRequired,
    /// The database belongs to another account.
    #[error("this database belongs to another account; sign in with that one or use another file")]
    WrongAccount,
    /// The client was not put together completely, or with something that cannot work.
    #[error("{0}")]
    Configuration(String),
    /// The local database failed. Nothing that was accepted is lost.
    #[error(transparent)]
    Storage(Arc<StorageError>),
    /// The server refused, or answered what cannot be read.
    #[error(transparent)]
    Server(Arc<RemoteError>),
}

impl Error {
    /// Whether trying again can help, and when.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::SignedOut => Retry::AfterReauth,
            Self::NotReady | Self::OutcomeUnknown => Retry::WhenOnline,
            Self::Offline(error) | Self::Server(error) => error.retry(),
            Self::Storage(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

impl From<Arc<RemoteError>> for Error {
    fn from(error: Arc<RemoteError>) -> Self {
        match error.kind() {
            RemoteErrorKind::Unreachable | RemoteErrorKind::Interrupted | RemoteErrorKind::TimedOut => {
                Self::Offline(error)
            }
            RemoteErrorKind::WrongCredentials => Self::WrongCredentials,
            RemoteErrorKind::SessionEnded => Self::SignedOut,
            RemoteErrorKind::ClientTooOld => Self::UpdateRequired,
            _ => Self::Server(error),
        }
    }
}

impl From<RemoteError> for Error {
    fn from(error: RemoteError) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<StorageError>> for Error {
    fn from(error: Arc<StorageError>) -> Self {
        match error.kind() {
            StorageErrorKind::NotFound => Self::NotFound,
            StorageErrorKind::WrongAccount => Self::WrongAccount,
            StorageErrorKind::NoAccount => Self::SignedOut,
            StorageErrorKind::NotSynced => Self::NotReady,
            StorageErrorKind::Paused => Self::Paused,
            StorageErrorKind::OutcomeUnknown => Self::OutcomeUnknown,
            StorageErrorKind::NotApplicable(why) => Self::NotPossible(why),
            _ => Self::Storage(error),
        }
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Arc::new(error).into()
    }
}

impl From<SyncError> for Error {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Storage(error) => error.into(),
            SyncError::Remote(error) => error.into(),
            SyncError::Stopped => Self::Paused,
            SyncError::SignedOut => Self::SignedOut,
        }
    }
}
