//! The error of every call.

use fieldpost::{Error, StorageErrorKind};
use std::time::Duration;

/// The result of every call.
pub type Result<T> = std::result::Result<T, FieldpostError>;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum FieldpostError {
    /// The call has failed.
    #[error("{reason}")]
    Failed {
        /// For programs.
        kind: ErrorKind,
        /// Whether and when the same call can succeed.
        retry: RetryAdvice,
        /// For people, in English. It has no content and no token.
        reason: String,
    },
}

/// The same as data, for what is told beside a call: to listeners, in a status or a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Failure {
    /// For programs.
    pub kind: ErrorKind,
    /// Whether and when the same can succeed.
    pub retry: RetryAdvice,
    /// For people.
    pub reason: String,
}

/// The kind of failure, by what the app or the person can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ErrorKind {
    /// Nobody is signed in, or the session has ended: ask for the password. Local changes are kept.
    SignedOut,
    /// The password or the address is wrong.
    WrongCredentials,
    /// The server is out of reach. Local changes are kept, and a later sync sends them.
    Offline,
    /// The client is paused.
    Paused,
    /// The client was shut down.
    Closed,
    /// An argument is none: the text of an id or a name, a time that no calendar has.
    InvalidArgument,
    /// The text is not valid for a message.
    InvalidContent,
    /// The text is no emoji.
    InvalidEmoji,
    /// The words of a report are not valid.
    InvalidReport,
    /// The metadata is not valid.
    InvalidMetadata,
    /// The message mentions too many people.
    TooManyMentions,
    /// A retention keeps nothing.
    InvalidRetention,
    /// The subject of a broadcast is too long.
    SubjectTooLong,
    /// The fields of a record do not fit its table, or a rule of it.
    InvalidRecord,
    /// A stored record does not fit its model.
    UnreadableRecord,
    /// No such conversation, message or record on this device.
    NotFound,
    /// No such report.
    NoSuchReport,
    /// Only an admin may do this.
    NotAllowed,
    /// The project's SQL is too old for this.
    NeedsServer,
    /// No such outbox entry: it was sent or cancelled.
    NotWaiting,
    /// It is in flight: sync first, then decide.
    OutcomeUnknown,
    /// The outbox entry, message or conversation does not allow this.
    NotPossible,
    /// This needs a first sync.
    NotReady,
    /// The server no longer serves this version.
    UpdateRequired,
    /// The database belongs to another account.
    WrongAccount,
    /// A setting is missing or invalid.
    Configuration,
    /// Another process holds the file.
    Busy,
    /// The disk is full.
    DiskFull,
    /// The file cannot be opened or written.
    FileNotAccessible,
    /// The file is no database of Fieldpost.
    NotADatabase,
    /// The file is encrypted, and no key was given.
    KeyMissing,
    /// This is not the key of the file.
    WrongKey,
    /// A key was given, and the file is not encrypted.
    NotEncrypted,
    /// A key was given, and this build cannot encrypt.
    NoEncryption,
    /// A newer version has written the file.
    NewerFile,
    /// The file is damaged.
    Damaged,
    /// The keychain that the tokens lie in is out of reach now. Nobody is signed out by that.
    SecretsOutOfReach,
    /// The keychain refuses or fails.
    SecretsRefused,
    /// Another failure of the database. No accepted change is lost.
    Storage,
    /// The server refused, or its response could not be read.
    Server,
    /// A fault of the library.
    Internal,
}

/// What must happen before the same call can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RetryAdvice {
    /// Waiting does not help.
    Never,
    /// This much time must pass.
    After {
        /// How much.
        wait: Duration,
    },
    /// The server must be reachable.
    WhenOnline,
    /// The person must sign in again.
    AfterSignIn,
}

impl FieldpostError {
    /// A failure that waiting does not help.
    pub(crate) fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        Self::Failed { kind, retry: RetryAdvice::Never, reason: reason.into() }
    }

    pub(crate) fn argument(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, reason)
    }

    /// The program knows this kind, so it is none that this version does not know.
    pub(crate) fn unknown_kind() -> Self {
        Self::argument("a kind that this version does not know cannot be asked for")
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the client was shut down; open a new one")
    }
}

