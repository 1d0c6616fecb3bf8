//! The role that keeps the session.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{PersonId, Session};

/// Keeps the tokens of the signed-in person, and whose database this is.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The session; none when signed out.
    async fn session(&self) -> StorageResult<Option<Session>>;

    /// Keeps a session: of a first sign-in, or the rotated tokens of a refresh, which must be stored before they are used. The
    /// first one makes the database that person's for good.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::WrongAccount`] when the database is another person's.
    async fn save_session(&self, session: &Session) -> StorageResult<()>;

    /// Makes the database this person's for good, as [`Sessions::save_session`] does, but keeps no tokens: for an app that
    /// owns the session itself. Claiming one's own changes nothing.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::WrongAccount`] when the database is another person's.
    async fn claim(&self, person: PersonId) -> StorageResult<()>;

    /// Forgets the tokens. The outbox and everything else stays.
    async fn clear_session(&self) -> StorageResult<()>;

    /// Whose database this is; none before the first sign-in.
    async fn account(&self) -> StorageResult<Option<PersonId>>;
}
