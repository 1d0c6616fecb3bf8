//! What waits for the server or for the person, and what the person decides about it.

use crate::{Client, EntryState, Error, MessageContent, MessageId, MutationId, OutboxCounts, OutboxEntry, Result};
use fieldpost_storage::{StorageError, StorageErrorKind, StorageResult};

/// Names one entry of the outbox: by its mutation, or by the message that it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxRef {
    /// [`OutboxEntry::mutation_id`].
    Mutation(MutationId),
    /// The id of the message, as its thread shows it.
    Message(MessageId),
}

impl From<MutationId> for OutboxRef {
    fn from(id: MutationId) -> Self {
        Self::Mutation(id)
    }
}

impl From<MessageId> for OutboxRef {
    fn from(id: MessageId) -> Self {
        Self::Message(id)
    }
}

impl Client {
    /// How much waits for the server, and how much waits for the person.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn pending(&self) -> Result<OutboxCounts> {
        Ok(self.inner.store.counts().await?)
    }

    /// The outbox, oldest first, at most `limit` entries. [`Client::watch_outbox`] follows it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn outbox(&self, limit: u32) -> Result<Vec<OutboxEntry>> {
        Ok(self.inner.store.entries(limit).await?)
    }

    /// Sends what was refused again. It goes out with the next sync, behind everything that was written meanwhile. What
    /// belongs to a conversation that could not be opened goes together with it. Nothing happens to what waits anyway.
    ///
    /// # Errors
    /// [`Error::NotWaiting`]; [`Error::NotPossible`] when it cannot be sent, for example because the conversation has left
    /// this device.
    pub async fn retry(&self, what: impl Into<OutboxRef> + Send) -> Result<OutboxEntry> {
        let mutation = self.mutation(what.into()).await?;
        self.decided(self.inner.store.retry(mutation, self.inner.env.now()).await).await
    }

    /// Sends everything again that was refused and can be sent. Returns how many entries that are; the others stay.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn retry_all(&self) -> Result<u64> {
        let before = self.pending().await?.failed;
        for entry in self.outbox(u32::MAX).await? {
            if matches!(entry.state, EntryState::Failed(_)) {
                match self.retry(entry.mutation_id).await {
                    Ok(_) | Err(Error::NotPossible(_) | Error::NotWaiting) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(before.saturating_sub(self.pending().await?.failed))
    }

    /// Takes back what the server does not have: a message leaves its thread; a conversation that was never opened on the
    /// server goes with everything that waits in it. Returns what left, so that the app can offer it as a draft.
    ///
    /// # Errors
    /// [`Error::NotWaiting`]; [`Error::OutcomeUnknown`] while it is on its way.
    pub async fn cancel(&self, what: impl Into<OutboxRef> + Send) -> Result<Vec<OutboxEntry>> {
        let mutation = self.mutation(what.into()).await?;
        self.decided(self.inner.store.cancel(mutation).await).await
    }

    /// Every change of a message's text comes through here.
    pub(crate) async fn edit_message(&self, message: MessageId, text: &str) -> Result<OutboxEntry> {
        let content = MessageContent::new(text)?;
        let mutation = self.mutation(message.into()).await?;
        self.decided(self.inner.store.edit(mutation, content, self.inner.env.now()).await).await
    }

    async fn mutation(&self, what: OutboxRef) -> Result<MutationId> {
        match what {
            OutboxRef::Mutation(id) => Ok(id),
            OutboxRef::Message(id) => Ok(self.inner.store.entry_of(id).await?.ok_or(Error::NotWaiting)?.mutation_id),
        }
    }

    async fn decided<T>(&self, result: StorageResult<T>) -> Result<T> {
        let decided = result.map_err(refused)?;
        self.note_local_write().await;
        Ok(decided)
    }
}

/// About the outbox, "not found" means something else than about a conversation.
fn refused(error: StorageError) -> Error {
    match error.kind() {
        StorageErrorKind::NotFound => Error::NotWaiting,
        _ => error.into(),
    }
}
