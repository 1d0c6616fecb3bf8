//! A session that the app owns: supabase-swift, supabase-kt and supabase-js keep one already.
//!
//! The app is asked for a token for every call, and once more when the server did not accept it. No token is stored. Whose
//! token it is has to be told with it, is compared with whose store this is, and with what the token says about itself: an
//! app that is just switching accounts must not send one person's outbox in the name of another.

use super::{
    Replacement,
    identity::{Claims, claims},
};
use crate::SyncError;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, PersonId};
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_storage::{Sessions, StorageError, StorageErrorKind};
use std::{
    error::Error,
    sync::{Arc, Mutex as Lock, PoisonError},
};
use tokio::sync::Mutex;

/// A token that the app gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedToken {
    /// Whose it is: the id of the user in the app's session.
    pub person_id: PersonId,
    /// The access token. Never the project's public key.
    pub access_token: AccessToken,
}

/// Why the app has no token to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// The session could not be renewed right now, for example because there is no network.
    #[error("the app could not renew its session")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// Gives the tokens of a session that the app owns.
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// The token to send now. `refused` is one that the server has just not accepted: give another, renewing the session if
    /// need be. It is asked for before every call, so it should answer from memory when it can.
    ///
    /// # Errors
    /// [`TokenError`]; nothing is lost by either.
    async fn token(&self, refused: Option<&AccessToken>) -> Result<ProvidedToken, TokenError>;
}

pub(super) struct AppSession {
    tokens: Arc<dyn TokenProvider>,
    sessions: Arc<dyn Sessions>,
    known: Lock<Known>,
    /// Whoever holds it may ask for another token.
    renewing: Mutex<()>,
}

/// What is remembered of the app's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It was never asked.
    Nothing,
    /// It had a token when it was last asked.
    SignedIn,
    /// It had none.
    SignedOut,
    /// It is not asked any more: the person has signed out here.
    Left,
}

impl AppSession {
    pub(super) fn new(tokens: Arc<dyn TokenProvider>, sessions: Arc<dyn Sessions>) -> Self {
        Self { tokens, sessions, known: Lock::new(Known::Nothing), renewing: Mutex::default() }
    }

    pub(super) fn sign_out(&self) {
        self.know(Known::Left);
    }

    pub(super) fn look_again(&self) {
        self.know(Known::Nothing);
    }

    pub(super) async fn is_signed_in(&self) -> Result<bool, SyncError> {
        if self.known() == Known::Nothing {
            return match self.token().await {
                Ok(_) => Ok(true),
                Err(SyncError::SignedOut) => Ok(false),
                // It cannot be asked right now; whoever was signed in before still is.
                Err(_) => Ok(self.sessions.account().await?.is_some()),
            };
        }
        Ok(self.known() == Known::SignedIn)
    }

    pub(super) async fn token(&self) -> Result<AccessToken, SyncError> {
        self.ask(None).await
    }

    pub(super) async fn replace(&self, refused: &AccessToken) -> Result<Replacement, SyncError> {
        let _turn = self.renewing.lock().await;
        // Somebody else may have had it replaced meanwhile.
        let now = self.ask(None).await?;
        if now != *refused {
            return Ok(Replacement::found(now));
        }
        let other = self.ask(Some(refused)).await?;
        if other == *refused {
            return Err(RemoteError::new(RemoteErrorKind::Unauthorized, "token").into());
        }
        Ok(Replacement::fetched(other))
    }

    async fn ask(&self, refused: Option<&AccessToken>) -> Result<AccessToken, SyncError> {
        if self.known() == Known::Left {
            return Err(SyncError::SignedOut);
        }
        match self.tokens.token(refused).await {
            Ok(provided) => self.check(provided).await,
            Err(TokenError::SignedOut) => {
                self.learn(Known::SignedOut)?;
                Err(SyncError::SignedOut)
            }
            Err(error @ TokenError::Unavailable(_)) => {
                Err(RemoteError::new(RemoteErrorKind::Unreachable, "token").with_source(error).into())
            }
        }
    }

    /// Only a token of the person whose store this is.
    async fn check(&self, provided: ProvidedToken) -> Result<AccessToken, SyncError> {
        match claims(&provided.access_token) {
            Claims::Of(person) if person != provided.person_id => {
                return Err(StorageError::new(StorageErrorKind::WrongAccount, "token").into());
            }
            Claims::Nobody => {
                self.learn(Known::SignedOut)?;
                return Err(SyncError::SignedOut);
            }
            Claims::Of(_) | Claims::Unreadable => {}
        }
        self.sessions.claim(provided.person_id).await?;
        self.learn(Known::SignedIn)?;
        Ok(provided.access_token)
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what the app has answered, unless the person has signed out here since it was asked.
    fn learn(&self, known: Known) -> Result<(), SyncError> {
        let mut before = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == Known::Left {
            return Err(SyncError::SignedOut);
        }
        *before = known;
        Ok(())
    }

    fn know(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}
