//! The role that lets one engine at a time sync a database.

use crate::StorageResult;
use async_trait::async_trait;
use std::{any::Any, fmt};

/// The turn to sync. Whoever drops it gives it back.
#[must_use = "dropped, the turn is given back"]
pub struct Turn(#[expect(dead_code, reason = "it is there to be dropped")] Box<dyn Any + Send + Sync>);

impl Turn {
    /// A turn that lasts as long as this is kept.
    pub fn new(kept: impl Any + Send + Sync) -> Self {
        Self(Box::new(kept))
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}

/// Gives turns. An app and its notification extension, or two windows, may work on one database; only one of them may push
/// at a time, or a message that is on its way would be sent by the other as well, and what one was answered would be news
/// to the other.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Turns: Send + Sync {
    /// The turn to sync this database; none while somebody else has it, in this process or another. Never waits for it. A
    /// turn whose process dies is given back by the system. What others have committed meanwhile is reported
    /// ([`crate::Store::changes`]).
    async fn try_turn(&self) -> StorageResult<Option<Turn>>;
}
