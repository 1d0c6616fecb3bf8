//! Carries out what the machine decides about records (`machine::records`).
//!
//! Two lanes send. A full pass sends everything, pulls, and uploads the audit log; one runs at a time, and waiting
//! callers share the next one. Immediate changes have a loop of their own beside it: they wait neither for a batch of
//! other changes, nor for a pull, nor for messages. Changes of one record never overtake each other, because the queue
//! gives out none while another one of its record is under way.
//!
//! Both lanes share the turn of this process, the session, and the wait that a server names. Nothing here knows the
//! [`crate::Engine`] of messages, and that one does not know this.

mod border;
mod clock;
mod execute;
mod lifecycle;
mod pass;
mod runner;
mod sent;
mod status;
mod turn;
mod waits;

pub use clock::RecordClock;
pub use status::RecordStatus;

use crate::{
    Env, SessionKeeper,
    machine::{Moment, Rhythm, Schedule},
};
use fieldpost_domain::records::DeviceTime;
use fieldpost_remote::RecordsApi;
use fieldpost_storage::{
    Turns,
    records::{AuditLog, RecordQueue, RecordReplica, RecordStore, Records},
};
use pass::Gate;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64},
    },
};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

/// The parts that the engine of records is built from.
pub struct RecordParts {
    /// The declared tables.
    pub records: Arc<dyn Records>,
    /// The queue of changes.
    pub queue: Arc<dyn RecordQueue>,
    /// The copy of the server's records.
    pub replica: Arc<dyn RecordReplica>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// Decides which process may sync the records.
    pub turns: Arc<dyn Turns>,
    /// The server's calls for records.
    pub api: Arc<dyn RecordsApi>,
    /// The session, the same as that of messages ([`crate::Engine::shared_session`]).
    pub session: Arc<SessionKeeper>,
    /// The clock and the randomness.
    pub env: Env,
}

impl RecordParts {
    /// All roles of one store.
    #[must_use]
    pub fn of(store: Arc<dyn RecordStore>, api: Arc<dyn RecordsApi>, session: Arc<SessionKeeper>, env: Env) -> Self {
        Self {
            records: store.clone(),
            queue: store.clone(),
            replica: store.clone(),
            audit: store.clone(),
            turns: Arc::new(turn::RecordTurns(store)),
            api,
            session,
            env,
        }
    }
}

/// Syncs the records of one store with one server.
pub struct RecordEngine {
    records: Arc<dyn Records>,
    queue: Arc<dyn RecordQueue>,
    replica: Arc<dyn RecordReplica>,
    audit: Arc<dyn AuditLog>,
    api: Arc<dyn RecordsApi>,
    session: Arc<SessionKeeper>,
    env: Env,
    clock: RecordClock,
    /// By how much our clock is ahead of the server's.
    measured: border::Measured,
    /// What was sent last, by record.
    sent: sent::Sent,
    turn: turn::SharedTurn,
    waits: waits::Waits,
    status: watch::Sender<RecordStatus>,
    /// How many passes are running.
    running: AtomicU32,
    /// Held from counting the queue until the counts are published, so that an old count never replaces a newer one.
    counting: Mutex<()>,
    /// Held from reading what was remembered until it is written again.
    remembering: Mutex<()>,
    /// When a waiting change becomes due.
    due: watch::Sender<Option<Instant>>,
    /// The next pass ends the waits of the queue.
    ends_waits: AtomicBool,
    /// How many passes callers have requested.
    requested: AtomicU64,
    gate: Mutex<Gate>,
    immediate_gate: Mutex<()>,
    /// Decides when the next full pass runs. The runner watches it for changes.
    schedule: watch::Sender<Schedule>,
    /// The same for the immediate lane: a failing pull or batch makes no immediate change wait.
    immediate_schedule: watch::Sender<Schedule>,
    /// The moment zero of the schedules.
    started: Instant,
    /// How often running passes were asked to stop.
    stop_requests: watch::Sender<u64>,
}

impl RecordEngine {
    /// A new engine. It does nothing until it is asked to.
    #[must_use]
    pub fn new(parts: RecordParts) -> Self {
        Self {
            clock: RecordClock::start(parts.env.clone()),
            records: parts.records,
            queue: parts.queue,
            replica: parts.replica,
            audit: parts.audit,
            turn: turn::SharedTurn::new(parts.turns),
            api: parts.api,
            session: parts.session,
            env: parts.env,
            measured: border::Measured::default(),
            sent: sent::Sent::default(),
            waits: waits::Waits::default(),
            status: watch::Sender::new(RecordStatus::default()),
            running: AtomicU32::new(0),
            counting: Mutex::default(),
            remembering: Mutex::default(),
            due: watch::Sender::new(None),
            ends_waits: AtomicBool::new(false),
            requested: AtomicU64::new(0),
            gate: Mutex::default(),
            immediate_gate: Mutex::default(),
            schedule: watch::Sender::new(Schedule::new(Rhythm::default())),
            immediate_schedule: watch::Sender::new(Schedule::new(Rhythm::default())),
            started: Instant::now(),
            stop_requests: watch::Sender::new(0),
        }
    }

    /// Sets how often the runner syncs and how long it waits after a failed call.
    #[must_use]
    pub fn with_rhythm(self, rhythm: Rhythm) -> Self {
        self.schedule.send_replace(Schedule::new(rhythm));
        self.immediate_schedule.send_replace(Schedule::new(rhythm));
        self
    }

    /// The time that dates a change of a record.
    #[must_use]
    pub fn now(&self) -> DeviceTime {
        self.clock.now()
    }

    /// The status; the receiver sees every change.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<RecordStatus> {
        self.status.subscribe()
    }

    /// The current moment, by the monotonic clock.
    fn moment(&self) -> Moment {
        self.started.elapsed()
    }
}

impl fmt::Debug for RecordEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordEngine").finish_non_exhaustive()
    }
}
