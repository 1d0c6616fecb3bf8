//! What a commit changed. A watcher uses it to read again only what may look different.

use fieldpost_domain::{ConversationId, records::TableName};
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

/// The conversations that may look different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// Only these, by canonical id. Some may have left the device.
    Only(BTreeSet<ConversationId>),
    /// Any conversation.
    All,
}

impl Touched {
    /// Whether this conversation may look different.
    #[must_use]
    pub fn contains(&self, conversation: ConversationId) -> bool {
        match self {
            Self::Only(touched) => touched.contains(&conversation),
            Self::All => true,
        }
    }

    /// Whether no conversation looks different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(touched) if touched.is_empty())
    }

    fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Only(touched), Self::Only(more)) => touched.extend(more),
            _ => *self = Self::All,
        }
    }
}

impl Default for Touched {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

/// The tables whose records may look different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TouchedTables {
    /// Only these.
    Only(BTreeSet<TableName>),
    /// Any table.
    All,
}

impl TouchedTables {
    /// Whether records of this table may look different.
    #[must_use]
    pub fn contains(&self, table: &TableName) -> bool {
        match self {
            Self::Only(touched) => touched.contains(table),
            Self::All => true,
        }
    }

    /// Whether no record looks different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(touched) if touched.is_empty())
    }

    fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Only(touched), Self::Only(more)) => touched.extend(more),
            _ => *self = Self::All,
        }
    }
}

impl Default for TouchedTables {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

/// What may look different after a commit. It may name more than has changed, but never less.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeSet {
    /// Conversations whose line in the list, place in the list, or thread may have changed.
    pub conversations: Touched,
    /// Whether an unread count may have changed.
    pub unread: bool,
    /// Whether the outbox may have changed.
    pub outbox: bool,
    /// Tables whose records may have changed.
    pub records: TouchedTables,
    /// Whether the queue of records, its conflicts or the audit log may have changed.
    pub record_queue: bool,
}

impl ChangeSet {
    /// No change.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Any change: everything must be read again.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            conversations: Touched::All,
            unread: true,
            outbox: true,
            records: TouchedTables::All,
            record_queue: true,
        }
    }

    /// A change of these conversations.
    #[must_use]
    pub fn of(conversations: impl IntoIterator<Item = ConversationId>) -> Self {
        Self { conversations: Touched::Only(conversations.into_iter().collect()), ..Self::default() }
    }

    /// A change of the outbox.
    #[must_use]
    pub fn of_outbox() -> Self {
        Self { outbox: true, ..Self::default() }
    }

    /// A change of these tables' records.
    #[must_use]
    pub fn of_records(tables: impl IntoIterator<Item = TableName>) -> Self {
        Self { records: TouchedTables::Only(tables.into_iter().collect()), ..Self::default() }
    }

    /// Adds the queue of records.
    #[must_use]
    pub fn and_record_queue(self) -> Self {
        Self { record_queue: true, ..self }
    }

    /// Adds the outbox.
    #[must_use]
    pub fn and_outbox(self) -> Self {
        Self { outbox: true, ..self }
    }

    /// Adds the unread counts.
    #[must_use]
    pub fn and_unread(self) -> Self {
        Self { unread: true, ..self }
    }

    /// Whether nothing looks different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.unread && !self.outbox && !self.record_queue && self.conversations.is_empty() && self.records.is_empty()
    }

    /// Adds the changes of another commit.
    pub fn merge(&mut self, other: Self) {
        self.conversations.merge(other.conversations);
        self.unread |= other.unread;
        self.outbox |= other.outbox;
        self.records.merge(other.records);
        self.record_queue |= other.record_queue;
    }
}

/// How many commits a receiver may lag behind. A slower one gets [`ChangeSet::everything`].
const CAPACITY: usize = 256;

/// Sends the changes of a store to its receivers.
#[derive(Debug)]
pub struct ChangeSender(RwLock<Option<broadcast::Sender<Arc<ChangeSet>>>>);

