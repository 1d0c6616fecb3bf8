//! Watching the badge.

use super::{View, Watcher, begin};
use crate::{Client, Result, Updates};
use fieldpost_storage::ChangeSet;

impl Client {
    /// The number of unread messages over all conversations: its present value, then every change.
    pub fn watch_total_unread(&self) -> Updates<u64> {
        begin(Watcher::new(self), Badge(None))
    }
}

/// The number as last emitted.
struct Badge(Option<u64>);

impl View for Badge {
    type Update = u64;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        changes.unread
    }

    async fn refresh(&mut self, client: &Client, _: &ChangeSet) -> Result<Option<u64>> {
        let now = client.inner.store.total_unread().await?;
        Ok(Some(now).filter(|now| self.0.replace(*now) != Some(*now)))
    }
}
