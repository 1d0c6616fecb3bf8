//! A session that Fieldpost owns and keeps fresh for all callers.
//!
//! Many calls may find at the same moment that the access token has expired. One of them refreshes it and the others
//! wait for the result: refresh tokens rotate, and a second refresh with the same token can end the session. The
//! rotated tokens are stored before they are used. A crash before that is harmless, because the server accepts the
//! parent of the token that it issued last.
//!
//! Another process may use the same database. Before and after a refresh the stored session is read again: newer tokens
//! of another process are adopted, and a session that another process signed out stays signed out.
//!
//! The tokens may lie in a secret store that is out of reach for a while, as the keychain of a locked device is. It is asked before
//! the server is asked for new tokens, so that none are issued that could not be kept.
//!
//! These rules must hold:
//!
//! * No call is made without a person's token.
//! * Only [`RemoteErrorKind::SessionEnded`] signs out.
//! * The device clock may trigger an early refresh, but never invalidates a token.
//! * A secret store that is out of reach signs nobody out.
//! * Asking who is signed in, and signing out, never wait for a refresh.

use super::Replacement;
use crate::{Env, SyncError};
use chrono::TimeDelta;
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{AccessToken, Session, Time};
use fieldpost_remote::{Auth, Credentials, RemoteError, RemoteErrorKind};
use fieldpost_storage::{Sessions, StorageErrorKind};
use std::{
    sync::{
        Arc, Mutex as Lock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// How long before its stated expiry a token is refreshed.
const REFRESH_EARLY: TimeDelta = TimeDelta::seconds(60);
const REFRESH_EARLY_BY: Duration = Duration::from_secs(60);

/// The longest token lifetime that is plausible: the maximum of Supabase.
const MAX_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long to wait before another token is fetched for one that the server refused when it was new. It would refuse the
/// next one as well, and asking for one with every pass would only fill its table of refresh tokens.
const NEXT_TRY: Duration = Duration::from_secs(60);

/// How long signing out waits for the server.
const SIGN_OUT_TIMEOUT: Duration = Duration::from_secs(3);

/// The session of one store, shared by all calls.
pub(super) struct OwnSession {
    auth: Arc<dyn Auth>,
    sessions: Arc<dyn Sessions>,
    env: Env,
    /// Never held during a network call.
    current: Mutex<Current>,
    /// Only its holder may ask the server for tokens.
    renewing: Mutex<()>,
    /// By how much the device's clock is ahead of the server's.
    clock_ahead_ms: AtomicI64,
    /// A token that the server refused right after it had issued it, and when that was.
    refused_when_new: Lock<Option<(AccessToken, Instant)>>,
}

#[derive(Default)]
enum Current {
    #[default]
    NotRead,
    SignedOut,
    /// Read from the store; it may have expired since.
    Stored(Session),
    /// Fetched by this process.
    Fetched(Session, Fetched),
}

/// When tokens were fetched, by both clocks.
#[derive(Debug, Clone, Copy)]
struct Fetched {
    at: Instant,
    device_time: Time,
}

impl Fetched {
    /// When they are refreshed early, by the monotonic clock. It is none when the device clock makes the lifetime
    /// implausible. Then the token is used until the server rejects it, so that a device with a wrong clock does not refresh
    /// before every call. Once a call has told by how much the clock is wrong, the same tokens have a plausible lifetime.
    fn renew_at(self, expires_at: Time, clock_ahead: TimeDelta) -> Option<Instant> {
        let fetched_at = self.device_time.checked_sub_signed(clock_ahead)?;
        let lifetime = (expires_at - fetched_at).to_std().ok().filter(|lifetime| *lifetime <= MAX_LIFETIME)?;
        self.at.checked_add((lifetime / 2).max(lifetime.saturating_sub(REFRESH_EARLY_BY)))
    }
}

impl OwnSession {
    /// Stores its session in `sessions` and renews it with `auth`.
    pub(super) fn new(auth: Arc<dyn Auth>, sessions: Arc<dyn Sessions>, env: Env) -> Self {
        Self {
            auth,
            sessions,
            env,
            current: Mutex::default(),
            renewing: Mutex::default(),
            clock_ahead_ms: AtomicI64::new(0),
            refused_when_new: Lock::default(),
        }
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

    /// Deletes the session here and, if the server can be reached, ends it there. Nothing else changes.
    pub(super) async fn sign_out(&self) -> Result<(), SyncError> {
        let mut current = self.current.lock().await;
        let session = match self.read(&mut current).await {
            // The server is not told; the tokens expire by themselves.
            Err(error) if is_out_of_reach(&error) => None,
            session => session?,
        };
        self.sessions.clear_session().await?;
        *current = Current::SignedOut;
        drop(current);
        if let Some(session) = session {
            // Signing out must work offline. The tokens expire by themselves.
            let ended = tokio::time::timeout(SIGN_OUT_TIMEOUT, self.auth.sign_out(&session.access_token)).await;
            if !matches!(ended, Ok(Ok(()))) {
                tracing::debug!("the server was not ended about signing out");
            }
        }
        Ok(())
    }

    /// The store was wiped, and with it a session that began meanwhile.
    pub(super) async fn forget(&self) {
        *self.current.lock().await = Current::NotRead;
    }

    /// Whether somebody is signed in.
    pub(super) async fn is_signed_in(&self) -> Result<bool, SyncError> {
        match self.known().await {
            // There is a session, whose tokens cannot be read now.
            Err(error) if is_out_of_reach(&error) => Ok(true),
            known => Ok(known?.is_some()),
        }
    }

    /// The token to send now. It is refreshed shortly before its stated expiry. If that fails, the old token is used,
    /// because the device clock may be wrong.
    pub(super) async fn token(&self) -> Result<AccessToken, SyncError> {
        let (session, refresh_due) = {
            let mut current = self.current.lock().await;
            let session = self.read(&mut current).await?.ok_or(SyncError::SignedOut)?;
            let refresh_due = match &*current {
                Current::Fetched(_, fetched) => {
                    let renew_at = fetched.renew_at(session.expires_at, self.clock_ahead());
                    renew_at.is_some_and(|at| at <= Instant::now())
                }
                _ => session.expires_at - REFRESH_EARLY <= self.server_now(),
            };
            (session, refresh_due)
        };
        if !refresh_due {
            return Ok(session.access_token);
        }
        match self.renew(&session).await {
            Ok(renewed) => Ok(renewed.token),
            Err(SyncError::SignedOut) => Err(SyncError::SignedOut),
            Err(error) => {
                tracing::debug!(%error, "the early refresh failed");
                Ok(session.access_token)
            }
        }
    }

    /// A token that replaces one which the server rejected. Concurrent callers share one refresh.
    pub(super) async fn replace(&self, refused: &AccessToken) -> Result<Replacement, SyncError> {
        let session = self.known().await?.ok_or(SyncError::SignedOut)?;
        if session.access_token != *refused {
            return Ok(Replacement::cached(session.access_token));
        }
        if self.was_refused_when_new(refused) && self.newer_than(&session).await?.is_none() {
            return Err(RemoteError::new(RemoteErrorKind::NewTokenRefused, "token").into());
        }
        self.renew(&session).await
    }

    /// The server refuses this token, which it has issued just now.
    pub(super) fn new_token_refused(&self, token: &AccessToken) {
        let refused = Some((token.clone(), Instant::now()));
        *self.refused_when_new.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    fn was_refused_when_new(&self, token: &AccessToken) -> bool {
        let refused = self.refused_when_new.lock().unwrap_or_else(PoisonError::into_inner);
        let recently = refused.as_ref().is_some_and(|(last, at)| last == token && at.elapsed() < NEXT_TRY);
        recently && !planted(PlantedBug::RefreshesForEver)
    }

    async fn renew(&self, old: &Session) -> Result<Replacement, SyncError> {
        let alone = !planted(PlantedBug::RefreshesInParallel);
        let _turn = if alone { Some(self.renewing.lock().await) } else { None };
        if let Some(newer) = self.newer_than(old).await? {
            return Ok(Replacement::cached(newer.access_token));
        }
        match self.auth.refresh(&old.refresh_token).await {
            Ok(renewed) => Ok(Replacement::refreshed(self.keep(renewed).await?.access_token)),
            Err(error) if error.kind() == RemoteErrorKind::SessionEnded => {
                // Another process may have rotated the tokens first.
                if let Some(newer) = self.newer_than(old).await? {
                    return Ok(Replacement::cached(newer.access_token));
                }
                let mut current = self.current.lock().await;
                self.sessions.clear_session().await?;
                *current = Current::SignedOut;
                Err(SyncError::SignedOut)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The stored tokens, if another caller or process has replaced `old` meanwhile. If none are stored, somebody
    /// signed out.
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

    /// Stores the renewed tokens, unless the person signed out during the refresh.
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

    /// Marks tokens as fetched by this process now.
    fn fetched(&self, session: Session) -> Current {
        Current::Fetched(session, Fetched { at: Instant::now(), device_time: self.env.now() })
    }

    pub(super) fn clock_is_ahead(&self, millis: Option<i64>) {
        self.clock_ahead_ms.store(millis.unwrap_or(0), Ordering::Relaxed);
    }

    /// The server's time, as far as it is known.
    fn server_now(&self) -> Time {
        let now = self.env.now();
        now.checked_sub_signed(self.clock_ahead()).unwrap_or(now)
    }

    fn clock_ahead(&self) -> TimeDelta {
        TimeDelta::try_milliseconds(self.clock_ahead_ms.load(Ordering::Relaxed)).unwrap_or_default()
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

/// Somebody is signed in, and the secret store does not give the tokens.
fn is_out_of_reach(error: &SyncError) -> bool {
    matches!(error, SyncError::Storage(error)
        if matches!(error.kind(), StorageErrorKind::SecretsOutOfReach | StorageErrorKind::SecretsRefused))
}
