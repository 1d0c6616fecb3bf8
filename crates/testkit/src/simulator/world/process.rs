//! One start of the app: the engine with its own handle.

use super::{Character, app_session::AppSession};
use crate::LiveNetwork;
use crate::simulator::{
    interruptible::Interruptible,
    life::{Life, Mortal},
    network::{Beside, ByHand, Habits, Hub, Link},
    troubles::Troubles,
};
use fieldpost_storage::{MemorySecrets, Outbox, Sessions, StorageError, Store, TokensApart};
use fieldpost_sync::{Engine, Env, LiveRhythm, Parts, Rhythm, SyncError};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How often an engine that runs on its own syncs: rarely enough to show a run in which it wrongly waited for its
/// timer.
const RHYTHM: Rhythm = Rhythm {
    foreground: Duration::from_secs(2 * 60),
    live: None,
    background: Duration::from_secs(10 * 60),
    first_wait: Duration::from_secs(1),
    longest_wait: Duration::from_secs(10 * 60),
    deliver: Duration::from_secs(5),
};

/// The settings of the app on a device.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// It syncs on its own.
    pub(crate) by_itself: bool,
    /// It ends with each pass.
    pub(crate) one_shot: bool,
    /// It owns the session.
    pub(crate) owns_session: bool,
    /// How long a message may stay unsent.
    pub(crate) send_ttl: Option<Duration>,
}

pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) who: u64,
    pub(crate) store: Arc<dyn Store>,
    /// Its tokens lie in the keychain.
    pub(crate) keeps_tokens_apart: bool,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) engine: Engine,
    pub(crate) env: Env,
    pub(crate) manner: Manner,
    habits: Arc<Habits>,
    pub(crate) beside: Arc<Beside>,
    paused: AtomicBool,
    life: Life,
}

/// What a process needs to start.
pub(crate) struct Ground {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) troubles: Arc<Troubles>,
    pub(crate) link: Link,
    pub(crate) env: Env,
    pub(crate) live: LiveNetwork,
    /// Where tokens lie; none for the store.
    pub(crate) keychain: Option<MemorySecrets>,
}

impl Process {
    pub(crate) fn start(name: String, who: u64, manner: Manner, owner: &Character, ground: Ground) -> Arc<Self> {
        let Ground { store, hub, troubles, link, env, live, keychain } = ground;
        let roles = Arc::new(Interruptible { store: Arc::clone(&store), troubles, hub, beside: link.beside() });
        let (habits, beside) = (link.habits(), link.beside());
        let link = Arc::new(link);
        let keeps_tokens_apart = keychain.is_some();
        let sessions: Arc<dyn Sessions> = match keychain {
            Some(keychain) => Arc::new(TokensApart::new(roles.clone(), "fieldpost.db", Arc::new(keychain))),
            None => roles.clone(),
        };
        let parts = Parts {
            outbox: roles.clone(),
            replica: roles.clone(),
            sessions,
            turns: store.clone(),
            api: link.clone(),
            auth: link.clone(),
            env: env.clone(),
        };
        let mut engine = Engine::new(parts).with_rhythm(RHYTHM).with_live(Arc::new(live), LiveRhythm::default());
        if let Some(ttl) = manner.send_ttl {
            engine = engine.with_send_ttl(ttl);
        }
        if manner.owns_session {
            engine = engine.with_tokens(Arc::new(AppSession::new(link, owner.credentials.clone())));
        }
        let (paused, life) = (AtomicBool::new(false), Life::new());
        let process = Arc::new(Self {
            name,
            who,
            store,
            keeps_tokens_apart,
            outbox: roles,
            engine,
            env,
            manner,
            habits,
            beside,
            paused,
            life,
        });
        if manner.by_itself {
            let running = Arc::clone(&process);
            tokio::spawn(async move {
                let (syncing, listening) = (running.engine.keep_syncing(), running.engine.keep_live());
                running.run(async { tokio::join!(syncing, listening) }).await
            });
        }
        process
    }

    /// Runs something in the app; none if the app is killed meanwhile.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        Mortal::new(&self.life, work).await
    }

    /// Signs the person in if she is signed out.
    pub(crate) async fn sign_in(&self, owner: &Character) -> Result<(), SyncError> {
        if self.engine.session().is_signed_in().await? {
            return Ok(());
        }
        if self.manner.owns_session {
            self.engine.session_changed().await;
            return Ok(());
        }
        self.engine.sign_in(&owner.credentials).await.map(drop)
    }

    /// Pauses the engine: the app is about to be suspended.
    pub(crate) async fn pause(&self) -> Result<(), StorageError> {
        self.engine.pause().await;
        self.paused.store(true, Ordering::SeqCst);
        self.store.pause().await
    }

    /// Resumes the engine.
    pub(crate) async fn resume(&self) -> Result<(), StorageError> {
        self.store.resume().await?;
        self.paused.store(false, Ordering::SeqCst);
        self.engine.resume();
        Ok(())
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst)
    }

    /// Marks an operation that a person asked for, for as long as the returned value lives.
    pub(crate) fn by_hand(&self) -> ByHand {
        self.habits.by_hand()
    }

    /// The time of its last call to the server, by the observer's clock.
    pub(crate) fn last_call(&self) -> u64 {
        self.habits.last_call()
    }

    /// From now on each refresh of its session is judged, if the engine decides about it.
    pub(crate) fn judge_refreshes(&self) {
        if !self.manner.owns_session {
            self.habits.judge_refreshes();
        }
    }

    /// Its store is wiped, so it loads everything anew.
    pub(crate) fn is_wiped(&self) {
        self.habits.must_load_anew();
    }

    /// How often it had a reason to load everything anew.
    pub(crate) fn loads_anew(&self) -> u64 {
        self.habits.loads_anew()
    }

    /// Records that the pass it was started for is over.
    pub(crate) fn has_synced(&self) {
        if self.manner.one_shot {
            self.life.end_after(0);
        }
    }

    pub(crate) fn kill_after(&self, polls: u16) {
        self.life.end_after(polls);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.life.is_over()
    }
}
