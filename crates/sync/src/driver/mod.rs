//! Carries out what the machine decides.
//!
//! One pass runs at a time. If a caller asks for a pass while one is running, it waits for the next one and shares it
//! with all other waiting callers: the running pass may already be past the point where it would see the caller's
//! write. A caller that is dropped stops the pass at its next await. Every effect is atomic and every call may be
//! repeated, so the next pass continues from there.
//!
//! A person's own request ([`Engine::sync`]) always runs a pass, and that pass tries every lane. All other passes are
//! run by the runner ([`Engine::keep_syncing`]) when [`machine::schedule`](crate::machine::schedule) says so.

mod call;
mod execute;
mod history;
mod lifecycle;
mod live;
mod meanwhile;
mod pass;
mod prefetch;
mod probe;
#[cfg(feature = "records")]
pub(crate) mod records;
mod reports;
mod runner;
mod search;

pub use probe::{CursorHealth, Probe};
pub use runner::Runner;

use crate::{
    Env, SessionKeeper, Status, SyncError, TokenProvider,
    machine::{Expiry, Live, LiveRhythm, Moment, Rhythm, Schedule, Trigger, live::Writing},
};
use fieldpost_domain::{ConversationId, Session};
use fieldpost_remote::{Auth, Credentials, LiveHints, MessagingApi};
use fieldpost_storage::{Outbox, Replica, Sessions, Turns};
use pass::Gate;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex as Lock, atomic::AtomicU64},
    time::Duration,
};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

/// The parts that an engine is built from.
pub struct Parts {
    /// The outbox.
    pub outbox: Arc<dyn Outbox>,
    /// The copy of the server's rows.
    pub replica: Arc<dyn Replica>,
    /// The stored session.
    pub sessions: Arc<dyn Sessions>,
    /// Decides which process may sync the store.
    pub turns: Arc<dyn Turns>,
    /// The server's messaging calls.
    pub api: Arc<dyn MessagingApi>,
    /// The server's sign-in calls.
    pub auth: Arc<dyn Auth>,
    /// The clock and the randomness.
    pub env: Env,
}

/// Syncs one store with one server.
pub struct Engine {
    outbox: Arc<dyn Outbox>,
    replica: Arc<dyn Replica>,
    sessions: Arc<dyn Sessions>,
    turns: Arc<dyn Turns>,
    api: Arc<dyn MessagingApi>,
    session: Arc<SessionKeeper>,
    env: Env,
    status: watch::Sender<Status>,
    /// Held from counting the outbox until the counts are published, so that an old count never replaces a newer one.
    counting: Mutex<()>,
    /// Counts local writes; a pass under way pushes them.
    writes: watch::Sender<u64>,
    /// How many passes callers have requested.
    requested: AtomicU64,
    gate: Mutex<Gate>,
    /// Decides when the next pass runs. The runner watches it for changes.
    schedule: watch::Sender<Schedule>,
    /// Where hints come from; none if they are switched off.
    hints: Option<Arc<dyn LiveHints>>,
    /// Decides what becomes of the live connection.
    live: watch::Sender<Live>,
    /// Who is writing, where somebody looks.
    writing: watch::Sender<Writing>,
    /// Where somebody looks who is writing, and how many do.
    watched: Lock<BTreeMap<ConversationId, u32>>,
    /// How long messages may wait.
    expiry: watch::Sender<Expiry>,
    /// The moment zero of the schedule.
    started: Instant,
    /// How often running passes were asked to stop.
    stop_requests: watch::Sender<u64>,
}

impl Engine {
    /// A new engine. It does nothing until it is asked to.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let session = Arc::new(SessionKeeper::new(parts.auth, Arc::clone(&parts.sessions), parts.env.clone()));
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
            writes: watch::Sender::new(0),
            requested: AtomicU64::new(0),
            gate: Mutex::default(),
            schedule: watch::Sender::new(Schedule::new(Rhythm::default())),
            hints: None,
            live: watch::Sender::new(Live::new(LiveRhythm::default())),
            writing: watch::Sender::default(),
            watched: Lock::default(),
            expiry: watch::Sender::new(Expiry::never()),
            started: Instant::now(),
            stop_requests: watch::Sender::new(0),
        }
    }

    /// Sets how often the runner syncs and how long it waits after a failure.
    #[must_use]
    pub fn with_rhythm(self, rhythm: Rhythm) -> Self {
        self.schedule.send_replace(Schedule::new(rhythm));
        self
    }

    /// Listens for hints while the runner runs, so that what others do is here at once. Whether the server has them, a pass
    /// finds out.
    #[must_use]
    pub fn with_live(self, hints: Arc<dyn LiveHints>, rhythm: LiveRhythm) -> Self {
        self.live.send_replace(Live::new(rhythm));
        Self { hints: Some(hints), ..self }
    }

    /// Sets the ttl. A message that has waited longer is not sent: the next pass makes it a dead letter
    /// ([`fieldpost_domain::RefusalCode::Expired`]). Without this, nothing expires.
    #[must_use]
    pub fn with_send_ttl(self, ttl: Duration) -> Self {
        self.expiry.send_replace(Expiry::after(ttl, self.env.now(), self.moment()));
        self
    }

    /// Uses the session of the app, which gives the tokens. The engine then does not sign in.
    #[must_use]
    pub fn with_tokens(self, tokens: Arc<dyn TokenProvider>) -> Self {
        let session = Arc::new(SessionKeeper::of_the_app(tokens, Arc::clone(&self.sessions)));
        Self { session, ..self }
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionKeeper {
        &self.session
    }

    /// The session, to share it with a [`crate::RecordEngine`] of the same store.
    #[cfg(feature = "records")]
    #[must_use]
    pub fn shared_session(&self) -> Arc<SessionKeeper> {
        Arc::clone(&self.session)
    }

    /// The status; the receiver sees every change.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Reads the counts and the session again and publishes them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn refresh_status(&self) -> Result<(), SyncError> {
        let state = self.replica.sync_state().await?;
        let signed_in = self.session.is_signed_in().await?;
        self.want_hints(&state, signed_in).await?;
        self.status.send_modify(|status| {
            status.signed_in = signed_in;
            status.last_success_at = state.last_success_at;
            status.health = state.memory.health;
        });
        self.count().await
    }

    /// Counts the outbox entries and publishes the counts.
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

    /// Signs in, and clears the last error.
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
        // Ending the session on the server takes a while; the person may have signed in again meanwhile.
        if !self.session.is_signed_in().await? {
            self.trigger(Trigger::SignedOut);
        }
        self.finish_status(None).await;
        Ok(())
    }

    /// The app has signed somebody in or out, or has renewed its session.
    pub async fn session_changed(&self) {
        self.session.look_again();
        self.trigger(Trigger::SignedIn);
        self.finish_status(None).await;
    }

    /// Publishes the result. If the status cannot be read, that is logged only: the operation itself has succeeded or
    /// failed already.
    async fn finish_status(&self, error: Option<&SyncError>) {
        self.status.send_modify(|status| {
            status.bootstrap = None;
            status.last_error = error.cloned();
        });
        if let Err(error) = self.refresh_status().await {
            tracing::warn!(%error, "the status could not be read");
        }
    }

    /// The current moment, by the monotonic clock.
    fn moment(&self) -> Moment {
        self.started.elapsed()
    }

    fn trigger(&self, trigger: Trigger) {
        let now = self.moment();
        self.schedule.send_modify(|schedule| schedule.trigger(now, trigger));
        self.change_live(|live| live.trigger(trigger));
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
