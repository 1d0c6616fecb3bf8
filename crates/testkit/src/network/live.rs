//! A live connection that fails on command.

use crate::{SeededRandom, chance::branch};
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, ConversationId, PersonId, PushTag};
use fieldpost_remote::{LiveConnection, LiveEvent, LiveHints, RemoteError, RemoteErrorKind, RemoteResult, Topic};
use std::time::Duration;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::watch, time::Instant};

/// Stands between a device and a server's live hints, and passes everything on unless told to fail.
#[derive(Clone)]
pub struct LiveNetwork {
    server: Arc<dyn LiveHints>,
    orders: watch::Sender<Orders>,
    log: Arc<Mutex<Vec<LiveCall>>>,
}

/// What a device has done with its live connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveCall {
    /// It has tried to connect.
    Connect,
    /// It has asked to join a topic.
    Join(Topic),
    /// It has left a topic.
    Leave(Topic),
    /// It has given the server a newer token.
    Renew,
    /// It has sent a heartbeat.
    Heartbeat,
}

#[derive(Debug, Clone, Copy, Default)]
struct Orders {
    refuses: Option<RemoteErrorKind>,
    loses_hints: bool,
    refuses_tokens: bool,
    /// Connections fail at random, by this seed.
    rough: Option<u64>,
    connections: u64,
    /// How often open connections were cut, silenced, and all their topics closed.
    cuts: u64,
    silences: u64,
    closes: u64,
}

impl LiveNetwork {
    /// A network that works.
    #[must_use]
    pub fn new(server: impl LiveHints + 'static) -> Self {
        Self { server: Arc::new(server), orders: watch::Sender::default(), log: Arc::default() }
    }

    /// From now on nobody can connect.
    pub fn refuse(&self, kind: RemoteErrorKind) {
        self.orders.send_modify(|orders| orders.refuses = Some(kind));
    }

    /// From now on everything works. What was cut or silenced before stays so.
    pub fn heal(&self) {
        self.orders.send_modify(|orders| {
            (orders.refuses, orders.loses_hints, orders.rough) = (None, false, None);
            orders.refuses_tokens = false;
        });
    }

    /// From now on each connection is refused, cut, silenced or closed after a while, and its hints are lost, doubled and late, all
    /// by a seed.
    pub fn rough(&self, seed: u64) {
        self.orders.send_modify(|orders| orders.rough = Some(seed));
    }

    /// From now on no hint arrives.
    pub fn lose_hints(&self) {
        self.orders.send_modify(|orders| orders.loses_hints = true);
    }

    /// From now on the server accepts no token, of topics that are joined either.
    pub fn refuse_tokens(&self) {
        self.orders.send_modify(|orders| {
            orders.refuses_tokens = true;
            orders.closes += 1;
        });
    }

    /// Open connections break.
    pub fn cut(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }

    /// Open connections stay open, but nothing arrives on either side any more.
    pub fn silence(&self) {
        self.orders.send_modify(|orders| orders.silences += 1);
    }

    /// The server closes all topics of open connections.
    pub fn close_topics(&self) {
        self.orders.send_modify(|orders| orders.closes += 1);
    }

    /// What was done since this was last called.
    pub fn take_calls(&self) -> Vec<LiveCall> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, call: LiveCall) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

impl std::fmt::Debug for LiveNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveNetwork").field("orders", &self.orders).finish_non_exhaustive()
    }
}

#[async_trait]
impl LiveHints for LiveNetwork {
    async fn connect(&self, token: &AccessToken) -> RemoteResult<Box<dyn LiveConnection>> {
        self.note(LiveCall::Connect);
        let mut orders = self.orders.subscribe();
        let opened = *orders.borrow_and_update();
        let rough = opened.rough.map(|seed| Rough::new(&mut branch(seed, opened.connections)));
        self.orders.send_modify(|orders| orders.connections += 1);
        let refuses = opened.refuses.or_else(|| rough.as_ref()?.refuses());
        if let Some(kind) = refuses {
            return Err(RemoteError::new(kind, "connect"));
        }
        let inner = self.server.connect(token).await?;
        let (network, events) = (self.clone(), VecDeque::new());
        Ok(Box::new(Passing { network, inner, orders, opened, joined: BTreeSet::new(), events, rough }))
    }
}

/// What becomes of one connection on a bad day.
struct Rough {
    random: SeededRandom,
    /// When something happens to the connection.
    at: Instant,
    fate: Option<Fate>,
    /// Hints on their way, in no order.
    late: Vec<(Instant, Topic, Option<PushTag>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Refused,
    Cut,
    Silence,
    Close,
}

impl Rough {
    fn new(random: &mut SeededRandom) -> Self {
        let fates = [Some(Fate::Refused), Some(Fate::Cut), Some(Fate::Silence), Some(Fate::Close), None];
        let fate = random.pick(&fates).copied().flatten();
        let at = Instant::now() + Duration::from_millis(500 + random.next() % 60_000);
        Self { random: branch(random.next(), 0), at, fate, late: Vec::new() }
    }

    fn refuses(&self) -> Option<RemoteErrorKind> {
        (self.fate == Some(Fate::Refused)).then_some(RemoteErrorKind::Unavailable)
    }

