//! A session of Fieldpost's own: kept fresh for everybody.
//!
//! Any number of calls may find at the same moment that the access token no longer works. One of them refreshes, the others
//! wait and get the result: refresh tokens rotate, and a second refresh with the same token can end the session. The
//! rotated tokens are stored before they are used, so that a crash in between cannot leave the device with a dead one: the
//! server accepts the parent of a token it has just given.
//!
//! Another process may work on the same database. Before and after a refresh the stored session is looked at again: newer
//! tokens of the other process are taken over, and a session that it signed out stays signed out.
//!
//! What must stay true: no call is ever made without a person's token; only [`RemoteErrorKind::SessionEnded`] signs out;
//! the device's clock alone never judges a token, it only makes a refresh early; whoever only wants to know who is signed
//! in, or signs out, never waits for the network.

use super::Replacement;
use crate::{Env, SyncError};
use chrono::TimeDelta;
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{AccessToken, Session};
use fieldpost_remote::{Auth, Credentials, RemoteErrorKind};
use fieldpost_storage::Sessions;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// How long before its announced end a token is refreshed ahead of time.
const EARLY: TimeDelta = TimeDelta::seconds(60);
const EARLY_BY: Duration = Duration::from_secs(60);

/// The longest lifetime of a token that is believed: the most that Supabase can be set to.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long signing out waits for the server to hear of it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The session of one store, shared by all calls.
pub(super) struct OwnSession {
    auth: Arc<dyn Auth>,
    sessions: Arc<dyn Sessions>,
    env: Env,
    /// Never held while the network is asked.
    current: Mutex<Current>,
    /// Whoever holds it may ask the server for tokens.
    renewing: Mutex<()>,
}

#[derive(Default)]
enum Current {
    #[default]
    NotRead,
    SignedOut,
    /// Read from the store; may have run out since.
    Stored(Session),
    /// Fetched by this process. When to renew it ahead of time is known by a clock that never jumps; none when what the
    /// device's own clock says about its lifetime cannot be true. Then it is used until the server refuses it, so that a
    /// device whose clock is wrong does not refresh before every call.
    Fetched(Session, Option<Instant>),
}

impl OwnSession {
    /// Keeps the session that `sessions` stores, renewing it with `auth`.
    pub(super) fn new(auth: Arc<dyn Auth>, sessions: Arc<dyn Sessions>, env: Env) -> Self {
        Self { auth, sessions, env, current: Mutex::default(), renewing: Mutex::default() }
    }

    /// Signs in and stores the session.
    pub(super) async fn sign_in(&self, credentials: &Credentials) -> Result<Session, SyncError> {
        let _turn = self.renewing.lock().await;
        let session = self.auth.sign_in(credentials).await?;
        let mut current = self.current.lock().await;
        self.sessions.save_session(&session).await?;
        *current = self.fetched(session.clone());
        Ok(session)
    }

    /// Forgets the session here, and ends it on the server if that can be reached. Nothing else is touched.
    pub(super) async fn sign_out(&self) -> Result<(), SyncError> {
        let mut current = self.current.lock().await;
        let session = self.read(&mut current).await?;
        self.sessions.clear_session().await?;
        *current = Current::SignedOut;
        drop(current);
        if let Some(session) = session {
            // The tokens run out by themselves; signing out must work in a basement too.
            let told = tokio::time::timeout(PATIENCE, self.auth.sign_out(&session.access_token)).await;
            if !matches!(told, Ok(Ok(()))) {
                tracing::debug!("the server was not told about signing out");
            }
        }
        Ok(())
    }

    /// Whether somebody is signed in.
    pub(super) async fn is_signed_in(&self) -> Result<bool, SyncError> {
        Ok(self.known().await?.is_some())
    }

