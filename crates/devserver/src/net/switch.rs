//! The network switch of the server: on, or no connections at all.

use super::connection::Breaker;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Turns the network off and on. All clones turn the same one.
#[derive(Debug, Clone)]
pub(crate) struct Switch {
    wanted: Arc<watch::Sender<bool>>,
    actual: Arc<watch::Sender<bool>>,
    connections: Arc<Mutex<Vec<Breaker>>>,
}

impl Switch {
    pub(crate) fn new() -> Self {
        Self {
            wanted: Arc::new(watch::Sender::new(true)),
            actual: Arc::new(watch::Sender::new(true)),
            connections: Arc::default(),
        }
    }

    /// Turns the network on or off and waits until that has happened.
    pub(crate) async fn turn(&self, on: bool) {
        self.wanted.send_replace(on);
        if !on {
            self.break_all();
        }
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.actual.subscribe().wait_for(|actual| *actual == on).await;
        if !on {
            // Break the connections that were accepted in between.
            self.break_all();
        }
    }

    /// Breaks every connection.
    pub(crate) fn break_all(&self) {
        let connections = std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in connections {
            connection.break_after(0);
        }
    }

    pub(super) fn wanted(&self) -> watch::Receiver<bool> {
        self.wanted.subscribe()
    }

    pub(super) fn report(&self, on: bool) {
        self.actual.send_replace(on);
    }

    pub(super) fn add(&self, connection: Breaker) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        // Remove those that have ended: a server that runs for days must not keep them all.
        connections.retain(Breaker::is_in_use);
        connections.push(connection);
    }
}
