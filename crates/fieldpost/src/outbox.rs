//! The outbox: entries that wait for the server or for the person, and the person's decisions about them.

use crate::{Client, EntryState, Error, MessageContent, MessageId, MutationId, OutboxCounts, OutboxEntry, Result};
use fieldpost_storage::{StorageError, StorageErrorKind, StorageResult};

/// Names one outbox entry: by its mutation, or by the message that it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxRef {
    /// The id of the mutation ([`OutboxEntry::mutation_id`]).
    Mutation(MutationId),
    /// The id of the message in its thread.
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
    /// How many entries wait for the server, and how many for the person.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn pending(&self) -> Result<OutboxCounts> {
        Ok(self.inner.store.counts().await?)
    }

    /// The outbox, oldest first, at most `limit` entries. [`Client::watch_outbox`] streams changes.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn outbox(&self, limit: u32) -> Result<Vec<OutboxEntry>> {
        Ok(self.inner.store.entries(limit).await?)
    }

    /// Queues a refused entry again. The next sync sends it, after everything that was written since. If its
    /// conversation could not be opened, the opening and the other entries of the conversation are queued with it. An
    /// entry that is already queued stays as it is.
    ///
    /// # Errors
    /// [`Error::NotWaiting`]; [`Error::NotPossible`] when it cannot be sent, for example because the conversation is no
    /// longer on this device.
    pub async fn retry(&self, what: impl Into<OutboxRef> + Send) -> Result<OutboxEntry> {
        let mutation = self.mutation(what.into()).await?;
        self.decided(self.inner.store.retry(mutation, self.inner.env.now()).await).await
    }

    /// Queues again every refused entry that can be sent. Returns their number; the others stay refused.
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

    /// Cancels an entry that has not reached the server. A message leaves its thread; a conversation that was never
    /// opened on the server is removed with its outbox entries. Returns the cancelled entries, so the app can offer
    /// them as drafts.
    ///
    /// # Errors
    /// [`Error::NotWaiting`]; [`Error::OutcomeUnknown`] while it is in flight.
    pub async fn cancel(&self, what: impl Into<OutboxRef> + Send) -> Result<Vec<OutboxEntry>> {
        let mutation = self.mutation(what.into()).await?;
        self.decided(self.inner.store.cancel(mutation).await).await
    }

    /// Cancels every refused entry, as [`Client::cancel`] does. Returns what was cancelled; entries that wait for the
    /// server stay.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn cancel_failed(&self) -> Result<Vec<OutboxEntry>> {
        let mut cancelled = Vec::new();
        for entry in self.outbox(u32::MAX).await? {
            if matches!(entry.state, EntryState::Failed(_)) {
                match self.cancel(entry.mutation_id).await {
                    Ok(entries) => cancelled.extend(entries),
                    // It went together with one before it.
                    Err(Error::NotWaiting | Error::OutcomeUnknown | Error::NotPossible(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(cancelled)
    }

    /// The outbox entries that change a message, oldest first, including refused ones.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn changes_of(&self, message: MessageId) -> Result<Vec<OutboxEntry>> {
        Ok(self.inner.store.changes_of(message).await?)
    }

    /// Replaces the text of an outbox entry in its place; a refused entry is queued again with it.
    /// [`crate::Conversation::edit`] changes a message whether or not the server has it.
    ///
    /// # Errors
    /// [`Error::InvalidContent`]; [`Error::NotWaiting`]; [`Error::OutcomeUnknown`] while it is in flight;
    /// [`Error::NotPossible`] as for [`Client::retry`].
    pub async fn edit_entry(&self, what: impl Into<OutboxRef> + Send, text: &str) -> Result<OutboxEntry> {
        let content = MessageContent::new(text)?;
        let mutation = self.mutation(what.into()).await?;
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

/// "Not found" from the outbox means that there is no such entry.
fn refused(error: StorageError) -> Error {
    match error.kind() {
        StorageErrorKind::NotFound => Error::NotWaiting,
        _ => error.into(),
    }
}
