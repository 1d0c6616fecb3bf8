//! A session that the app owns.

use crate::listening::{Asked, OfTheApp, name_of_thrown};
use async_trait::async_trait;
use fieldpost::{AccessToken, PersonId, ProvidedToken};
use std::{fmt, time::Duration};
use tokio::time::timeout;

/// How long an answer of the app may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A token of the app's session. It prints nothing.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Display)]
pub struct SessionToken {
    /// The user id in the app's session.
    pub person_id: PersonId,
    /// The access token, never the project's public key.
    pub access_token: String,
}

impl fmt::Display for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// Why the app has no token to give.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum TokenError {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// The session could not be renewed now, for example because there is no network.
    #[error("{reason}")]
    Unavailable {
        /// Why. No token is in it.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TokenError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // What an app throws may have a token, so its text goes no further.
        Self::Unavailable { reason: format!("the app's token provider has thrown {}", name_of_thrown(&error.reason)) }
    }
}

/// Provides the tokens of a session that the app owns ([`fieldpost::TokenProvider`]).
#[uniffi::export(callback_interface)]
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// The token to send now. `refused` is a token that the server has just rejected: return another one, and renew the session if
    /// need be. It is asked before every call, so answer from memory when possible.
    ///
    /// # Errors
    /// [`TokenError`]. Neither of its values loses anything.
    async fn token(&self, refused: Option<String>) -> Result<SessionToken, TokenError>;
}

/// A provider of the app as one of the SDK. It waits only so long: an app whose event loop is over never answers.
pub(crate) struct TokensOfTheApp {
    app: OfTheApp<Box<dyn TokenProvider>>,
    limit: Duration,
}

impl TokensOfTheApp {
    pub(crate) fn new(app: Box<dyn TokenProvider>, limit: Option<Duration>) -> Self {
        Self { app: OfTheApp::new(app), limit: limit.unwrap_or(LIMIT) }
    }
}

#[async_trait]
impl fieldpost::TokenProvider for TokensOfTheApp {
    async fn token(&self, refused: Option<&AccessToken>) -> Result<ProvidedToken, fieldpost::TokenError> {
        let unavailable = |reason: String| fieldpost::TokenError::Unavailable(reason.into());
        let ended = || unavailable("the app has ended".to_owned());
        let app = self.app.get().ok_or_else(ended)?;
        let asked = Asked::new(app.token(refused.map(|token| token.reveal().to_owned())));
        match timeout(self.limit, asked).await {
            Ok(Some(Ok(token))) => {
                Ok(ProvidedToken { person_id: token.person_id, access_token: AccessToken::new(token.access_token) })
            }
            Ok(Some(Err(TokenError::SignedOut))) => Err(fieldpost::TokenError::SignedOut),
            Ok(Some(Err(TokenError::Unavailable { reason }))) => Err(unavailable(reason)),
            Ok(None) => Err(ended()),
            Err(_) => Err(unavailable("the app gave no token in time".to_owned())),
        }
    }
}
