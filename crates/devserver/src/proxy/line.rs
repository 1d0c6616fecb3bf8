//! The conditions of a line, and when it is free.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Both stay until they are changed, unlike a [`super::Fault`], which is of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineConditions {
    /// How many bytes go over the line in a second, each way; none: as many as there are. All exchanges share it.
    pub bytes_per_second: Option<u32>,
    /// How much later a response comes, beyond the server's own time.
    pub round_trip: Duration,
    /// How much later a new connection can be used: TCP takes a round trip, and TLS 1.3 another.
    pub handshake: Duration,
    /// How many packets of a hundred are lost. The sender notices after a second, and sends them again.
    pub lost_of_hundred: u32,
    /// Pushes of more mutations are refused: the statement takes too long.
    pub most_mutations: Option<usize>,
    /// Pages of more rows are refused, too.
    pub most_rows: Option<u64>,
}

/// The way that bytes take.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Up,
    Down,
}

/// When the line is free again, each way.
#[derive(Debug)]
pub(super) struct Line([Mutex<Instant>; 2]);

impl Line {
    pub(super) fn new() -> Self {
        Self([Mutex::new(Instant::now()), Mutex::new(Instant::now())])
    }

    /// When these bytes have gone over the line, if they start now.
    pub(super) fn after(&self, way: Way, takes: Duration) -> Instant {
        let mut free = self.0[way as usize].lock().unwrap_or_else(PoisonError::into_inner);
        *free = (*free).max(Instant::now()) + takes;
        *free
    }
}
