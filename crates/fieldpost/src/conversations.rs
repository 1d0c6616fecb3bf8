//! The conversation list, and opening a conversation.

use crate::{Client, ConversationId, ConversationSummary, MedicId, Result, Seq};
use fieldpost_storage::NewDirect;

/// How many conversations a list has at most.
const LIST_LIMIT: u32 = 10_000;

impl Client {
    /// All conversations, newest activity first.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn conversations(&self) -> Result<Vec<ConversationSummary>> {
        Ok(self.inner.store.conversations(LIST_LIMIT).await?)
    }

    /// One conversation; none if it is not here. An id that the server has since replaced still finds it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn conversation(&self, id: ConversationId) -> Result<Option<ConversationSummary>> {
        Ok(self.inner.store.conversation(id).await?)
    }

    /// Unread messages over all conversations, for a badge.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn total_unread(&self) -> Result<u64> {
        Ok(self.inner.store.total_unread().await?)
    }

    /// Opens the conversation with a medic, with or without a network. Opening it twice, or from two devices, gives the same
    /// one. A medic opens their own by their own medic id ([`Client::me`]).
    ///
    /// # Errors
    /// [`crate::Error::NotReady`] before the first sync.
    pub async fn open_direct(&self, medic: MedicId) -> Result<ConversationSummary> {
        let env = &self.inner.env;
        let new = NewDirect { id: env.conversation_id(), medic_id: medic, at: env.now() };
        let opened = self.inner.store.open_direct(env.mutation_id(), new).await?;
        self.note_local_write().await;
        Ok(opened)
    }

    /// Marks a thread as read up to the last message that was displayed ([`crate::ThreadWindow::last_seq`]): one that came in
    /// behind the screen's back stays unread. The count is right at once; the server learns it with the next sync. Returns
    /// where the marker stands.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] when the conversation is not here.
    pub async fn mark_read(&self, conversation: ConversationId, up_to: Seq) -> Result<Seq> {
        let env = &self.inner.env;
        let marker = self.inner.store.mark_read(env.mutation_id(), conversation, up_to, env.now()).await?;
        self.note_local_write().await;
        Ok(marker)
    }
}
