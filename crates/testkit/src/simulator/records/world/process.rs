//! One start of the app: both engines with their own handle.

use super::Sides;
use crate::{
    SeededEntropy,
    network::Courier,
    simulator::{
        clocks::RunningClock,
        interruptible::Interruptible,
        life::{Life, Mortal},
        network::{ByHand, Habits, Link, Tracks},
        records::{
            interruptible::InterruptibleRecords,
            link::{Failures, MessageLink, RecordLink, Shared},
            truth::Run,
            urgent::Urgent,
        },
        troubles::Troubles,
        world::Character,
    },
};
use fieldpost_domain::{MutationId, records::ClockId};
use fieldpost_storage::{Outbox, StorageError, Store, memory::MemoryStore};
use fieldpost_sync::{Coordinator, Engine, Env, Parts, RecordEngine, RecordParts, Rhythm, SyncError};
use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How often engines that run on their own sync: rarely enough to show a run in which one wrongly waited for its timer.
const RHYTHM: Rhythm = Rhythm {
    foreground: Duration::from_secs(2 * 60),
    live: None,
    background: Duration::from_secs(10 * 60),
    first_wait: Duration::from_secs(1),
    longest_wait: Duration::from_secs(10 * 60),
    deliver: Duration::from_secs(5),
};

/// The settings of the app on a device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) sides: Sides,
    /// It syncs on its own.
    pub(super) by_itself: bool,
    /// It ends with each pass.
    pub(super) one_shot: bool,
}

/// What a process needs to start.
pub(super) struct Ground {
    pub(super) name: String,
    pub(super) device: usize,
    pub(super) owner: Character,
    /// The number of the start, and a seed of its own.
    pub(super) start: (u64, u64),
    pub(super) store: Arc<MemoryStore>,
    pub(super) clock: Arc<RunningClock>,
    pub(super) networks: [Arc<Courier>; 2],
    pub(super) troubles: [Arc<Troubles>; 2],
    pub(super) shared: Arc<Shared>,
}

pub(in crate::simulator::records) struct Process {
    pub(in crate::simulator::records) name: String,
    pub(in crate::simulator::records) store: Arc<MemoryStore>,
    /// The roles of records that a person uses.
    pub(super) records: Arc<InterruptibleRecords>,
    /// The role of messages that a person uses.
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) coordinator: Coordinator,
    /// For ids of records and their changes.
    pub(super) env: Env,
    /// For those of messages.
    pub(super) message_env: Env,
    pub(super) manner: Manner,
    pub(super) urgent: Arc<Urgent>,
    pub(super) failures: Arc<Failures>,
    habits: [Arc<Habits>; 2],
    paused: AtomicBool,
    life: Life,
}