impl Default for ChangeSender {
    fn default() -> Self {
        Self(RwLock::new(Some(broadcast::Sender::new(CAPACITY))))
    }
}

impl ChangeSender {
    fn sender(&self) -> Option<broadcast::Sender<Arc<ChangeSet>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends the changes of a commit.
    pub fn send(&self, changes: ChangeSet) {
        if let Some(sender) = self.sender().filter(|_| !changes.is_empty()) {
            // Having no receiver is fine.
            let _ = sender.send(Arc::new(changes));
        }
    }

    /// Whether there is a receiver.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.sender().is_some_and(|sender| sender.receiver_count() > 0)
    }

    /// A receiver for all commits from now on.
    #[must_use]
    pub fn subscribe(&self) -> ChangeReceiver {
        ChangeReceiver(self.sender().unwrap_or_else(|| broadcast::Sender::new(1)).subscribe())
    }

    /// No more commits will follow: the receivers end.
    pub fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Receives the changes of a store's commits, from the call of [`crate::Store::changes`] on.
#[derive(Debug)]
pub struct ChangeReceiver(broadcast::Receiver<Arc<ChangeSet>>);

impl ChangeReceiver {
    /// Waits for a commit and returns what has changed since the last call; several commits are merged. None after the
    /// store was closed or dropped. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ChangeSet> {
        let mut changes = match self.0.recv().await {
            Ok(first) => Arc::unwrap_or_clone(first),
            Err(RecvError::Lagged(_)) => ChangeSet::everything(),
            Err(RecvError::Closed) => return None,
        };
        while let Some(more) = self.take_waiting() {
            changes.merge(more);
        }
        Some(changes)
    }

    /// Returns what has changed since the last call, without waiting.
    pub fn take(&mut self) -> ChangeSet {
        let mut changes = ChangeSet::nothing();
        while let Some(more) = self.take_waiting() {
            changes.merge(more);
        }
        changes
    }

    fn take_waiting(&mut self) -> Option<ChangeSet> {
        match self.0.try_recv() {
            Ok(more) => Some(Arc::unwrap_or_clone(more)),
            Err(TryRecvError::Lagged(_)) => Some(ChangeSet::everything()),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn touching(number: u128) -> ChangeSet {
        ChangeSet::of([ConversationId::from_uuid(Uuid::from_u128(number))])
    }

    #[tokio::test]
    async fn waiting_commits_are_received_as_one() {
        let sender = ChangeSender::default();
        let mut receiver = sender.subscribe();
        sender.send(touching(1));
        sender.send(touching(2).and_unread());
        let mut both = touching(1).and_unread();
        both.merge(touching(2));
        assert_eq!(receiver.next().await, Some(both));
        assert!(receiver.take().is_empty());
    }

    #[tokio::test]
    async fn a_receiver_that_lags_too_far_gets_everything() {
        let sender = ChangeSender::default();
        let mut receiver = sender.subscribe();
        for number in 0..=CAPACITY as u128 {
            sender.send(touching(number));
        }
        assert_eq!(receiver.next().await, Some(ChangeSet::everything()));
    }

    #[tokio::test]
    async fn a_receiver_ends_when_the_store_is_closed() {
        let sender = ChangeSender::default();
        let mut receiver = sender.subscribe();
        sender.send(touching(1));
        sender.close();
        assert_eq!(receiver.next().await, Some(touching(1)), "earlier commits are received");
        assert_eq!(receiver.next().await, None);
        assert_eq!(sender.subscribe().next().await, None);
        assert!(!sender.is_heard());
    }

    #[test]
    fn an_empty_change_set_is_not_sent() {
        let sender = ChangeSender::default();
        let mut receiver = sender.subscribe();
        assert!(sender.is_heard());
        sender.send(ChangeSet::nothing());
        assert!(receiver.take().is_empty());
    }
}
