//! Signing in and staying signed in.

use crate::RemoteResult;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, RefreshToken, Session};
use std::fmt;

/// An e-mail address and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The address.
    pub email: String,
    /// The password; never shown.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Makes and renews sessions.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Auth: Send + Sync {
    /// Signs in with a password.
    ///
    /// # Errors
    /// [`crate::RemoteErrorKind::WrongCredentials`] when the server knows no such pair.
    async fn sign_in(&self, credentials: &Credentials) -> RemoteResult<Session>;

    /// Trades a refresh token for a new session. The refresh token rotates; one whose answer was lost may be sent again.
    ///
    /// # Errors
    /// [`crate::RemoteErrorKind::SessionEnded`] when the server no longer accepts it.
    async fn refresh(&self, token: &RefreshToken) -> RemoteResult<Session>;

    /// Ends the session on the server. Safe to skip: the tokens run out by themselves.
    async fn sign_out(&self, token: &AccessToken) -> RemoteResult<()>;
}
