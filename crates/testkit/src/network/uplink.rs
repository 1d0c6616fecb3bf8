//! The server's own connection: what happens to it happens to all devices.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(crate) struct Uplink {
    /// Before this moment nobody reaches the server.
    down_until: Mutex<Option<Instant>>,
    /// Increases whenever all connections break.
    breaks: AtomicU64,
}

impl Uplink {
    /// For this long at least, nobody reaches the server.
    pub(crate) fn down_for(&self, lasting: Duration) {
        let mut down_until = self.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        *down_until = (*down_until).max(Some(Instant::now() + lasting));
    }

    /// The server can be reached from now on.
    pub(crate) fn heal(&self) {
        *self.down_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn is_down(&self) -> bool {
        let down_until = *self.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        down_until.is_some_and(|until| Instant::now() < until)
    }

    /// Breaks all connections: calls in flight are lost.
    pub(crate) fn break_connections(&self) {
        self.breaks.fetch_add(1, Ordering::SeqCst);
    }

    /// How often all connections have broken.
    pub(crate) fn breaks(&self) -> u64 {
        self.breaks.load(Ordering::SeqCst)
    }
}
