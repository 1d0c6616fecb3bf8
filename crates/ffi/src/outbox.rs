//! The outbox, and the person's decisions about it.

use crate::{Client, Result, moment};
use fieldpost::{ConversationId, MessageId, MutationId, OutboxRef};
use std::time::SystemTime;

/// Why the server refused something.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Refusal {
    /// For programs: a code of docs/protocol.md.
    pub code: String,
    /// For people.
    pub detail: Option<String>,
}

/// The state of an outbox entry.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum EntryState {
    /// It waits to be sent.
    Queued {
        /// How often the server has answered "retry".
        retries: u32,
        /// The reason of the last "retry".
        last_retry: Option<String>,
    },
    /// It waits for a capability of the server.
    NeedsServer {
        /// The capability.
        capability: String,
    },
    /// It was sent and there is no response yet. It can be neither edited nor cancelled.
    Sending,
    /// It was refused, and waits for the person.
    Failed {
        /// Why.
        refusal: Refusal,
    },
}

/// One mutation in the outbox ([`fieldpost::OutboxEntry`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OutboxEntry {
    /// The id of the mutation.
    pub mutation_id: MutationId,
    /// The kind of mutation, as docs/protocol.md names it.
    pub kind: String,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The message it sends, if it sends one.
    pub message_id: Option<MessageId>,
    /// The message it changes, if it changes one.
    pub target_id: Option<MessageId>,
    /// The text that it sends.
    pub text: Option<String>,
    /// Its state.
    pub state: EntryState,
    /// When the person made or last retried it.
    pub recorded_at: SystemTime,
}

/// The sizes of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct OutboxCounts {
    /// What waits for the server.
    pub pending: u32,
    /// What was refused and waits for the person.
    pub failed: u32,
}

/// Names one outbox entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EntryRef {
    /// By its mutation.
    Mutation {
        /// The id.
        id: MutationId,
    },
    /// By the message that it sends.
    Message {
        /// The id.
        id: MessageId,
    },
}

/// A change of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum OutboxEvent {
    /// It is in the outbox now. The first events are the entries that are there already.
    Waits {
        /// The entry.
        entry: OutboxEntry,
    },
    /// It is in another state than before.
    Changed {
        /// The entry.
        entry: OutboxEntry,
    },
    /// It has left: the server has it, or it was cancelled. This is its last state.
    Left {
        /// The entry.
        entry: OutboxEntry,
    },
}

#[uniffi::export]
impl Client {
    /// How many entries wait for the server, and how many for the person.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn pending(&self) -> Result<OutboxCounts> {
        self.run(|client| async move { Ok(client.pending().await?.into()) }).await
    }

    /// The outbox, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    #[uniffi::method(default(limit = 1000))]
    pub async fn outbox(&self, limit: u32) -> Result<Vec<OutboxEntry>> {
        self.run(|client| async move { Ok(entries(client.outbox(limit).await?)) }).await
    }

    /// Queues a refused entry again.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotWaiting`], [`crate::ErrorKind::NotPossible`].
    pub async fn retry(&self, entry: EntryRef) -> Result<OutboxEntry> {
        self.run(|client| async move { Ok(client.retry(OutboxRef::from(entry)).await?.into()) }).await
    }

    /// Queues every refused entry again that can be sent. Returns their number.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn retry_all(&self) -> Result<u32> {
        self.run(|client| async move { Ok(moment::count(client.retry_all().await?)) }).await
    }

    /// Cancels an entry that has not reached the server. Returns what left, so that the app can offer it as a draft.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotWaiting`], [`crate::ErrorKind::OutcomeUnknown`] while it is in flight.
    pub async fn cancel(&self, entry: EntryRef) -> Result<Vec<OutboxEntry>> {
        self.run(|client| async move { Ok(entries(client.cancel(OutboxRef::from(entry)).await?)) }).await
    }

    /// Cancels every refused entry.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn cancel_failed(&self) -> Result<Vec<OutboxEntry>> {
        self.run(|client| async move { Ok(entries(client.cancel_failed().await?)) }).await
    }

    /// Replaces the text of an entry in its place; a refused one is queued again with it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidContent`], [`crate::ErrorKind::NotWaiting`], [`crate::ErrorKind::OutcomeUnknown`].
    pub async fn edit_entry(&self, entry: EntryRef, text: String) -> Result<OutboxEntry> {
        self.run(|client| async move { Ok(client.edit_entry(OutboxRef::from(entry), &text).await?.into()) }).await
    }

    /// The entries that change a message, including refused ones.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn changes_of(&self, message: MessageId) -> Result<Vec<OutboxEntry>> {
        self.run(|client| async move { Ok(entries(client.changes_of(message).await?)) }).await
    }
}

pub(crate) fn entries(entries: Vec<fieldpost::OutboxEntry>) -> Vec<OutboxEntry> {
    entries.into_iter().map(Into::into).collect()
}

impl From<EntryRef> for OutboxRef {
    fn from(entry: EntryRef) -> Self {
        match entry {
            EntryRef::Mutation { id } => Self::Mutation(id),
            EntryRef::Message { id } => Self::Message(id),
        }
    }
}

impl From<fieldpost::Refusal> for Refusal {
    fn from(refusal: fieldpost::Refusal) -> Self {
        Self { code: refusal.code.to_string(), detail: refusal.detail }
    }
}

impl From<fieldpost::OutboxCounts> for OutboxCounts {
    fn from(counts: fieldpost::OutboxCounts) -> Self {
        Self { pending: moment::count(counts.pending), failed: moment::count(counts.failed) }
    }
}

impl From<fieldpost::EntryState> for EntryState {
    fn from(state: fieldpost::EntryState) -> Self {
        match state {
            fieldpost::EntryState::Queued { retries, last_retry } => {
                Self::Queued { retries, last_retry: last_retry.map(|code| code.to_string()) }
            }
            fieldpost::EntryState::NeedsServer(capability) => Self::NeedsServer { capability: capability.to_string() },
            fieldpost::EntryState::Sending => Self::Sending,
            fieldpost::EntryState::Failed(refusal) => Self::Failed { refusal: refusal.into() },
        }
    }
}

impl From<fieldpost::OutboxEntry> for OutboxEntry {
    fn from(entry: fieldpost::OutboxEntry) -> Self {
        Self {
            mutation_id: entry.mutation_id,
            kind: entry.kind.to_string(),
            conversation_id: entry.conversation_id,
            message_id: entry.message_id,
            target_id: entry.target_id,
            text: entry.content,
            state: entry.state.into(),
            recorded_at: moment::out(entry.recorded_at),
        }
    }
}

impl OutboxEvent {
    /// None for an event that this layer does not know yet.
    pub(crate) fn of(event: fieldpost::OutboxEvent) -> Option<Self> {
        match event {
            fieldpost::OutboxEvent::Waits(entry) => Some(Self::Waits { entry: entry.into() }),
            fieldpost::OutboxEvent::Changed(entry) => Some(Self::Changed { entry: entry.into() }),
            fieldpost::OutboxEvent::Left(entry) => Some(Self::Left { entry: entry.into() }),
            _ => None,
        }
    }
}
