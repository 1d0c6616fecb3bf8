//! A complete server in memory: the reference behaviour for every implementation of the contract.
//!
//! It is meant to be obviously right rather than fast. `tables` keeps the rows in maps; `feed` records which
//! transaction last changed each row. All writes go through `transaction`, which does the work of the SQL schema's
//! triggers. All reads go through `viewer`, the only place that decides who sees what. The calls are one file each
//! on top of that.
//!
//! A [`ReferenceServer`] is a handle: clones are the same server. Besides the contract it offers what an operator or a
//! third-party client can do behind the engine's back ([`ReferenceServer::insert_message`],
//! [`ReferenceServer::hard_delete`], [`ReferenceServer::change_epoch`] …), transactions that stay open for a while
//! ([`ReferenceServer::begin`]), and views to compare with ([`ReferenceServer::messages_of`],
//! [`ReferenceServer::visible_to`]).

mod api;
mod bootstrap;
mod clock;
mod cursor;
mod demo;
mod feed;
mod history;
mod ids;
mod limits;
mod live;
mod open;
mod operator;
mod options;
mod page;
mod project;
mod pull;
mod push;
mod random;
#[cfg(feature = "records")]
mod records;
mod reports;
mod rows;
mod search;
mod sessions;
mod snapshot;
mod state;
mod tables;
mod transaction;
mod viewer;
mod views;

use options::Options;
use state::State;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use clock::ServerClock;
pub use demo::{DEMO_ADA, DEMO_ADMIN, DEMO_BEN, DEMO_ORG, DEMO_PASSWORD};
pub use open::{Locked, OpenTransaction};
pub use operator::{Backup, Medic, Profile};
pub use options::ReferenceBuilder;
pub use project::Project;
pub use push::*;
pub use random::SeededRandom;
#[cfg(feature = "records")]
pub use records::{AuditRow, RecordSubmission, RecordSubmissionResult};
pub use sessions::RefreshRefused;

/// A server in memory. Clones are the same server.
#[derive(Clone)]
pub struct ReferenceServer {
    state: Arc<Mutex<State>>,
}

impl ReferenceServer {
    /// A server with the real clock, the protocol's limits and no orgs.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a server with other settings.
    #[must_use]
    pub fn builder() -> ReferenceBuilder {
        ReferenceBuilder::new()
    }

    fn from_options(options: Options) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(options))) }
    }

    /// Locks the state. It ignores poisoning: a panic in a test must not be hidden by a second one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ReferenceServer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReferenceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceServer").finish_non_exhaustive()
    }
}
