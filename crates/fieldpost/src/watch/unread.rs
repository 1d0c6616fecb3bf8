//! Watching the badge.

use super::{View, Watcher, begin};
use crate::{Client, Result, Time, Updates};
use fieldpost_storage::ChangeSet;

impl Client {
    /// The number of unread messages over all conversations: its present value, then every change.
    pub fn watch_total_unread(&self) -> Updates<u64> {
        begin(Watcher::new(self), Total(None))
    }

    /// The number of unread messages that call for attention ([`Client::unread_for_badge`]): its present value, then every
    /// change, also when a mute ends.
    pub fn watch_unread_for_badge(&self) -> Updates<u64> {
        begin(Watcher::new(self), Badge { shown: None, due: None })
    }
}

/// The number of all as last emitted.
struct Total(Option<u64>);

/// The number for a badge.
struct Badge {
    /// As last emitted.
    shown: Option<u64>,
    /// When the next mute ends.
    due: Option<Time>,
}

impl View for Total {
    type Update = u64;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        changes.unread
    }

    async fn refresh(&mut self, client: &Client, _: &ChangeSet) -> Result<Option<u64>> {
        let now = client.inner.store.total_unread().await?;
        Ok(Some(now).filter(|now| self.0.replace(*now) != Some(*now)))
    }
}

impl View for Badge {
    type Update = u64;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        // Muting and archiving change lines of the list.
        changes.unread || !changes.conversations.is_empty()
    }

    fn due(&self) -> Option<Time> {
        self.due
    }

    async fn refresh(&mut self, client: &Client, _: &ChangeSet) -> Result<Option<u64>> {
        let (store, now) = (&client.inner.store, client.inner.env.now());
        let badge = store.unread_for_badge(now).await?;
        self.due = store.next_unmute(now).await?;
        Ok(Some(badge).filter(|badge| self.shown.replace(*badge) != Some(*badge)))
    }
}
