//! State that the handlers of a server share.

use crate::wire::{Faults, Requests};
use fieldpost_remote::reference::ReferenceServer;
use std::sync::Arc;

/// State that the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) reference: ReferenceServer,
    pub(crate) anon_key: Arc<str>,
    pub(crate) faults: Faults,
    pub(crate) requests: Requests,
    pub(crate) body_limit: usize,
}
