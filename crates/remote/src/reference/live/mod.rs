//! Live hints of this server.
//!
//! A commit tells all listeners which topics it concerns (`audience`). Each connection picks what it has joined; who may join is
//! decided at the join and with each new token, and holds until the token expires. A listener that does not keep up loses its
//! connection, as it would lose hints of a real server.

mod audience;
mod connection;

pub(super) use audience::topics_of;

use super::ReferenceServer;
use crate::{LiveConnection, LiveHints, RemoteError, RemoteErrorKind, RemoteResult, Topic};
use async_trait::async_trait;
use connection::ReferenceConnection;
use fieldpost_domain::{AccessToken, Capability, ConversationId, PersonId, PushTag};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::broadcast;

/// How many signals a listener may lag behind.
const BACKLOG: usize = 4096;

/// What all connections hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Hint(Topic, Option<PushTag>),
    Typing(ConversationId, PersonId, ConnectionId),
}

/// A connection, so that nobody hears what she has told the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionId(u64);

/// Whoever listens to this server.
#[derive(Debug, Clone)]
pub(super) struct Listeners {
    sender: broadcast::Sender<Signal>,
    connections: Arc<AtomicU64>,
    /// How many hints there have been, each once, however many hear it.
    told: Arc<AtomicU64>,
}

impl Listeners {
    pub(super) fn tell(&self, topics: impl IntoIterator<Item = Topic>, push: Option<PushTag>) {
        if self.sender.receiver_count() > 0 {
            for topic in topics {
                self.told.fetch_add(1, Ordering::Relaxed);
                self.signal(Signal::Hint(topic, push));
            }
        }
    }

    fn listen(&self) -> (ConnectionId, broadcast::Receiver<Signal>) {
        (ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed)), self.sender.subscribe())
    }

    fn signal(&self, signal: Signal) {
        // It fails where nobody listens.
        let _ = self.sender.send(signal);
    }
}

impl Default for Listeners {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG), connections: Arc::default(), told: Arc::default() }
    }
}

impl ReferenceServer {
    /// How many hints it has told so far, each once, however many hear it. Where nobody listens, it tells none.
    #[must_use]
    pub fn hints_told(&self) -> u64 {
        self.lock().feed.listeners.told.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl LiveHints for ReferenceServer {
    async fn connect(&self, _token: &AccessToken) -> RemoteResult<Box<dyn LiveConnection>> {
        let state = self.lock();
        if !state.options.info.capabilities.contains(&Capability::Live) {
            return Err(RemoteError::new(RemoteErrorKind::NotFound, "connect"));
        }
        let (id, signals) = state.feed.listeners.listen();
        drop(state);
        Ok(Box::new(ReferenceConnection::new(self.clone(), id, signals)))
    }
}
