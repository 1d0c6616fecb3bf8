//! The role that lets one engine at a time sync a database.

use crate::StorageResult;
use async_trait::async_trait;
use std::{any::Any, fmt};

/// The turn to sync. Dropping it releases the turn.
#[must_use = "dropped, the turn is given back"]
pub struct Turn(#[expect(dead_code, reason = "it is there to be dropped")] Box<dyn Any + Send + Sync>);

impl Turn {
    /// A turn that is held as long as `kept` exists.
    pub fn new(kept: impl Any + Send + Sync) -> Self {
        Self(Box::new(kept))
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}

/// Gives turns. An app and its notification extension, or two windows, may use one database. Only one of them may push
/// at a time; otherwise both could send the same message, and the results of one would be unknown to the other.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Turns: Send + Sync {
    /// The turn to sync this database; none while another caller or process has it. It never waits. If a process dies,
    /// the operating system releases its turn. Commits of other processes are reported ([`crate::Store::changes`]).
    async fn try_turn(&self) -> StorageResult<Option<Turn>>;
}