impl Process {
    pub(super) fn start(manner: Manner, ground: Ground) -> Arc<Self> {
        let Ground { name, device, owner, start: (who, seed), store, clock, networks, troubles, shared } = ground;
        let env = |part: u64| Env::new(clock.clone(), Arc::new(SeededEntropy::new(seed.wrapping_mul(2) ^ part)));
        let (record_env, message_env) = (env(0), env(1));
        let [record_network, message_network] = networks;
        let [record_troubles, message_troubles] = troubles;
        let as_store: Arc<dyn Store> = store.clone();
        let link = |network: Arc<Courier>| {
            let tracks = Arc::<Tracks>::default();
            Arc::new(Link::new(Arc::clone(&shared.hub), name.clone(), (network, Arc::clone(&as_store)), tracks, who))
        };
        let (record_link, message_link) = (link(record_network), link(message_network));
        let habits = [record_link.habits(), message_link.habits()];
        let (urgent, failures) = (Arc::<Urgent>::default(), Arc::<Failures>::default());
        let roles = Arc::new(Interruptible {
            store: as_store,
            troubles: message_troubles,
            hub: Arc::clone(&shared.hub),
            beside: message_link.beside(),
        });
        let api = MessageLink {
            shared: Arc::clone(&shared),
            device,
            link: Arc::clone(&message_link),
            urgent: Arc::clone(&urgent),
        };
        let engine = Engine::new(Parts {
            outbox: roles.clone(),
            replica: roles.clone(),
            sessions: roles.clone(),
            turns: store.clone(),
            api: Arc::new(api),
            auth: message_link,
            env: message_env.clone(),
        })
        .with_rhythm(RHYTHM);
        let records = Arc::new(InterruptibleRecords {
            device,
            owner: owner.id,
            store: Arc::clone(&store),
            troubles: record_troubles,
            shared: Arc::clone(&shared),
            urgent: Arc::clone(&urgent),
        });
        let own_clock = Arc::<Mutex<Option<ClockId>>>::default();
        let record_api = RecordLink {
            shared: Arc::clone(&shared),
            device,
            link: record_link,
            store: Arc::clone(&store),
            urgent: Arc::clone(&urgent),
            failures: Arc::clone(&failures),
            clock: Arc::clone(&own_clock),
            seen: Mutex::default(),
        };
        let record_engine = RecordEngine::new(RecordParts {
            records: records.clone(),
            queue: records.clone(),
            replica: records.clone(),
            audit: records.clone(),
            turns: records.clone(),
            api: Arc::new(record_api),
            session: engine.shared_session(),
            env: record_env.clone(),
        })
        .with_rhythm(RHYTHM);
        let id = record_engine.now().clock;
        *own_clock.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(id);
        let run = Run { ahead: clock.wrong_by_micros(), wrong: None, measured_at: 0, slowest: 0 };
        shared.truth.lock().runs.insert(id, run);
        let coordinator = Coordinator::new(Arc::new(record_engine), Arc::new(engine));
        let process = Arc::new(Self {
            name,
            store,
            records,
            outbox: roles,
            coordinator,
            env: record_env,
            message_env,
            manner,
            urgent,
            failures,
            habits,
            paused: AtomicBool::new(false),
            life: Life::new(),
        });
        if manner.by_itself {
            let running = Arc::clone(&process);
            tokio::spawn(async move { running.run(running.keep_syncing()).await });
        }
        process
    }

    async fn keep_syncing(&self) {
        match self.manner.sides {
            Sides { records: true, messages: true } => self.coordinator.keep_syncing().await,
            Sides { records: true, .. } => self.coordinator.records().keep_syncing().await,
            _ => self.coordinator.messages().keep_syncing().await,
        }
    }

    /// Runs something in the app; none if the app is killed meanwhile.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        Mortal::new(&self.life, work).await
    }

    /// Signs the person in if she is signed out.
    pub(super) async fn sign_in(&self, owner: &Character) -> Result<(), SyncError> {
        if self.coordinator.messages().session().is_signed_in().await? {
            return Ok(());
        }
        self.coordinator.sign_in(&owner.credentials).await.map(drop)
    }

    /// Pauses both engines: the app is about to be suspended.
    pub(super) async fn pause(&self) -> Result<(), StorageError> {
        self.coordinator.pause().await;
        self.paused.store(true, Ordering::SeqCst);
        self.store.pause().await
    }

    /// Resumes them.
    pub(super) async fn resume(&self) -> Result<(), StorageError> {
        self.store.resume().await?;
        self.paused.store(false, Ordering::SeqCst);
        self.coordinator.resume();
        Ok(())
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst)
    }

    /// Marks an operation that a person asked for, for as long as the returned value lives.
    pub(super) fn by_hand(&self) -> [ByHand; 2] {
        [self.habits[0].by_hand(), self.habits[1].by_hand()]
    }

    /// How often it had a reason to load all records anew.
    pub(in crate::simulator::records) fn records_load_anew(&self) -> u64 {
        self.habits[0].loads_anew()
    }

    /// The time of the last call of either side, by the observer's clock.
    pub(super) fn last_call(&self) -> [u64; 2] {
        [self.habits[0].last_call(), self.habits[1].last_call()]
    }

    pub(super) fn mutation_id(&self) -> MutationId {
        self.env.mutation_id()
    }

    /// Records that the pass it was started for is over.
    pub(super) fn has_synced(&self) {
        if self.manner.one_shot {
            self.life.end_after(0);
        }
    }

    pub(super) fn kill_after(&self, polls: u16) {
        self.life.end_after(polls);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.life.is_over()
    }
}
