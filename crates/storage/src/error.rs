//! The errors of a store.

use fieldpost_domain::Retry;
use std::{error::Error, fmt, time::Duration};

/// The result of every method of the contract.
pub type StorageResult<T> = Result<T, StorageError>;

/// Why an operation is not possible for a mutation or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotPossible {
    /// The mutation has no text.
    #[error("only a message can be edited")]
    NoMessage,
    /// The mutation is a read mark.
    #[error("a read mark cannot be undone")]
    AlreadyRead,
    /// Another person wrote it; several people have used this file.
    #[error("another person wrote it")]
    AnotherPersons,
    /// It is the person's own, and nobody reports themselves.
    #[error("it is one's own message")]
    Own,
    /// The conversation is no longer stored.
    #[error("its conversation is no longer on this device")]
    ConversationGone,
    /// The message that the mutation changes is no longer stored.
    #[error("its message is no longer on this device")]
    MessageGone,
    /// The message is deleted.
    #[error("it is deleted")]
    Deleted,
    /// The person has given the message as many reactions as allowed ([`fieldpost_domain::REACTIONS_MAX`]).
    #[error("it has 20 reactions of one person, which is the most")]
    TooManyReactions,
    /// Part of the message was above its limit and is missing here.
    #[error("part of it is missing on this device")]
    Incomplete,
    /// The conversation is a broadcast, in which only admins write.
    #[error("only admins write broadcasts")]
    ReadOnly,
    /// The message that it replies to is in another conversation.
    #[error("the message that it replies to is in another conversation")]
    RepliesElsewhere,
    /// It mentions somebody who may not see the conversation.
    #[error("it mentions somebody who may not see the conversation")]
    MentionNotAllowed,
    /// The text of a draft is no content of a message: it is blank, too long, or has a character that no server stores.
    #[error("its text cannot be sent")]
    NotSendable,
    /// A newer version wrote the mutation.
    #[error("this version cannot read it; update the app, or cancel it")]
    Unreadable,
}

/// The kind of failure. It decides what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// There is no such conversation, message, person or mutation.
    NotFound,
    /// The database belongs to another person: each person needs a database of their own.
    WrongAccount,
    /// Nobody has signed in to this database.
    NoAccount,
    /// The store was never synced, so nobody is known yet.
    NotSynced,
    /// Another process has moved the sync position; read it again.
    Superseded,
    /// The mutation was sent and there is no response yet, so the outcome must be known first.
    OutcomeUnknown,
    /// The operation is not possible for this mutation or message.
    NotApplicable(NotPossible),
    /// The fields of a record, or the conditions of a query, do not fit the declaration of the table.
    InvalidRecord,
    /// The declaration of a table is not accepted.
    Declaration,
    /// Another process holds the file. It may be free soon.
    Busy,
    /// The disk is full.
    Full,
    /// The file or its folder cannot be written.
    ReadOnly,
    /// The file cannot be opened: no such folder, or no permission.
    CannotOpen,
    /// The path is none of a file. Nothing was looked for, or made.
    InvalidPath,
    /// The file is not a Fieldpost database.
    NotADatabase,
    /// The file is encrypted, and no key was given.
    KeyMissing,
    /// The file cannot be read with this key: it is another one's, or the beginning of the file is damaged.
    WrongKey,
    /// A key was given, and the file is not encrypted.
    NotEncrypted,
    /// A key was given, and this build cannot encrypt.
    NoEncryption,
    /// The file was written by a newer version of Fieldpost.
    NewerSchema,
    /// The file is damaged.
    Corrupt,
    /// The tokens of the session lie in a secret store that is out of reach now, as the keychain of a locked device is. Nobody
    /// is signed out by that.
    SecretsOutOfReach,
    /// The secret store that the tokens lie in, or are to lie in, refuses or fails; or none was given.
    SecretsRefused,
    /// The store is paused; call [`crate::Store::resume`] first.
    Paused,
    /// The store is closed.
    Closed,
    /// Another failure.
    Other,
}

