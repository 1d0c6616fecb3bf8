//! Watching a thread.

use super::{View, Watcher, difference, follow};
use crate::{Client, Conversation, ConversationId, Error, Older, Result, ThreadMessage, ThreadWindow, Updates, Window};
use eyeball_im::{Vector, VectorDiff};
use fieldpost_storage::ChangeSet;

/// A change of the shown part of a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadUpdate {
    /// The diffs of the shown messages. Empty if only `older` has changed.
    pub diffs: Vec<VectorDiff<ThreadMessage>>,
    /// Where older messages are now.
    pub older: Older,
}

impl Conversation {
    /// A snapshot of part of the thread, and its changes. Nothing is lost between the two. While the conversation is
    /// not on this device, the stream emits [`Error::NotFound`] for changes of it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not on this device.
    pub async fn watch(&self, window: Window) -> Result<(ThreadWindow, Updates<ThreadUpdate>)> {
        let watcher = Watcher::new(self.client());
        let canonical = self.summary().await?.ok_or(Error::NotFound)?.id;
        let shown = self.messages(window).await?;
        let messages = shown.messages.iter().cloned().collect();
        let thread = Thread { asked: self.id(), canonical, window, messages, older: shown.older };
        Ok((shown, follow(watcher, thread)))
    }
}

struct Thread {
    /// The id of the handle.
    asked: ConversationId,
    /// The id that commits name.
    canonical: ConversationId,
    window: Window,
    messages: Vector<ThreadMessage>,
    older: Older,
}

impl View for Thread {
    type Update = ThreadUpdate;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        changes.conversations.contains(self.canonical) || changes.conversations.contains(self.asked)
    }

    async fn refresh(&mut self, client: &Client, _: &ChangeSet) -> Result<Option<ThreadUpdate>> {
        let store = &client.inner.store;
        let ThreadWindow { messages, older } = store.messages(self.asked, self.window).await?;
        let canonical = match messages.first() {
            Some(message) => Some(message.conversation_id),
            None => store.conversation(self.asked).await?.map(|now| now.id),
        };
        self.canonical = canonical.unwrap_or(self.canonical);
        let diffs = difference(&self.messages, messages, |message| message.id);
        for diff in diffs.iter().cloned() {
            diff.apply(&mut self.messages);
        }
        let moved = std::mem::replace(&mut self.older, older) != older;
        Ok((moved || !diffs.is_empty()).then_some(ThreadUpdate { diffs, older }))
    }
}
