//! The log of requests and the sizes of their responses.

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
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The status of the response.
    pub status: u16,
    /// Size of the request body in bytes.
    pub request_bytes: usize,
    /// Size of the response body in bytes as sent, compressed if it was.
    pub response_bytes: usize,
}

#[derive(Debug, Default)]
struct Log {
    records: VecDeque<RequestRecord>,
    counts: BTreeMap<Endpoint, usize>,
}

/// The log of requests. All clones share one log.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<Log>>);

impl Requests {
    /// The number of requests to an endpoint.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.lock().counts.get(&endpoint).copied().unwrap_or(0)
    }

    /// The last ten thousand requests, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<RequestRecord> {
        self.lock().records.iter().copied().collect()
    }

    /// Clears the log and the counters.
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
