//! Whose token goes with a call.
//!
//! A session belongs either to Fieldpost, which signs in, stores the tokens and renews them (`own`), or to the app, which is
//! asked for a token whenever one is sent (`app`). What holds for both: no call is ever made without a person's token, and
//! never with another person's than the one whose store this is.

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

/// A token in place of one that the server did not accept.
pub(crate) struct Replacement {
    pub(crate) token: AccessToken,
    /// Nobody asked the server for it just now: somebody else had left it, who knows when, and it may have run out as well.
    pub(crate) found: bool,
}

impl Replacement {
    const fn found(token: AccessToken) -> Self {
        Self { token, found: true }
    }

    const fn fetched(token: AccessToken) -> Self {
        Self { token, found: false }
    }
}

/// The session of one store, shared by all calls.
pub struct SessionKeeper {
    owner: Owner,
}

enum Owner {
    Fieldpost(Box<OwnSession>),
    App(AppSession),
}

impl SessionKeeper {
    /// Keeps the session that `sessions` stores, renewing it with `auth`.
    #[must_use]
    pub fn new(auth: Arc<dyn Auth>, sessions: Arc<dyn Sessions>, env: Env) -> Self {
        Self { owner: Owner::Fieldpost(Box::new(OwnSession::new(auth, sessions, env))) }
    }

    /// Asks the app for tokens. `sessions` knows whose store it is; no token is stored.
    #[must_use]
    pub fn of_the_app(tokens: Arc<dyn TokenProvider>, sessions: Arc<dyn Sessions>) -> Self {
        Self { owner: Owner::App(AppSession::new(tokens, sessions)) }
    }

    /// Signs in and stores the session.
    ///
    /// # Errors
    /// As [`Auth::sign_in`] and [`Sessions::save_session`]: notably when the database is another person's. When the app owns
    /// the session, it is the app that signs in.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<Session, SyncError> {
        match &self.owner {
            Owner::Fieldpost(session) => session.sign_in(credentials).await,
            Owner::App(_) => {
                let error = RemoteError::new(RemoteErrorKind::BadRequest, "sign_in");
                Err(error.with_detail("the app owns the session, and signs in itself").into())
            }
        }
    }

    /// Forgets the session here, and ends it on the server if that can be reached. Nothing else is touched. A session of the
    /// app's is not ended, but not used any more until [`SessionKeeper::look_again`].
    ///
    /// # Errors
    /// Only if the store cannot forget it.
    pub async fn sign_out(&self) -> Result<(), SyncError> {
        match &self.owner {
            Owner::Fieldpost(session) => session.sign_out().await,
            Owner::App(session) => {
                session.sign_out();
                Ok(())
            }
        }
    }

    /// The app has signed somebody in or out: what is remembered of that is forgotten.
    pub fn look_again(&self) {
        if let Owner::App(session) = &self.owner {
            session.look_again();
        }
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
    /// [`SyncError::SignedOut`] when there is none.
    pub async fn token(&self) -> Result<AccessToken, SyncError> {
        match &self.owner {
            Owner::Fieldpost(session) => session.token().await,
            Owner::App(session) => session.token().await,
        }
    }

    /// A token in place of one that the server did not accept. Whoever comes second gets what the first has fetched.
    ///
    /// # Errors
    /// [`SyncError::SignedOut`] when the session has ended; else why there is no other one.
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
