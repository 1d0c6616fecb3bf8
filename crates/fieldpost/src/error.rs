//! The errors of the SDK.

use fieldpost_domain::{
    Capability, ContentError, EmojiError, MENTIONS_MAX, MetadataError, ReportError, Retry, SearchTextError,
};
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_storage::{NotPossible, StorageError, StorageErrorKind};
use fieldpost_sync::SyncError;
use std::sync::Arc;

/// The result of every call of the SDK.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, classified by what the app or the person can do about it. The text says so in words.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody is signed in, or the session has ended: ask for the password. Local changes are kept.
    #[error("nobody is signed in; sign in first (local changes are kept)")]
    SignedOut,
    /// The password or the address is wrong.
    #[error("wrong e-mail address or password")]
    WrongCredentials,
    /// The server is out of reach. Local changes are kept, and a later sync sends them.
    #[error("{0}; local changes are kept, and the next sync sends them")]
    Offline(#[source] Arc<RemoteError>),
    /// The client was paused, or sent to the background before this finished. Local changes are kept.
    #[error("the client is paused; resume it first (local changes are kept)")]
    Paused,
    /// The fields do not fit the declaration of their table, or break a rule of its model; nothing was written.
    #[cfg(feature = "records")]
    #[error(transparent)]
    InvalidRecord(fieldpost_domain::records::FieldError),
    /// A stored record does not fit its typed model. Its untyped handle shows it.
    #[cfg(feature = "records")]
    #[error(transparent)]
    UnreadableRecord(fieldpost_domain::records::clinical::ModelError),
    /// The text is not valid for a message.
    #[error(transparent)]
    InvalidContent(#[from] ContentError),
    /// The text is no emoji; nothing was written.
    #[error(transparent)]
    InvalidEmoji(#[from] EmojiError),
    /// The words of a report are not valid; nothing was written.
    #[error(transparent)]
    InvalidReport(#[from] ReportError),
    /// The metadata is not valid; nothing was written.
    #[error(transparent)]
    InvalidMetadata(#[from] MetadataError),
    /// The message mentions too many people; nothing was written.
    #[error("a message can mention {MENTIONS_MAX} people at most")]
    TooManyMentions,
    /// The text to search for is too long.
    #[error(transparent)]
    InvalidSearch(#[from] SearchTextError),
    /// A retention keeps zero messages or days.
    #[error("a retention of zero keeps nothing; leave it out to keep everything")]
    InvalidRetention,
    /// The subject of a broadcast is too long; nothing was written.
    #[error("a subject can have 500 characters at most")]
    SubjectTooLong,
    /// No such conversation or message on this device.
    #[error("there is no such conversation or message on this device; sync first, or check the id")]
    NotFound,
    /// No such report in the orgs that the person administers.
    #[error("there is no such report, or it is not yours to see")]
    NoSuchReport,
    /// Only an admin may do this.
    #[error("only an admin of the organization may do this")]
    NotAllowed,
    /// The project's SQL is too old for this.
    #[error("this needs a server that knows {0}: upgrade its SQL")]
    NeedsServer(Capability),
    /// No such outbox entry: it was sent or cancelled.
    #[error("no such outbox entry: it was sent or cancelled")]
    NotWaiting,
    /// It is in flight, and may already have reached the server: sync first, then decide.
    #[error("it is in flight and may have reached the server; sync first, then decide")]
    OutcomeUnknown,
    /// The outbox entry does not allow this. One that cannot be sent or edited can still be cancelled.
    #[error("not possible: {0}")]
    NotPossible(NotPossible),
    /// This needs the first sync: before it the people are not known.
    #[error("this needs a first sync; sync once with a network")]
    NotReady,
    /// The server no longer serves this version.
    #[error("the server no longer serves this version; update the app")]
    UpdateRequired,
    /// The database belongs to another account.
    #[error("this database belongs to another account; sign in with that one or use another file")]
    WrongAccount,
    /// A setting of the builder is missing or invalid.
    #[error("{0}")]
    Configuration(String),
    /// The local database failed. No accepted change is lost.
    #[error(transparent)]
    Storage(Arc<StorageError>),
    /// The server refused, or its response could not be read.
    #[error(transparent)]
    Server(Arc<RemoteError>),
}

impl Error {
    /// Whether and when a retry can succeed.
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
            RemoteErrorKind::Unreachable
            | RemoteErrorKind::Interrupted
            | RemoteErrorKind::TimedOut
            | RemoteErrorKind::Intercepted => Self::Offline(error),
            RemoteErrorKind::WrongCredentials => Self::WrongCredentials,
            RemoteErrorKind::SessionEnded => Self::SignedOut,
            RemoteErrorKind::ClientTooOld => Self::UpdateRequired,
            RemoteErrorKind::Forbidden => Self::NotAllowed,
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
            #[cfg(feature = "records")]
            StorageErrorKind::InvalidRecord => invalid_record(error),
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

/// The fault of the fields, if the store names it.
#[cfg(feature = "records")]
fn invalid_record(error: Arc<StorageError>) -> Error {
    let source = std::error::Error::source(&*error);
    match source.and_then(|source| source.downcast_ref::<fieldpost_domain::records::FieldError>()) {
        Some(fault) => Error::InvalidRecord(fault.clone()),
        None => Error::Storage(error),
    }
}