    /// A hint is lost, late, or comes now, in a third of all cases twice.
    fn hint(&mut self, topic: Topic, push: Option<PushTag>) {
        if self.random.next().is_multiple_of(3) {
            return;
        }
        let times = 1 + u64::from(self.random.next().is_multiple_of(3));
        for _ in 0..times {
            let late = if self.random.next().is_multiple_of(2) { self.random.next() % 8_000 } else { 0 };
            self.late.push((Instant::now() + Duration::from_millis(late), topic, push));
        }
    }

    /// When something is due.
    fn due(&self) -> Option<Instant> {
        let fate = self.fate.map(|_| self.at);
        self.late.iter().map(|(at, ..)| *at).chain(fate).min()
    }
}

struct Passing {
    network: LiveNetwork,
    inner: Box<dyn LiveConnection>,
    orders: watch::Receiver<Orders>,
    /// What was ordered before this connection was opened, or was carried out on it.
    opened: Orders,
    joined: BTreeSet<Topic>,
    events: VecDeque<LiveEvent>,
    rough: Option<Rough>,
}

impl Passing {
    fn is_silent(&self) -> bool {
        self.orders.borrow().silences != self.opened.silences
    }

    /// Carries out what is due on a bad day.
    fn suffer(&mut self) {
        let now = Instant::now();
        let Some(rough) = &mut self.rough else { return };
        let (due, late): (Vec<_>, Vec<_>) = rough.late.drain(..).partition(|(at, ..)| *at <= now);
        rough.late = late;
        self.events.extend(due.into_iter().map(|(_, topic, push)| LiveEvent::Hint(topic, push)));
        if rough.at > now {
            return;
        }
        match rough.fate.take() {
            // One less than now differs from it.
            Some(Fate::Cut) => self.opened.cuts = u64::MAX,
            Some(Fate::Silence) => self.opened.silences = u64::MAX,
            Some(Fate::Close) => self.opened.closes = u64::MAX,
            Some(Fate::Refused) | None => {}
        }
    }

    /// Fails if the connection was cut.
    fn look(&self) -> RemoteResult<()> {
        let cut = self.orders.borrow().cuts != self.opened.cuts;
        if cut { Err(RemoteError::new(RemoteErrorKind::Interrupted, "live")) } else { Ok(()) }
    }

    async fn carry_out_closes(&mut self) -> RemoteResult<()> {
        let closes = self.orders.borrow_and_update().closes;
        if std::mem::replace(&mut self.opened.closes, closes) == closes {
            return Ok(());
        }
        for topic in std::mem::take(&mut self.joined) {
            self.inner.leave(topic).await?;
            self.events.push_back(LiveEvent::Left(topic, RemoteError::new(RemoteErrorKind::Unavailable, "live")));
        }
        Ok(())
    }

    /// Passes an event on, unless it gets lost.
    fn pass(&mut self, event: LiveEvent) {
        if let (Some(rough), LiveEvent::Hint(topic, push)) = (&mut self.rough, &event) {
            return rough.hint(*topic, *push);
        }
        match &event {
            LiveEvent::Hint(..) | LiveEvent::Typing { .. } if self.orders.borrow().loses_hints => return,
            LiveEvent::Joined(topic) => drop(self.joined.insert(*topic)),
            LiveEvent::Left(topic, _) => drop(self.joined.remove(topic)),
            _ => {}
        }
        self.events.push_back(event);
    }
}

#[async_trait]
impl LiveConnection for Passing {
    async fn join(&mut self, topic: Topic, token: &AccessToken) -> RemoteResult<()> {
        self.look()?;
        self.network.note(LiveCall::Join(topic));
        if self.orders.borrow().refuses_tokens {
            let refused = RemoteError::new(RemoteErrorKind::Unauthorized, "join");
            self.events.push_back(LiveEvent::Left(topic, refused));
            return Ok(());
        }
        if self.is_silent() { Ok(()) } else { self.inner.join(topic, token).await }
    }

    async fn leave(&mut self, topic: Topic) -> RemoteResult<()> {
        self.look()?;
        self.network.note(LiveCall::Leave(topic));
        self.joined.remove(&topic);
        if self.is_silent() { Ok(()) } else { self.inner.leave(topic).await }
    }

    async fn renew(&mut self, token: &AccessToken) -> RemoteResult<()> {
        self.look()?;
        self.network.note(LiveCall::Renew);
        if self.is_silent() { Ok(()) } else { self.inner.renew(token).await }
    }

    async fn heartbeat(&mut self) -> RemoteResult<()> {
        self.look()?;
        self.network.note(LiveCall::Heartbeat);
        if self.is_silent() { Ok(()) } else { self.inner.heartbeat().await }
    }

    async fn type_in(&mut self, conversation_id: ConversationId, person_id: PersonId) -> RemoteResult<()> {
        self.look()?;
        if self.is_silent() { Ok(()) } else { self.inner.type_in(conversation_id, person_id).await }
    }

    async fn next(&mut self) -> RemoteResult<LiveEvent> {
        loop {
            self.suffer();
            self.look()?;
            self.carry_out_closes().await?;
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let silent = self.is_silent();
            let due = self.rough.as_ref().and_then(Rough::due);
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                changed = self.orders.changed() => drop(changed),
                event = self.inner.next(), if !silent => self.pass(event?),
            }
        }
    }
}
