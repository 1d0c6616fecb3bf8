//! Where the tokens of a session lie: the role that an app may fill with the keychain of its platform.
//!
//! By default they lie in the database, with everything else of the session. With a [`SecretStore`], [`TokensApart`] keeps them
//! there, and the database keeps only who is signed in and the name of the secret.

mod apart;
mod memory;
mod pointer;

pub use apart::{TokenPlace, TokensApart};
pub use memory::MemorySecrets;

use async_trait::async_trait;
use fieldpost_domain::{PersonId, Retry, Secret};
use sha2::{Digest as _, Sha256};
use std::{error::Error, fmt, time::Duration};

/// The name of a secret: unique for an account in a file. Lower-case letters, digits and hyphens, at most 80 characters, so that
/// every keychain takes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretName(String);

impl SecretName {
    /// The name of the session of this person in this database; `database` is whatever tells it from others, such as its path.
    /// It is made when a session is first kept. From then on the database remembers it, so the file may be moved.
    #[must_use]
    pub fn of_session(database: &str, person: PersonId) -> Self {
        let digest = Sha256::digest(database.as_bytes());
        let short: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("session-{person}-{short}"))
    }

    /// A name that was written down.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ((1..=80).contains(&text.len()) && text.bytes().all(fits)).then(|| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a secret could not be read, kept or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretErrorKind {
    /// Not now: the device or the keyring is locked, or its service does not answer. Later it may be there.
    Unavailable,
    /// The person or the platform does not allow it.
    Denied,
    /// Another failure.
    Other,
}

/// A failure of a secret store. It contains no secret.
#[derive(Debug)]
pub struct SecretError {
    kind: SecretErrorKind,
    detail: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SecretError {
    /// A failure, with a detail for a person: what the platform says, never a secret.
    #[must_use]
    pub fn new(kind: SecretErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind of failure.
    #[must_use]
    pub const fn kind(&self) -> SecretErrorKind {
        self.kind
    }

    /// Whether trying again can help, and when.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self.kind {
            SecretErrorKind::Unavailable => Retry::After(Duration::from_secs(30)),
            SecretErrorKind::Denied | SecretErrorKind::Other => Retry::Never,
        }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            SecretErrorKind::Unavailable => "the secret store is out of reach now",
            SecretErrorKind::Denied => "the secret store does not allow it",
            SecretErrorKind::Other => "the secret store failed",
        };
        write!(f, "{what}: {}", self.detail)
    }
}

impl Error for SecretError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Keeps small secrets by name: the keychain of a platform, or a double of it. The suite in
/// `conformance::secrets` tells what an implementation must do.
///
/// Several processes may use the same store. A put is whole or not at all, and what it has put is read by the next get of any
/// process.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// What it is, in words for a person: "the keychain of this device".
    fn describe(&self) -> String;

    /// The secret of this name; none if there is none. A store that cannot tell fails: none means that the secret is gone,
    /// and the person has to sign in again.
    ///
    /// # Errors
    /// [`SecretError`]
    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, SecretError>;

    /// Keeps a secret, in place of the former one of this name.
    ///
    /// # Errors
    /// [`SecretError`]; then the former one is still there.
    async fn put(&self, name: &SecretName, secret: &Secret) -> Result<(), SecretError>;

    /// Deletes a secret; one that is not there is deleted already.
    ///
    /// # Errors
    /// [`SecretError`]
    async fn delete(&self, name: &SecretName) -> Result<(), SecretError>;
}
