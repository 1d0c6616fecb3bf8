//! State that the handlers of a server share.

use crate::{live::LiveFaults, wire::Requests};
use fieldpost_remote::reference::ReferenceServer;
use std::sync::Arc;
use tokio::sync::watch;

/// State that the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) reference: ReferenceServer,
    pub(crate) anon_key: Arc<str>,
    pub(crate) requests: Requests,
    pub(crate) body_limit: usize,
    pub(crate) live: LiveFaults,
    /// Its sender is gone when the server has stopped.
    pub(crate) running: watch::Receiver<()>,
}
