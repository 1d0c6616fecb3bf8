//! Deleting messages.

use crate::{Client, Conversation, Error, MessageId, Result, SentMessage, ThreadMessage};
use fieldpost_domain::{DeleteMessage, Intent, Mutation};

impl Conversation {
    /// Deletes a message, online or offline: one's own, or as an admin anybody's in the org. Its content leaves this device
    /// at once ([`ThreadMessage::deleted`], [`ThreadMessage::changing`]), that of others with their next sync; its place
    /// stays. A message that was never sent is taken back and leaves the thread. Deleting it again does nothing. If the
    /// server refuses, the message shows again, and the deletion waits in the outbox for the person
    /// ([`Client::changes_of`]).
    ///
    /// # Errors
    /// [`Error::NotFound`] when the message is not on this device; [`Error::NotPossible`] when somebody else wrote it and
    /// the person is no admin.
    pub async fn delete(&self, message: MessageId) -> Result<ThreadMessage> {
        self.client().delete(message).await
    }
}

impl SentMessage {
    /// See [`Conversation::delete`].
    ///
    /// # Errors
    /// As there.
    pub async fn delete(&self) -> Result<ThreadMessage> {
        self.client().delete(self.id()).await
    }
}

impl Client {
    async fn delete(&self, message_id: MessageId) -> Result<ThreadMessage> {
        let now = self.inner.store.message(message_id).await?.ok_or(Error::NotFound)?;
        let env = &self.inner.env;
        let deletion = DeleteMessage { conversation_id: now.conversation_id, message_id, deleted_at: env.now() };
        let mutation = Mutation { id: env.mutation_id(), intent: Intent::DeleteMessage(deletion) };
        let deleted = self.inner.store.change(mutation, env.now()).await?;
        self.note_local_write().await;
        Ok(deleted)
    }
}
