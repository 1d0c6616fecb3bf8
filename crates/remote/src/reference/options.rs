//! The settings of a reference server.

use super::{ReferenceServer, Task, clock::ServerClock, project::Project};
use crate::SQL_VERSION;
use fieldpost_domain::{Capabilities, Capability, ServerInfo, ServerLimits};
use std::{fmt, sync::Arc, time::Duration};

/// Settings of a server; see [`ReferenceServer::builder`].
#[derive(Clone)]
pub(super) struct Options {
    pub(super) seed: u64,
    pub(super) clock: Arc<dyn ServerClock>,
    pub(super) limits: ServerLimits,
    pub(super) token_lifetime: Duration,
    pub(super) info: ServerInfo,
    pub(super) project: Option<Arc<dyn Project>>,
    /// Whether the functions for records are installed.
    #[cfg(feature = "records")]
    pub(super) records: bool,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("seed", &self.seed).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The capabilities of a server of this version beyond protocol 1: the contents of pages, and the kinds of mutation.
fn capabilities() -> Capabilities {
    let of_records = cfg!(feature = "records").then_some(Capability::Records);
    let of_pages = [
        Capability::SetDigest,
        Capability::Ranges,
        Capability::PageBytes,
        Capability::MentionsCount,
        Capability::SearchServer,
        Capability::Live,
        Capability::QuietPush,
    ];
    of_pages.into_iter().chain(Task::needed()).chain(of_records).collect()
}

/// Sets up a [`ReferenceServer`].
#[derive(Debug, Clone)]
pub struct ReferenceBuilder {
    options: Options,
}

impl ReferenceBuilder {
    pub(super) fn new() -> Self {
        Self {
            options: Options {
                seed: 1,
                clock: Arc::new(chrono::Utc::now),
                limits: ServerLimits::default(),
                token_lifetime: Duration::from_secs(3600),
                info: ServerInfo { sql_version: Some(SQL_VERSION), capabilities: capabilities() },
                project: None,
                #[cfg(feature = "records")]
                records: true,
            },
        }
    }

    /// The seed of ids and tokens. Two servers with the same seed, clock and calls are identical.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// The server's clock; the real one unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl ServerClock + 'static) -> Self {
        self.options.clock = Arc::new(clock);
        self
    }

    /// The limits of a page and a batch; the protocol's numbers unless set.
    #[must_use]
    pub const fn limits(mut self, limits: ServerLimits) -> Self {
        self.options.limits = limits;
        self
    }

    /// The lifetime of an access token; an hour unless set.
    #[must_use]
    pub const fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.options.token_lifetime = lifetime;
        self
    }

    /// A server with the first version of the SQL, which has no capabilities beyond protocol 1.
    #[must_use]
    pub fn of_the_first_sql(mut self) -> Self {
        self.options.info = ServerInfo { sql_version: Some(1), capabilities: Capabilities::new() };
        self
    }

    /// A server without this capability.
    #[must_use]
    pub fn without(mut self, capability: &Capability) -> Self {
        self.options.info.capabilities.remove(capability);
        self
    }

    /// A server without the functions for records.
    #[cfg(feature = "records")]
    #[must_use]
    pub fn without_records(mut self) -> Self {
        self.options.info.capabilities.remove(&Capability::Records);
        self.options.records = false;
        self
    }

    /// A project with triggers and policies of its own.
    #[must_use]
    pub fn project(mut self, project: impl Project + 'static) -> Self {
        self.options.project = Some(Arc::new(project));
        self
    }

    /// A server without any org.
    #[must_use]
    pub fn build(self) -> ReferenceServer {
        ReferenceServer::from_options(self.options)
    }
}
