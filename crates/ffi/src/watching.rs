//! Watching lists, threads and numbers.
//!
//! A watch reads what is there before it returns, and tells that first.

use crate::{
    Client, ConversationDiff, ConversationQuery, MessageDiff, Older, OutboxEvent, Result, Status, Subscription, Window,
    listening::listener, moment,
};
use fieldpost::ConversationId;
use futures::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;

/// A change of the shown part of a thread.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct ThreadUpdate {
    /// The changes of its messages. Empty if only `older` has changed.
    pub diffs: Vec<MessageDiff>,
    /// What is below it now.
    pub older: Older,
}

listener!(
    /// Is told of changes of a list of conversations.
    ConversationsListener,
    Vec<ConversationDiff>
);
listener!(
    /// Is told of changes of a thread.
    ThreadListener,
    ThreadUpdate
);
listener!(
    /// Is told of changes of the outbox.
    OutboxListener,
    OutboxEvent
);
listener!(
    /// Is told of a number.
    CountListener,
    u32
);
listener!(
    /// Is told of the status.
    StatusListener,
    Status
);

#[uniffi::export]
impl Client {
    /// Watches the conversations that match. The first update is a reset.
    ///
    /// # Errors
    /// As [`Client::conversations`].
    pub async fn watch_conversations(
        &self,
        query: ConversationQuery,
        listener: Box<dyn ConversationsListener>,
    ) -> Result<Arc<Subscription>> {
        let query = query.try_into()?;
        self.run(|client| async move {
            let (shown, updates) = client.watch_conversations(query).await?;
            Subscription::follow(listener, Some(ConversationDiff::reset(shown)), updates.map_ok(ConversationDiff::all))
        })
        .await
    }

    /// Watches part of a thread. The first update is a reset.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn watch_thread(
        &self,
        conversation: ConversationId,
        window: Window,
        listener: Box<dyn ThreadListener>,
    ) -> Result<Arc<Subscription>> {
        self.run(|client| async move {
            let (shown, updates) = client.conversation(conversation).watch(window.into()).await?;
            let first = ThreadUpdate { diffs: MessageDiff::reset(shown.messages), older: shown.older.into() };
            Subscription::follow(listener, Some(first), updates.map_ok(ThreadUpdate::from))
        })
        .await
    }

    /// Watches the outbox. The first events are what is in it already.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub fn watch_outbox(&self, listener: Box<dyn OutboxListener>) -> Result<Arc<Subscription>> {
        // An event that this layer does not know yet is left out.
        let events = self.sdk()?.watch_outbox().try_filter_map(async |event| Ok(OutboxEvent::of(event)));
        Subscription::follow(listener, None, events)
    }

    /// Watches the number for a badge ([`Client::unread_for_badge`]). The first update is what it is now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub fn watch_unread_for_badge(&self, listener: Box<dyn CountListener>) -> Result<Arc<Subscription>> {
        Subscription::follow(listener, None, self.sdk()?.watch_unread_for_badge().map_ok(moment::count))
    }

    /// Watches the number of all unread messages. The first update is what it is now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub fn watch_total_unread(&self, listener: Box<dyn CountListener>) -> Result<Arc<Subscription>> {
        Subscription::follow(listener, None, self.sdk()?.watch_total_unread().map_ok(moment::count))
    }

    /// Watches the status. The first update is what it is now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub fn watch_status(&self, listener: Box<dyn StatusListener>) -> Result<Arc<Subscription>> {
        let mut status = self.sdk()?.status();
        let first = Status::from(status.borrow_and_update().clone());
        let changes = stream::unfold(status, async |mut status| {
            status.changed().await.ok()?;
            let now = Status::from(status.borrow_and_update().clone());
            Some((Ok::<_, fieldpost::Error>(now), status))
        });
        Subscription::follow(listener, Some(first), changes.take_until(Box::pin(self.ended()?)))
    }
}

impl From<fieldpost::ThreadUpdate> for ThreadUpdate {
    fn from(update: fieldpost::ThreadUpdate) -> Self {
        Self { diffs: MessageDiff::all(update.diffs), older: update.older.into() }
    }
}
