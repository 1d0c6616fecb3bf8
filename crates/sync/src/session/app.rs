//! A session that the app owns, because supabase-swift, supabase-kt or supabase-js keeps it already.
//!
//! The engine asks the app for a token before every call, and once more if the server rejects it. No token is stored.
//! The app must say whose token it is. The engine compares that with the owner of the store and with the claims of the
//! token: an app that is just switching accounts must not send one person's outbox as another person.

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
    time::Duration,
};
use tokio::{
    sync::{Mutex, watch},
    task::JoinHandle,
};

/// A token that the app provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedToken {
    /// The user id in the app's session.
    pub person_id: PersonId,
    /// The access token, never the project's public key.
    pub access_token: AccessToken,
}

/// Why the app has no token to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// The app could not renew the session now, for example because there is no network.
    #[error("the app could not renew its session")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// Provides the tokens of a session that the app owns.
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// The token to send now. `refused` is a token that the server has just rejected: return another one, and renew the
    /// session if need be. The engine asks before every call, so answer from memory when possible.
    ///
    /// # Errors
    /// [`TokenError`]. Neither of its values loses anything.
    async fn token(&self, refused: Option<&AccessToken>) -> Result<ProvidedToken, TokenError>;
}

pub(super) struct AppSession {
    tokens: Arc<dyn TokenProvider>,
    sessions: Arc<dyn Sessions>,
    last_answer: Lock<Answered>,
    /// Counts how often the app had a token again after it had none, and has not said so.
    returned: watch::Sender<u64>,
    /// Only its holder may ask the app to replace a token.
    renewing: Mutex<()>,
    /// Whether somebody is signed in.
    question: Mutex<Question>,
}

/// How long [`AppSession::is_signed_in`] waits for the app.
const A_MOMENT: Duration = Duration::from_millis(200);

/// A question to the app that is under way. It ends with the session.
#[derive(Default)]
struct Question(Option<JoinHandle<()>>);

impl Drop for Question {
    fn drop(&mut self) {
        if let Some(asked) = &self.0 {
            asked.abort();
        }
    }
}

/// What the engine remembers of the app's session.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answered {
    /// The app was not asked yet.
    NotAsked,
    /// The app had a token at the last call.
    SignedIn,
    /// The app had none, or no other one than the server had refused.
    SignedOut { refused: Option<AccessToken> },
    /// The person signed out in Fieldpost, so the app is not asked any more.
    SignedOutHere,
}

impl AppSession {
    pub(super) fn new(
        tokens: Arc<dyn TokenProvider>,
        sessions: Arc<dyn Sessions>,
        returned: watch::Sender<u64>,
    ) -> Self {
        let last_answer = Lock::new(Answered::NotAsked);
        Self { tokens, sessions, last_answer, returned, renewing: Mutex::default(), question: Mutex::default() }
    }

    pub(super) fn sign_out(&self) {
        self.set(Answered::SignedOutHere);
    }

    pub(super) fn look_again(&self) {
        self.set(Answered::NotAsked);
    }

    /// Asks the app if it was not asked yet, and waits a moment for its answer. An app may renew its session first, which takes half a
    /// minute on a bad network, and a file has to open meanwhile: whose it is is then taken to be signed in.
    pub(super) async fn is_signed_in(self: &Arc<Self>) -> Result<bool, SyncError> {
        if self.last_answer() == Answered::NotAsked {
            self.ask_for_a_moment().await;
        }
        let has_owner = self.sessions.account().await?.is_some();
        Ok(match self.last_answer() {
            Answered::SignedIn => true,
            Answered::SignedOut { .. } | Answered::SignedOutHere => false,
            // The app cannot answer now, or not soon.
            Answered::NotAsked => has_owner,
        })
    }

    /// A question that takes longer goes on, and the next caller waits for the same one. It is not cancelled: the app may be renewing its
    /// session, and the server may have replaced the refresh token already.
    async fn ask_for_a_moment(self: &Arc<Self>) {
        // Somebody else waits for it already.
        let Ok(mut question) = self.question.try_lock() else { return };
        let (tokens, this) = (Arc::clone(&self.tokens), Arc::downgrade(self));
        let asked = question.0.get_or_insert_with(|| {
            tokio::spawn(async move {
                let answer = tokens.token(None).await;
                if let Some(this) = this.upgrade() {
                    // What it says is recorded; a token is asked for again when it is needed.
                    let _ = this.hear(answer, None).await;
                }
            })
        });
        if tokio::time::timeout(A_MOMENT, asked).await.is_ok() {
            question.0 = None;
        }
    }

    pub(super) async fn token(&self) -> Result<AccessToken, SyncError> {
        self.ask(None).await
    }

    pub(super) async fn replace(&self, refused: &AccessToken) -> Result<Replacement, SyncError> {
        let _turn = self.renewing.lock().await;
        // Another caller may have replaced the token meanwhile.
        let now = self.ask(None).await?;
        if now != *refused {
            return Ok(Replacement::cached(now));
        }
        let other = self.ask(Some(refused)).await?;
        if other == *refused {
            return Err(RemoteError::new(RemoteErrorKind::Unauthorized, "token").into());
        }
        Ok(Replacement::refreshed(other))
    }

    async fn ask(&self, refused: Option<&AccessToken>) -> Result<AccessToken, SyncError> {
        if self.last_answer() == Answered::SignedOutHere {
            return Err(SyncError::SignedOut);
        }
        self.hear(self.tokens.token(refused).await, refused).await
    }

    async fn hear(
        &self,
        answer: Result<ProvidedToken, TokenError>,
        refused: Option<&AccessToken>,
    ) -> Result<AccessToken, SyncError> {
        match answer {
            Ok(provided) => self.check(provided).await,
            Err(TokenError::SignedOut) => {
                self.record(Answered::SignedOut { refused: refused.cloned() })?;
                Err(SyncError::SignedOut)
            }
            Err(error @ TokenError::Unavailable(_)) => {
                Err(RemoteError::new(RemoteErrorKind::Unreachable, "token").with_source(error).into())
            }
        }
    }

    /// Accepts the token only if it belongs to the owner of this store.
    async fn check(&self, provided: ProvidedToken) -> Result<AccessToken, SyncError> {
        match claims(&provided.access_token) {
            Claims::Of(person) if person != provided.person_id => {
                return Err(StorageError::new(StorageErrorKind::WrongAccount, "token").into());
            }
            Claims::Nobody => {
                self.record(Answered::SignedOut { refused: None })?;
                return Err(SyncError::SignedOut);
            }
            Claims::Of(_) | Claims::Unreadable => {}
        }
        self.sessions.claim(provided.person_id).await?;
        let token = provided.access_token;
        // An app that still gives the token whose session has ended has signed nobody in.
        if let Answered::SignedOut { refused } = self.record(Answered::SignedIn)?
            && refused.as_ref() != Some(&token)
        {
            self.returned.send_modify(|returned| *returned += 1);
        }
        Ok(token)
    }

    fn last_answer(&self) -> Answered {
        self.last_answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records what the app answered, unless the person has signed out here meanwhile. Returns its answer before.
    fn record(&self, answer: Answered) -> Result<Answered, SyncError> {
        let mut last = self.last_answer.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == Answered::SignedOutHere {
            return Err(SyncError::SignedOut);
        }
        Ok(std::mem::replace(&mut *last, answer))
    }

    fn set(&self, answer: Answered) {
        *self.last_answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }
}