/// A failure of the store. It names the operation, but contains no content.
#[derive(Debug)]
pub struct StorageError(Box<Parts>);

/// On the heap, so that a result is small: most are none, and each is handed on by many.
#[derive(Debug)]
struct Parts {
    kind: StorageErrorKind,
    operation: &'static str,
    detail: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StorageError {
    /// A failure of `operation`: the name of a method of the contract, or "open".
    #[must_use]
    pub fn new(kind: StorageErrorKind, operation: &'static str) -> Self {
        Self(Box::new(Parts { kind, operation, detail: None, source: None }))
    }

    /// Adds a detail for a person: a path, an id or a version, never content or a token.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> StorageErrorKind {
        self.0.kind
    }

    /// The operation that failed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The detail for a person.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Whether trying again can help, and when.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self.0.kind {
            StorageErrorKind::Busy => Retry::After(Duration::from_millis(250)),
            StorageErrorKind::Superseded => Retry::After(Duration::ZERO),
            StorageErrorKind::OutcomeUnknown => Retry::WhenOnline,
            // Somebody must make room first, and that takes a while.
            // So it is here: the person must unlock the device.
            StorageErrorKind::Full | StorageErrorKind::SecretsOutOfReach => Retry::After(Duration::from_secs(30)),
            _ => Retry::Never,
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.0.kind {
            StorageErrorKind::NotFound => "there is no such row in the local database",
            StorageErrorKind::WrongAccount => {
                "this database belongs to another account; sign in with that one or use another file"
            }
            StorageErrorKind::NoAccount => "nobody has signed in to this database; sign in first",
            StorageErrorKind::NotSynced => "this database was never synced; sync once while there is a network",
            StorageErrorKind::Superseded => "another process synced this database meanwhile",
            StorageErrorKind::OutcomeUnknown => {
                "it was sent, and the outcome is not known yet; sync first, then decide"
            }
            StorageErrorKind::NotApplicable(why) => {
                return write!(f, "not possible: {why} ({})", self.0.operation);
            }
            StorageErrorKind::InvalidRecord => "the record does not fit the declaration of its table",
            StorageErrorKind::Declaration => "the declaration of a table is not accepted",
            StorageErrorKind::Busy => "the local database is in use by another process",
            StorageErrorKind::Full => "the disk is full; free some space, nothing that was accepted is lost",
            StorageErrorKind::ReadOnly => "the local database cannot be written",
            StorageErrorKind::CannotOpen => "the local database cannot be opened",
            StorageErrorKind::InvalidPath => "the path is none of a file",
            StorageErrorKind::NotADatabase => "the file is not a Fieldpost database",
            StorageErrorKind::KeyMissing => "the file is encrypted; open it with its key",
            StorageErrorKind::WrongKey => {
                "the file cannot be read with this key: it has another one, or its beginning is damaged; nothing was changed"
            }
            StorageErrorKind::NotEncrypted => {
                "the file is not encrypted, and a key was given; encrypt it first, or open it without a key"
            }
            StorageErrorKind::NoEncryption => {
                "a key was given, and this build cannot encrypt; build it with the feature `encryption`"
            }
            StorageErrorKind::NewerSchema => "the file was written by a newer Fieldpost; update this app to open it",
            StorageErrorKind::Corrupt => "the local database is damaged",
            StorageErrorKind::SecretsOutOfReach => {
                "the tokens of the session cannot be read now (is the device or its keyring locked?); nobody is signed out, and \
                 everything local works"
            }
            StorageErrorKind::SecretsRefused => {
                "the tokens of the session cannot be read or kept; nobody is signed out, and everything local works"
            }
            StorageErrorKind::Paused => "the local database is paused; resume it first",
            StorageErrorKind::Closed => "the local database is closed",
            StorageErrorKind::Other => "the local database failed",
        };
        write!(f, "{what} ({})", self.0.operation)?;
        self.0.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl Error for StorageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
