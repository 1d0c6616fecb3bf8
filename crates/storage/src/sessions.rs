//! The role that keeps the session.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{PersonId, Session};

/// Keeps the tokens of the signed-in person, and the owner of the database.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The session; none when signed out.
    async fn session(&self) -> StorageResult<Option<Session>>;

    /// Stores a session: of a sign-in, or the rotated tokens of a refresh, which must be stored before they are used.
    /// The first session makes its person the owner of the database.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::WrongAccount`] when the database belongs to another person.
    async fn save_session(&self, session: &Session) -> StorageResult<()>;

    /// Makes this person the owner of the database, like [`Sessions::save_session`], but stores no tokens: for an app
    /// that owns the session. If the person is the owner already, nothing changes.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::WrongAccount`] when the database belongs to another person.
    async fn claim(&self, person: PersonId) -> StorageResult<()>;

    /// Takes care that no tokens of a former session are left where the database keeps its past: in a log, or in free pages. It
    /// may be called at any time; where there is no such past it does nothing.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Busy`] when somebody else still reads that past; call it again later.
    async fn forget_former_sessions(&self) -> StorageResult<()>;

    /// Deletes the tokens. The outbox and everything else stay.
    async fn clear_session(&self) -> StorageResult<()>;

    /// The owner of the database; none before the first sign-in.
    async fn account(&self) -> StorageResult<Option<PersonId>>;
}