impl From<FieldpostError> for Failure {
    fn from(error: FieldpostError) -> Self {
        let FieldpostError::Failed { kind, retry, reason } = error;
        Self { kind, retry, reason }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        FieldpostError::from(error).into()
    }
}

impl From<Error> for FieldpostError {
    fn from(error: Error) -> Self {
        Self::Failed { kind: kind(&error), retry: error.retry().into(), reason: error.to_string() }
    }
}

impl From<fieldpost::StorageError> for FieldpostError {
    fn from(error: fieldpost::StorageError) -> Self {
        Error::from(error).into()
    }
}

impl From<fieldpost::Retry> for RetryAdvice {
    fn from(retry: fieldpost::Retry) -> Self {
        match retry {
            fieldpost::Retry::Never => Self::Never,
            fieldpost::Retry::After(wait) => Self::After { wait },
            fieldpost::Retry::WhenOnline => Self::WhenOnline,
            fieldpost::Retry::AfterReauth => Self::AfterSignIn,
        }
    }
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::SignedOut => ErrorKind::SignedOut,
        Error::WrongCredentials => ErrorKind::WrongCredentials,
        Error::Offline(_) => ErrorKind::Offline,
        Error::Paused => ErrorKind::Paused,
        Error::InvalidRecord(_) => ErrorKind::InvalidRecord,
        Error::UnreadableRecord(_) => ErrorKind::UnreadableRecord,
        Error::InvalidContent(_) => ErrorKind::InvalidContent,
        Error::InvalidEmoji(_) => ErrorKind::InvalidEmoji,
        Error::InvalidReport(_) => ErrorKind::InvalidReport,
        Error::InvalidMetadata(_) => ErrorKind::InvalidMetadata,
        Error::TooManyMentions => ErrorKind::TooManyMentions,
        Error::InvalidSearch(_) => ErrorKind::InvalidArgument,
        Error::InvalidRetention => ErrorKind::InvalidRetention,
        Error::SubjectTooLong => ErrorKind::SubjectTooLong,
        Error::NotFound => ErrorKind::NotFound,
        Error::NoSuchReport => ErrorKind::NoSuchReport,
        Error::NotAllowed => ErrorKind::NotAllowed,
        Error::NeedsServer(_) => ErrorKind::NeedsServer,
        Error::NotWaiting => ErrorKind::NotWaiting,
        Error::OutcomeUnknown => ErrorKind::OutcomeUnknown,
        Error::NotPossible(_) => ErrorKind::NotPossible,
        Error::NotReady => ErrorKind::NotReady,
        Error::UpdateRequired => ErrorKind::UpdateRequired,
        Error::WrongAccount => ErrorKind::WrongAccount,
        Error::Configuration(_) => ErrorKind::Configuration,
        Error::Storage(error) => of_storage(error.kind()),
        Error::Server(_) => ErrorKind::Server,
        // The SDK may get kinds that this layer does not know yet.
        _ => ErrorKind::Internal,
    }
}

const fn of_storage(kind: StorageErrorKind) -> ErrorKind {
    match kind {
        StorageErrorKind::Busy => ErrorKind::Busy,
        StorageErrorKind::Full => ErrorKind::DiskFull,
        StorageErrorKind::ReadOnly | StorageErrorKind::CannotOpen => ErrorKind::FileNotAccessible,
        StorageErrorKind::InvalidPath => ErrorKind::InvalidArgument,
        StorageErrorKind::NotADatabase => ErrorKind::NotADatabase,
        StorageErrorKind::KeyMissing => ErrorKind::KeyMissing,
        StorageErrorKind::WrongKey => ErrorKind::WrongKey,
        StorageErrorKind::NotEncrypted => ErrorKind::NotEncrypted,
        StorageErrorKind::NoEncryption => ErrorKind::NoEncryption,
        StorageErrorKind::NewerSchema => ErrorKind::NewerFile,
        StorageErrorKind::Corrupt => ErrorKind::Damaged,
        StorageErrorKind::SecretsOutOfReach => ErrorKind::SecretsOutOfReach,
        StorageErrorKind::SecretsRefused => ErrorKind::SecretsRefused,
        StorageErrorKind::Closed => ErrorKind::Closed,
        StorageErrorKind::Declaration => ErrorKind::Configuration,
        StorageErrorKind::InvalidRecord => ErrorKind::InvalidRecord,
        _ => ErrorKind::Storage,
    }
}