    /// The token to send now. It is refreshed ahead of its announced end; if that fails, the old one is tried all the same, since
    /// the device's clock may be wrong.
    pub(super) async fn token(&self) -> Result<AccessToken, SyncError> {
        let (session, runs_out) = {
            let mut current = self.current.lock().await;
            let session = self.read(&mut current).await?.ok_or(SyncError::SignedOut)?;
            let runs_out = match &*current {
                Current::Fetched(_, renew_at) => renew_at.is_some_and(|at| at <= Instant::now()),
                _ => session.expires_at - EARLY <= self.env.now(),
            };
            (session, runs_out)
        };
        if !runs_out {
            return Ok(session.access_token);
        }
        match self.renew(&session).await {
            Ok(renewed) => Ok(renewed.token),
            Err(SyncError::SignedOut) => Err(SyncError::SignedOut),
            Err(error) => {
                tracing::debug!(%error, "refreshing ahead of time failed");
                Ok(session.access_token)
            }
        }
    }

    /// A token in place of one that the server did not accept. Whoever comes second gets what the first has fetched.
    pub(super) async fn replace(&self, refused: &AccessToken) -> Result<Replacement, SyncError> {
        let session = self.known().await?.ok_or(SyncError::SignedOut)?;
        if session.access_token != *refused {
            return Ok(Replacement::found(session.access_token));
        }
        self.renew(&session).await
    }

    async fn renew(&self, old: &Session) -> Result<Replacement, SyncError> {
        let alone = !planted(PlantedBug::RefreshesInParallel);
        let _turn = if alone { Some(self.renewing.lock().await) } else { None };
        if let Some(newer) = self.newer_than(old).await? {
            return Ok(Replacement::found(newer.access_token));
        }
        match self.auth.refresh(&old.refresh_token).await {
            Ok(renewed) => Ok(Replacement::fetched(self.keep(renewed).await?.access_token)),
            Err(error) if error.kind() == RemoteErrorKind::SessionEnded => {
                // It may have ended because another process rotated the tokens first.
                if let Some(newer) = self.newer_than(old).await? {
                    return Ok(Replacement::found(newer.access_token));
                }
                let mut current = self.current.lock().await;
                self.sessions.clear_session().await?;
                *current = Current::SignedOut;
                Err(SyncError::SignedOut)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the store has in place of `old`: tokens that somebody else has fetched meanwhile. Nothing stored means that
    /// somebody signed out.
    async fn newer_than(&self, old: &Session) -> Result<Option<Session>, SyncError> {
        let mut current = self.current.lock().await;
        match self.sessions.session().await? {
            None => {
                *current = Current::SignedOut;
                Err(SyncError::SignedOut)
            }
            Some(stored) if stored.access_token == old.access_token => Ok(None),
            Some(stored) => {
                *current = self.fetched(stored.clone());
                Ok(Some(stored))
            }
        }
    }

    /// Stores renewed tokens, unless the person has signed out while they were fetched.
    async fn keep(&self, renewed: Session) -> Result<Session, SyncError> {
        let mut current = self.current.lock().await;
        if self.sessions.session().await?.is_none() {
            *current = Current::SignedOut;
            return Err(SyncError::SignedOut);
        }
        self.sessions.save_session(&renewed).await?;
        *current = self.fetched(renewed.clone());
        Ok(renewed)
    }

    /// Tokens that are new to this process.
    fn fetched(&self, session: Session) -> Current {
        let lifetime = (session.expires_at - self.env.now()).to_std().ok().filter(|lifetime| *lifetime <= LONGEST);
        let early = |lifetime: Duration| (lifetime / 2).max(lifetime.saturating_sub(EARLY_BY));
        let renew_at = lifetime.map(|lifetime| Instant::now() + early(lifetime));
        Current::Fetched(session, renew_at)
    }

    async fn known(&self) -> Result<Option<Session>, SyncError> {
        let mut current = self.current.lock().await;
        self.read(&mut current).await
    }

    async fn read(&self, current: &mut Current) -> Result<Option<Session>, SyncError> {
        if matches!(current, Current::NotRead) {
            *current = self.sessions.session().await?.map_or(Current::SignedOut, Current::Stored);
        }
        match current {
            Current::Stored(session) | Current::Fetched(session, _) => Ok(Some(session.clone())),
            Current::NotRead | Current::SignedOut => Ok(None),
        }
    }
}
