//! State that the handlers of a server share.

use crate::wire::Requests;
use fieldpost_remote::reference::ReferenceServer;
use std::sync::Arc;

/// State that the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) reference: ReferenceServer,
    pub(crate) anon_key: Arc<str>,
    pub(crate) requests: Requests,
    pub(crate) body_limit: usize,
}
