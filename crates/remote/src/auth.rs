//! Signing in and staying signed in.

use crate::RemoteResult;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, Password, RefreshToken, Session};
use std::fmt;

/// An e-mail address and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The address.
    pub email: String,
    /// The password; never printed.
    pub password: Password,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Creates and renews sessions.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Auth: Send + Sync {
    /// Signs in with a password.
    ///
    /// # Errors
    /// [`crate::RemoteErrorKind::WrongCredentials`] when no account has this address and password.
    async fn sign_in(&self, credentials: &Credentials) -> RemoteResult<Session>;

    /// Exchanges a refresh token for a new session; single use. If the response is lost, the same token may be sent
    /// again.
    ///
    /// # Errors
    /// [`crate::RemoteErrorKind::SessionEnded`] when the server no longer accepts the token.
    async fn refresh(&self, token: &RefreshToken) -> RemoteResult<Session>;

    /// Ends the session on the server. Skipping this call is safe: the tokens expire on their own.
    async fn sign_out(&self, token: &AccessToken) -> RemoteResult<()>;
}
