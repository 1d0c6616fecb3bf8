//! The conversation list, and opening conversations.

use crate::{Client, Conversation, ConversationQuery, ConversationSummary, MedicId, Result};
use fieldpost_storage::NewDirect;

/// Maximum number of conversations in a list.
const LIST_LIMIT: u32 = 10_000;

impl Client {
    /// All conversations, pinned ones first, then newest activity. [`Client::watch_conversations`] streams changes.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn conversations(&self) -> Result<Vec<ConversationSummary>> {
        Ok(self.inner.store.conversations(LIST_LIMIT).await?)
    }

    /// The conversations that match, pinned ones first, then newest activity.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn conversations_matching(&self, query: ConversationQuery) -> Result<Vec<ConversationSummary>> {
        Ok(self.inner.store.conversations_matching(&query.at(self.inner.env.now()).0).await?)
    }

    /// The unread messages that call for attention, for a badge: without those of muted conversations, and of those in the
    /// archive. [`Client::watch_unread_for_badge`] streams changes, also when a mute ends.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn unread_for_badge(&self) -> Result<u64> {
        Ok(self.inner.store.unread_for_badge(self.inner.env.now()).await?)
    }

    /// Unread messages over all conversations, muted and archived ones too.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn total_unread(&self) -> Result<u64> {
        Ok(self.inner.store.total_unread().await?)
    }

    /// Unread messages over all conversations that mention the signed-in person.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn total_unread_mentions(&self) -> Result<u64> {
        Ok(self.inner.store.total_unread_mentions().await?)
    }

    /// Opens the conversation with a medic, online or offline. Opening it twice, or on two devices, gives the same
    /// conversation. A medic opens their own conversation with their own medic id ([`Client::me`]).
    ///
    /// # Errors
    /// [`crate::Error::NotReady`] before the first sync.
    pub async fn open_direct(&self, medic: MedicId) -> Result<Conversation> {
        let env = &self.inner.env;
        let new = NewDirect { id: env.conversation_id(), medic_id: medic, at: env.now() };
        let opened = self.inner.store.open_direct(env.mutation_id(), new).await?;
        self.note_local_write().await;
        Ok(self.conversation(opened.id))
    }
}
