//! What was asked and how large the answers were.

use super::Endpoint;
use std::sync::{Arc, Mutex, PoisonError};

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

/// The log of requests. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<RequestRecord>>>);

impl Requests {
    /// How many requests an endpoint has had.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.lock().iter().filter(|record| record.endpoint == endpoint).count()
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<RequestRecord> {
        self.lock().clone()
    }

    /// Forgets them.
    pub fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn add(&self, record: RequestRecord) {
        tracing::debug!(?record, "served");
        self.lock().push(record);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<RequestRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
