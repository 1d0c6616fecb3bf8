//! What can go wrong in a store.

use fieldpost_domain::Retry;
use std::{error::Error, fmt, time::Duration};

/// The result of every method of the contract.
pub type StorageResult<T> = Result<T, StorageError>;

/// Why something cannot be done with what waits in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotPossible {
    /// It is no message, so it has no text.
    #[error("only a message can be edited")]
    NoMessage,
    /// It is a read mark.
    #[error("what was read stays read")]
    AlreadyRead,
    /// Somebody else wrote it, in a file that several people used.
    #[error("another person wrote it")]
    AnotherPersons,
    /// There is no place to send it to.
    #[error("its conversation is not on this device any more")]
    ConversationGone,
    /// The message that it changes is not here.
    #[error("its message is not on this device any more")]
    MessageGone,
    /// The message is deleted.
    #[error("it is deleted")]
    Deleted,
    /// The message is too large to travel, so part of it is missing here.
    #[error("it is not here as a whole")]
    Incomplete,
    /// A newer version wrote it.
    #[error("this version cannot read it; a newer one can, or cancel it")]
    Unreadable,
}

/// What kind of failure it is; decides what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// There is no such conversation, message or person here.
    NotFound,
    /// The file belongs to another account: one database per account.
    WrongAccount,
    /// Nobody has signed in to this file: it is nobody's.
    NoAccount,
    /// Nothing was ever synced: who is who is not known yet.
    NotSynced,
    /// Somebody else moved the sync position in between; read it again.
    Superseded,
    /// The mutation has left for the server and its answer is not here: what has happened to it must be known first.
    OutcomeUnknown,
    /// That cannot be done with this mutation.
    NotApplicable(NotPossible),
    /// Another process holds the file; it may be free soon.
    Busy,
    /// The disk is full.
    Full,
    /// The file or its folder cannot be written.
    ReadOnly,
    /// The file cannot be opened: no such folder, or no permission.
    CannotOpen,
    /// The file is no database of this kind.
    NotADatabase,
    /// The file was written by a newer version of Fieldpost.
    NewerSchema,
    /// The file is damaged.
    Corrupt,
    /// The store was let go of; take it back first ([`crate::Store::resume`]).
    Paused,
    /// The store was closed.
    Closed,
    /// Anything else.
    Other,
}

/// A failure of the store. It says what was being done, never with what content.
#[derive(Debug)]
pub struct StorageError {
    kind: StorageErrorKind,
    operation: &'static str,
    detail: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StorageError {
    /// A failure of `operation` (the name of a contract method, or "open").
    #[must_use]
    pub const fn new(kind: StorageErrorKind, operation: &'static str) -> Self {
        Self { kind, operation, detail: None, source: None }
    }

    /// Adds what a person needs to know: a path, an id, a version. No content, no token.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// What was being done.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// What a person needs to know about it.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Whether trying again can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self.kind {
            StorageErrorKind::Busy => Retry::After(Duration::from_millis(250)),
            StorageErrorKind::Superseded => Retry::After(Duration::ZERO),
            StorageErrorKind::OutcomeUnknown => Retry::WhenOnline,
            // Somebody has to make room first, which takes a while.
            StorageErrorKind::Full => Retry::After(Duration::from_secs(30)),
            _ => Retry::Never,
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StorageErrorKind::NotFound => "there is no such row in the local database",
            StorageErrorKind::WrongAccount => {
                "this database belongs to another account; sign in with that one or use another file"
            }
            StorageErrorKind::NoAccount => "nobody has signed in to this database; sign in first",
            StorageErrorKind::NotSynced => "this database was never synced; sync once while there is a network",
            StorageErrorKind::Superseded => "another process synced this database meanwhile",
            StorageErrorKind::OutcomeUnknown => {
                "it is on its way to the server, and whether it arrived is not known yet; sync first, then decide"
            }
            StorageErrorKind::NotApplicable(why) => {
                return write!(f, "that is not possible: {why} ({})", self.operation);
            }
            StorageErrorKind::Busy => "the local database is in use by another process",
            StorageErrorKind::Full => "the disk is full; free some space, nothing that was accepted is lost",
            StorageErrorKind::ReadOnly => "the local database cannot be written",
            StorageErrorKind::CannotOpen => "the local database cannot be opened",
            StorageErrorKind::NotADatabase => "the file is not a Fieldpost database",
            StorageErrorKind::NewerSchema => "the file was written by a newer Fieldpost; update this app to open it",
            StorageErrorKind::Corrupt => "the local database is damaged",
            StorageErrorKind::Paused => "the local database is paused; resume it first",
            StorageErrorKind::Closed => "the local database is closed",
            StorageErrorKind::Other => "the local database failed",
        };
        write!(f, "{what} ({})", self.operation)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl Error for StorageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
