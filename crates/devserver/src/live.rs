//! What may go wrong with live hints, on command.

use fieldpost_remote::{Topic, reference::SeededRandom};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::broadcast;
use uuid::Uuid;

/// How many interruptions a connection may lag behind.
const BACKLOG: usize = 64;

/// A fault of a hint or of a join that is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LiveFault {
    /// A hint is lost.
    LoseHint,
    /// A hint comes later by this much.
    DelayHint(Duration),
    /// A hint comes twice.
    DoubleHint,
    /// A join is refused with this reason, such as `ClientJoinRateLimitReached: Too many joins per second`.
    RefuseJoin(&'static str),
}

/// What happens at once to everything that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interruption {
    /// Every topic ends with `phx_close`.
    CloseTopics,
    /// Every topic ends with `phx_error`.
    FailTopics,
    /// Every topic ends as the server itself ends one: a `system` error with this message, then `phx_close`.
    EndTopics(&'static str),
    /// The connections are closed.
    CloseConnections,
    /// The connections end without a word.
    CutConnections,
    /// The server says nothing any more and takes nothing, though the connections stay open.
    FallSilent,
}

/// Hints that have concerned a client, by what they came on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HintsByTopic {
    /// On the topic of one person.
    pub person: usize,
    /// On that of the admins of an org.
    pub admins: usize,
    /// On that of an org.
    pub org: usize,
}

#[derive(Debug)]
struct Inner {
    orders: Vec<(u32, LiveFault)>,
    /// The share of hints that are lost, in percent.
    lost_of_hundred: u32,
    random: SeededRandom,
    hints: HintsByTopic,
}

/// The faults of live hints, and what has been served. All clones are of one server.
#[derive(Debug, Clone)]
pub struct LiveFaults {
    inner: Arc<Mutex<Inner>>,
    interruptions: broadcast::Sender<Interruption>,
    connections: Arc<AtomicUsize>,
    joins: Arc<AtomicUsize>,
}

impl LiveFaults {
    /// Gives the next `times` hints or joins this fault. Each is counted at each client that it reaches.
    pub fn order(&self, times: u32, fault: LiveFault) {
        self.lock().orders.push((times, fault));
    }

    /// Loses this share of all hints, in percent, drawn from the seed.
    pub fn lose(&self, of_hundred: u32, seed: u64) {
        let mut inner = self.lock();
        inner.lost_of_hundred = of_hundred;
        inner.random = SeededRandom::new(seed);
    }

    /// Interrupts everything that is open.
    pub fn interrupt(&self, interruption: Interruption) {
        // It fails where nothing is open.
        let _ = self.interruptions.send(interruption);
    }

    /// Stops all faults that are still to come.
    pub fn heal(&self) {
        let mut inner = self.lock();
        inner.orders.clear();
        inner.lost_of_hundred = 0;
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many joins the server has accepted so far.
    #[must_use]
    pub fn joins(&self) -> usize {
        self.joins.load(Ordering::Relaxed)
    }

    /// How many hints have concerned a client so far, lost ones too.
    #[must_use]
    pub fn hints(&self) -> usize {
        self.hints_by_topic().all()
    }

    /// The same, by what they came on.
    #[must_use]
    pub fn hints_by_topic(&self) -> HintsByTopic {
        self.lock().hints
    }

    pub(crate) fn interruptions(&self) -> broadcast::Receiver<Interruption> {
        self.interruptions.subscribe()
    }

    /// Counts a connection until the answer is dropped.
    pub(crate) fn connected(&self) -> Connected {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connected(self.connections.clone())
    }

    pub(crate) fn joined(&self) {
        self.joins.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a hint, and gives its id.
    pub(crate) fn next_hint(&self, topic: Topic) -> String {
        let hints = &mut self.lock().hints;
        match topic {
            Topic::Person(_) => hints.person += 1,
            Topic::Admins(_) => hints.admins += 1,
            Topic::Org(_) => hints.org += 1,
            // Devices say there that somebody types; the server says nothing.
            Topic::Typing(_) => {}
        }
        Uuid::from_u128(hints.all() as u128).to_string()
    }

    /// The fault of the next hint.
    pub(crate) fn of_hint(&self) -> Option<LiveFault> {
        let mut inner = self.lock();
        if let Some(fault) = inner.take(|fault| !matches!(fault, LiveFault::RefuseJoin(_))) {
            return Some(fault);
        }
        let lost = u64::from(inner.lost_of_hundred);
        (lost > 0 && inner.random.below(100) < lost).then_some(LiveFault::LoseHint)
    }

    /// Why the next join is refused.
    pub(crate) fn of_join(&self) -> Option<&'static str> {
        match self.lock().take(|fault| matches!(fault, LiveFault::RefuseJoin(_))) {
            Some(LiveFault::RefuseJoin(reason)) => Some(reason),
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LiveFaults {
    fn default() -> Self {
        let (random, hints) = (SeededRandom::new(0), HintsByTopic::default());
        let inner = Inner { orders: Vec::new(), lost_of_hundred: 0, random, hints };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            interruptions: broadcast::Sender::new(BACKLOG),
            connections: Arc::default(),
            joins: Arc::default(),
        }
    }
}

impl HintsByTopic {
    /// All of them.
    #[must_use]
    pub const fn all(self) -> usize {
        self.person + self.admins + self.org
    }
}

impl Inner {
    fn take(&mut self, fits: impl Fn(&LiveFault) -> bool) -> Option<LiveFault> {
        self.orders.retain(|(times, _)| *times > 0);
        let (times, fault) = self.orders.iter_mut().find(|(_, fault)| fits(fault))?;
        *times -= 1;
        Some(*fault)
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(crate) struct Connected(Arc<AtomicUsize>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
