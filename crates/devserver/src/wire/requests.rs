//! What was asked and how large the answers were.

use super::endpoint::Endpoint;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// How many requests the log keeps; a server that runs for days must not keep them all.
const KEPT: usize = 10_000;

/// One request that reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRecord {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// The status of the answer; none if the connection was broken on purpose before one was made.
    pub status: Option<u16>,
    /// Bytes of the request's body.
    pub request_bytes: usize,
    /// Bytes of the answer's body as sent, compressed if it was.
    pub response_bytes: usize,
}

#[derive(Debug, Default)]
struct Log {
    records: VecDeque<RequestRecord>,
    counts: BTreeMap<Endpoint, usize>,
}

/// The log of requests. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<Log>>);

impl Requests {
    /// How many requests an endpoint has had.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.lock().counts.get(&endpoint).copied().unwrap_or(0)
    }

    /// The last ten thousand, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<RequestRecord> {
        self.lock().records.iter().copied().collect()
    }

    /// Forgets them and counts from zero.
    pub fn clear(&self) {
        *self.lock() = Log::default();
    }

    pub(crate) fn add(&self, record: RequestRecord) {
        tracing::debug!(?record, "served");
        let mut log = self.lock();
        *log.counts.entry(record.endpoint).or_default() += 1;
        log.records.push_back(record);
        if log.records.len() > KEPT {
            log.records.pop_front();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
