//! Provides the access token for each call.
//!
//! The session belongs either to Fieldpost, which signs in, stores the tokens and refreshes them (`own`), or to the
//! app, which provides a token for each call (`app`). In both cases, every call carries the token of the person who
//! owns this store.

mod app;
mod identity;
mod own;

pub use app::{ProvidedToken, TokenError, TokenProvider};

use crate::{Env, SyncError};
use app::AppSession;
use fieldpost_domain::{AccessToken, Session};
use fieldpost_remote::{Auth, Credentials, RemoteError, RemoteErrorKind};
use fieldpost_storage::Sessions;
use own::OwnSession;
use std::{fmt, sync::Arc};
use tokio::sync::watch;

/// A token that replaces one which the server rejected.
pub(crate) struct Replacement {
    pub(crate) token: AccessToken,
    /// The token was not refreshed just now. Another caller or process left it, so it may have expired too.
    pub(crate) cached: bool,
}

impl Replacement {
    const fn cached(token: AccessToken) -> Self {
        Self { token, cached: true }
    }

    const fn refreshed(token: AccessToken) -> Self {
        Self { token, cached: false }
    }
}

/// The session of one store, shared by all calls.
pub struct SessionKeeper {
    owner: Owner,
    /// Counts how often the app had a token again. A session of Fieldpost does not come back by itself.
    returned: watch::Sender<u64>,
}

enum Owner {
    Fieldpost(Box<OwnSession>),
    App(Arc<AppSession>),
}

impl SessionKeeper {
    /// Stores its session in `sessions` and renews it with `auth`.
    #[must_use]
    pub fn new(auth: Arc<dyn Auth>, sessions: Arc<dyn Sessions>, env: Env) -> Self {
        let owner = Owner::Fieldpost(Box::new(OwnSession::new(auth, sessions, env)));
        Self { owner, returned: watch::Sender::new(0) }
    }

    /// Asks the app for tokens. `sessions` tells who owns the store; no token is stored.
    #[must_use]
    pub fn of_the_app(tokens: Arc<dyn TokenProvider>, sessions: Arc<dyn Sessions>) -> Self {
        let returned = watch::Sender::new(0);
        Self { owner: Owner::App(Arc::new(AppSession::new(tokens, sessions, returned.clone()))), returned }
    }

    /// Signs in and stores the session.
    ///
    /// # Errors
    /// Those of [`Auth::sign_in`] and [`Sessions::save_session`], for example when the database belongs to another
    /// person. Also when the app owns the session: then the app signs in.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<Session, SyncError> {
        match &self.owner {
            Owner::Fieldpost(session) => session.sign_in(credentials).await,
            Owner::App(_) => {
                let error = RemoteError::new(RemoteErrorKind::BadRequest, "sign_in");
                Err(error.with_detail("the app owns the session: sign in there").into())
            }
        }
    }

    /// Deletes the session here and, if the server can be reached, ends it there. Nothing else changes. A session of
    /// the app is not ended; it is only unused until [`SessionKeeper::look_again`].
    ///
    /// # Errors
    /// Only if the store cannot delete the session.
    pub async fn sign_out(&self) -> Result<(), SyncError> {
        match &self.owner {
            Owner::Fieldpost(session) => session.sign_out().await,
            Owner::App(session) => {
                session.sign_out();
                Ok(())
            }
        }
    }

    /// The app has signed somebody in or out. What was remembered of its session is forgotten.
    pub fn look_again(&self) {
        if let Owner::App(session) = &self.owner {
            session.look_again();
        }
    }

    /// The store was wiped: its session is read anew. A session of the app is none of the store's.
    pub(crate) async fn forget(&self) {
        if let Owner::Fieldpost(session) = &self.owner {
            session.forget().await;
        }
    }

    /// The server refuses this token, which it has issued just now.
    pub(crate) fn new_token_refused(&self, token: &AccessToken) {
        if let Owner::Fieldpost(session) = &self.owner {
            session.new_token_refused(token);
        }
    }

    /// The device's clock is known to be ahead of the server's by so many milliseconds; a session's end is judged by the
    /// server's.
    pub fn clock_is_ahead(&self, millis: Option<i64>) {
        if let Owner::Fieldpost(session) = &self.owner {
            session.clock_is_ahead(millis);
        }
    }

    /// Changes when the app has a token again after it had none. A pass that found none rests until somebody signs in, and
    /// nobody tells the engine if it is another call that finds the new token.
    pub(crate) fn returned(&self) -> watch::Receiver<u64> {
        self.returned.subscribe()
    }

    /// Whether somebody is signed in.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn is_signed_in(&self) -> Result<bool, SyncError> {
        match &self.owner {
            Owner::Fieldpost(session) => session.is_signed_in().await,
            Owner::App(session) => session.is_signed_in().await,
        }
    }

    /// The token to send now.
    ///
    /// # Errors
    /// [`SyncError::SignedOut`] when nobody is signed in.
    pub async fn token(&self) -> Result<AccessToken, SyncError> {
        match &self.owner {
            Owner::Fieldpost(session) => session.token().await,
            Owner::App(session) => session.token().await,
        }
    }

    /// A token that replaces one which the server rejected. Concurrent callers share one refresh.
    ///
    /// # Errors
    /// [`SyncError::SignedOut`] when the session has ended; otherwise the reason why there is no other token.
    pub async fn replace(&self, refused: &AccessToken) -> Result<AccessToken, SyncError> {
        self.replacement(refused).await.map(|replacement| replacement.token)
    }

    pub(crate) async fn replacement(&self, refused: &AccessToken) -> Result<Replacement, SyncError> {
        match &self.owner {
            Owner::Fieldpost(session) => session.replace(refused).await,
            Owner::App(session) => session.replace(refused).await,
        }
    }
}

impl fmt::Debug for SessionKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKeeper").finish_non_exhaustive()
    }
}
