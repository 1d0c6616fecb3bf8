//! A live connection that fails on command.

use async_trait::async_trait;
use fieldpost_domain::{AccessToken, ConversationId, PersonId};
use fieldpost_remote::{LiveConnection, LiveEvent, LiveHints, RemoteError, RemoteErrorKind, RemoteResult, Topic};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

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
        self.orders.send_modify(|orders| (orders.refuses, orders.loses_hints) = (None, false));
    }

    /// From now on no hint arrives.
    pub fn lose_hints(&self) {
        self.orders.send_modify(|orders| orders.loses_hints = true);
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
        if let Some(kind) = opened.refuses {
            return Err(RemoteError::new(kind, "connect"));
        }
        let inner = self.server.connect(token).await?;
        let (network, events) = (self.clone(), VecDeque::new());
        Ok(Box::new(Passing { network, inner, orders, opened, joined: BTreeSet::new(), events }))
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
}

impl Passing {
    fn is_silent(&self) -> bool {
        self.orders.borrow().silences != self.opened.silences
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
        match &event {
            LiveEvent::Hint(_) | LiveEvent::Typing { .. } if self.orders.borrow().loses_hints => return,
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
            self.look()?;
            self.carry_out_closes().await?;
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let silent = self.is_silent();
            tokio::select! {
                biased;
                changed = self.orders.changed() => drop(changed),
                event = self.inner.next(), if !silent => self.pass(event?),
            }
        }
    }
}
