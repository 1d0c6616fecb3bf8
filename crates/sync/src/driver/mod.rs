//! Carries out what the machine decides.
//!
//! One pass runs at a time. Whoever asks for a pass while one is running waits for the next one, together with everybody else
//! who asks meanwhile: the running pass may already be past the point where it would have seen what the caller wants synced.
//! A caller that goes away stops the pass at its next await; every effect is atomic and every call may be repeated, so the
//! next pass takes up from there.
//!
//! A person who asks for a pass ([`Engine::sync`]) gets one that tries everything. All others are run by the runner
//! ([`Engine::keep_syncing`]), when [`machine::schedule`](crate::machine::schedule) says so.

mod call;
mod execute;
mod history;
mod lifecycle;
mod pass;
mod prefetch;
mod probe;
mod runner;

pub use probe::{CursorHealth, Probe};
pub use runner::Runner;

use crate::{
    Env, SessionKeeper, Status, SyncError, TokenProvider,
    machine::{Expiry, Moment, Rhythm, Schedule, Trigger},
};
use fieldpost_domain::Session;
use fieldpost_remote::{Auth, Credentials, MessagingApi};
use fieldpost_storage::{Outbox, Replica, Sessions, Turns};
use pass::Gate;
use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

/// What an engine is made of.
pub struct Parts {
    /// The queue of mutations.
    pub outbox: Arc<dyn Outbox>,
    /// The copy of what the server has.
    pub replica: Arc<dyn Replica>,
    /// The stored session.
    pub sessions: Arc<dyn Sessions>,
    /// Who may sync the store at a time.
    pub turns: Arc<dyn Turns>,
    /// The server's calls.
    pub api: Arc<dyn MessagingApi>,
    /// The server's sessions.
    pub auth: Arc<dyn Auth>,
    /// Time and chance.
    pub env: Env,
}

/// Syncs one store with one server.
pub struct Engine {
    outbox: Arc<dyn Outbox>,
    replica: Arc<dyn Replica>,
    sessions: Arc<dyn Sessions>,
    turns: Arc<dyn Turns>,
    api: Arc<dyn MessagingApi>,
    session: SessionKeeper,
    env: Env,
    status: watch::Sender<Status>,
    /// Held while what waits is counted and published, so that no count overtakes a later one.
    counting: Mutex<()>,
    /// How many passes were asked for.
    asked: AtomicU64,
    gate: Mutex<Gate>,
    /// When the next pass runs; whoever watches it hears of everything that changes that.
    schedule: watch::Sender<Schedule>,
    /// How long messages may wait.
    expiry: watch::Sender<Expiry>,
    /// What moments are counted from.
    began: Instant,
    /// How often running passes were told to stop.
    stops: watch::Sender<u64>,
}

impl Engine {
    /// An engine at rest. Nothing happens until it is asked to.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let session = SessionKeeper::new(parts.auth, Arc::clone(&parts.sessions), parts.env.clone());
        Self {
            outbox: parts.outbox,
            replica: parts.replica,
            sessions: parts.sessions,
            turns: parts.turns,
            api: parts.api,
            session,
            env: parts.env,
            status: watch::Sender::new(Status::default()),
            counting: Mutex::default(),
            asked: AtomicU64::new(0),
            gate: Mutex::default(),
            schedule: watch::Sender::new(Schedule::new(Rhythm::default())),
            expiry: watch::Sender::new(Expiry::never()),
            began: Instant::now(),
            stops: watch::Sender::new(0),
        }
    }

    /// Sets how often the runner syncs and how long it waits after a failure.
    #[must_use]
    pub fn with_rhythm(self, rhythm: Rhythm) -> Self {
        self.schedule.send_replace(Schedule::new(rhythm));
        self
    }

    /// Does not send what has waited for longer than this: it becomes a dead letter
    /// ([`fieldpost_domain::RefusalCode::Expired`]), with the next pass. Nothing expires unless this is set.
    #[must_use]
    pub fn with_send_ttl(self, ttl: Duration) -> Self {
        self.expiry.send_replace(Expiry::after(ttl, self.env.now(), self.moment()));
        self
    }

    /// Asks the app for tokens, which owns the session, instead of signing in.
    #[must_use]
    pub fn with_tokens(self, tokens: Arc<dyn TokenProvider>) -> Self {
        let session = SessionKeeper::of_the_app(tokens, Arc::clone(&self.sessions));
        Self { session, ..self }
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> &SessionKeeper {
        &self.session
    }

    /// The status, and its changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Reads the counts and the session anew and publishes them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn refresh_status(&self) -> Result<(), SyncError> {
        let state = self.replica.sync_state().await?;
        let signed_in = self.session.is_signed_in().await?;
        self.status.send_modify(|status| {
            status.signed_in = signed_in;
            status.last_success_at = state.last_success_at;
            status.health = state.memory.health;
        });
        self.count().await
    }

    /// Counts what is in the outbox, and publishes that.
    async fn count(&self) -> Result<(), SyncError> {
        let _counting = self.counting.lock().await;
        let counts = self.outbox.counts().await?;
        self.status.send_if_modified(|status| {
            let before = (status.pending, status.failed);
            (status.pending, status.failed) = (counts.pending, counts.failed);
            before != (counts.pending, counts.failed)
        });
        Ok(())
    }

    /// Signs in, and forgets what went wrong before.
    ///
    /// # Errors
    /// As [`SessionKeeper::sign_in`].
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<Session, SyncError> {
        let session = self.session.sign_in(credentials).await?;
        self.trigger(Trigger::SignedIn);
        self.finish_status(None).await;
        Ok(session)
    }

    /// Signs out on this device.
    ///
    /// # Errors
    /// As [`SessionKeeper::sign_out`].
    pub async fn sign_out(&self) -> Result<(), SyncError> {
        self.session.sign_out().await?;
        // Telling the server takes a while, in which somebody may have signed in again.
        if !self.session.is_signed_in().await? {
            self.trigger(Trigger::SignedOut);
        }
        self.finish_status(None).await;
        Ok(())
    }

    /// The app has signed somebody in or out, or renewed its session.
    pub async fn session_changed(&self) {
        self.session.look_again();
        self.trigger(Trigger::SignedIn);
        self.finish_status(None).await;
    }

    /// What was done is done, whether or not it can be told: a status that cannot be read is no failure of its own.
    async fn finish_status(&self, error: Option<&SyncError>) {
        self.status.send_modify(|status| {
            status.bootstrap = None;
            status.last_error = error.cloned();
        });
        if let Err(error) = self.refresh_status().await {
            tracing::warn!(%error, "the status could not be read");
        }
    }

    /// Now, by a clock that never jumps.
    fn moment(&self) -> Moment {
        self.began.elapsed()
    }

    fn trigger(&self, trigger: Trigger) {
        let now = self.moment();
        self.schedule.send_modify(|schedule| schedule.trigger(now, trigger));
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
