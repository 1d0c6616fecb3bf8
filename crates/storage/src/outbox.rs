//! The role that keeps what a person did until the server has answered.

use crate::{ConversationSummary, StorageResult, ThreadMessage};
use async_trait::async_trait;
use fieldpost_domain::{
    Capability, ConversationId, MedicId, Mentions, MessageContent, MessageId, MessageKind, Metadata, Mutation,
    MutationId, MutationKind, NewMessage, PersonId, PushResult, Refusal, RetryCode, Seq, ServerLimits, Time,
};
use std::collections::HashSet;

/// A message that a person sends. Who that is, the store knows.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingMessage {
    /// Made on the device, and kept by the server.
    pub id: MessageId,
    /// Where to.
    pub conversation_id: ConversationId,
    /// What it is.
    pub kind: MessageKind,
    /// Its text.
    pub content: MessageContent,
    /// What the app attached.
    pub metadata: Option<Metadata>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// Whom it mentions.
    pub mentions: Mentions,
    /// When it was written, by the device's clock.
    pub composed_at: Time,
}

impl OutgoingMessage {
    /// The same with its sender, as the outbox keeps it.
    #[must_use]
    pub fn by(self, sender_id: PersonId) -> NewMessage {
        let Self { id, conversation_id, kind, content, metadata, reply_to, mentions, composed_at } = self;
        NewMessage { id, conversation_id, sender_id, kind, content, metadata, reply_to, mentions, composed_at }
    }
}

impl From<NewMessage> for OutgoingMessage {
    fn from(message: NewMessage) -> Self {
        let NewMessage { id, conversation_id, kind, content, metadata, reply_to, mentions, composed_at, .. } = message;
        Self { id, conversation_id, kind, content, metadata, reply_to, mentions, composed_at }
    }
}

/// A direct conversation that a person opens. Who that is, and in which org the medic is, the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDirect {
    /// Made on the device; kept unless the server already has a conversation for this medic.
    pub id: ConversationId,
    /// With whom.
    pub medic_id: MedicId,
    /// When, by the device's clock.
    pub at: Time,
}

/// How much fits in one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Mutations.
    pub rows: u32,
    /// Bytes, by [`fieldpost_domain::Intent::wire_size`].
    pub bytes: u32,
}

impl From<ServerLimits> for BatchLimits {
    fn from(limits: ServerLimits) -> Self {
        Self { rows: limits.push_rows, bytes: limits.push_bytes }
    }
}

/// What became of a mutation so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// Waiting to be sent, or to be sent again.
    Queued {
        /// How often the server has answered "not now".
        retries: u32,
        /// The last such answer.
        last_retry: Option<RetryCode>,
    },
    /// The server cannot do this yet, as far as it has said; it is sent once the server can.
    NeedsServer(Capability),
    /// It has left for the server and no answer to that is here: it is on its way, or its answer was lost. Whether the server
    /// has it is unknown, so it is sent again as it is until an answer comes, and can neither be edited nor cancelled.
    Sending,
    /// Refused for good: a dead letter, waiting for a person.
    Failed(Refusal),
}

/// One mutation as the outbox shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Which mutation.
    pub mutation_id: MutationId,
    /// What it does.
    pub kind: MutationKind,
    /// Its lane.
    pub conversation_id: ConversationId,
    /// The message it sends, if it sends one.
    pub message_id: Option<MessageId>,
    /// The message it changes, if it changes one.
    pub target_id: Option<MessageId>,
    /// The text that it sends, so that a person can see what did not get through even when its conversation is gone.
    pub content: Option<String>,
    /// What became of it.
    pub state: EntryState,
    /// When the person did it, or last decided to send it again, by the device's clock.
    pub recorded_at: Time,
}

/// How full the outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxCounts {
    /// Mutations waiting for the server.
    pub pending: u64,
    /// Dead letters.
    pub failed: u64,
}

/// What recording the answers of a batch did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettleReport {
    /// Mutations that left the outbox.
    pub acknowledged: u32,
    /// Mutations that became dead letters, dependents included.
    pub failed: u32,
    /// Mutations that wait for another attempt.
    pub retrying: u32,
    /// Answers to mutations that are no longer in the outbox.
    pub unknown: u32,
    /// Conversations that got their canonical id: from, to.
    pub rekeyed: Vec<(ConversationId, ConversationId)>,
}

/// The durable ordered queue of mutations, and the writes that fill it.
///
/// A dead letter whose message comes as a row of the server's, by the signed-in person, leaves: it has arrived all the same (sent
/// from another device, or restored).
///
/// Every write of a person is one transaction with its mutation: the optimistic row (local echo), the mutation, and the
/// conversation it touches. What is accepted survives a power cut.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Writes a message locally and queues its send. Its sender is the person whose database this is when it is written. The
    /// message appears at the end of its thread as `queued`. The sender's read marker does not move. Sending the same message id again changes nothing and returns what is there. In a
    /// conversation whose open was refused it parks at once ([`fieldpost_domain::RefusalCode::OpenRefused`]), as what was
    /// written before did.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NoAccount`] when nobody has signed in to this database;
    /// [`crate::StorageErrorKind::NotFound`] when the conversation is not here.
    async fn send(&self, mutation: MutationId, message: OutgoingMessage) -> StorageResult<ThreadMessage>;

    /// Opens the direct conversation with a medic: the one that is here (by its id or an alias of it, or by org and medic),
    /// else a new one with its mutation queued ahead of everything written in it. It is opened by the signed-in person, in the
    /// org where the roster has the medic, else in that person's own.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotSynced`] when it is not here, and neither the medic nor the signed-in person is known.
    async fn open_direct(&self, mutation: MutationId, new: NewDirect) -> StorageResult<ConversationSummary>;

    /// Moves the signed-in person's read marker to `up_to`, the highest seq that was displayed, but not above the highest
    /// seq below which nothing is missing in the part of the thread that is here; and queues that. What arrived since the
    /// thread was displayed stays unread. A mark that is still queued for the conversation is replaced. Returns where the
    /// marker stands; it never goes back, and nothing is queued when it did not move. The part that is here is the recent
    /// range, see [`crate::Replica::missing_ranges`].
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when the conversation is not here.
    async fn mark_read(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq>;

    /// Takes the next mutations to send, in the order in which they were recorded, as many as fit (but at least one, whatever
    /// its size); nothing overtakes one that does not fit. Dead letters and the lanes in `held` (aliases resolved) are passed
    /// over. They stay where they are and count as [`EntryState::Sending`] from now on, power cuts included: one attempt each,
    /// that [`Outbox::settle`] or [`Outbox::withdraw`] ends.
    async fn next_batch(&self, limits: BatchLimits, held: &HashSet<ConversationId>) -> StorageResult<Vec<Mutation>>;

    /// Records the server's answers, all in one transaction, and fixes the rows they are about:
    ///
    /// * acknowledged: the mutation leaves the outbox. A message becomes `sent` with the server's seq, time, version and
    ///   canonical conversation, keeping its id (after a bare acknowledgement the rest comes with a pull). An opened
    ///   conversation whose canonical id is another is re-keyed: its row, messages, marker and queued mutations move, the old
    ///   id becomes an alias, and a row of the canonical id that came by a pull is merged. The answer to a message that names
    ///   another canonical conversation re-keys in the same way. Rows in an answer are subject to versions, tombstones and
    ///   revocations as those of a page are.
    /// * rejected: it becomes a dead letter. When an earlier attempt is in_flight and the refusal says nothing of it
    ///   ([`fieldpost_domain::RefusalCode::is_said_unseen`]), it stays unknown whether the server has it. With a refused open,
    ///   the mutations of that conversation park too ([`fieldpost_domain::RefusalCode::OpenRefused`]). A refused read mark
    ///   leaves the outbox: no person can repair it, and the marker stands locally. So does a message whose remote echo is
    ///   here: the server has it.
    /// * retry: it stays where it is, and the answer is counted. It ends one attempt: when another one is still in_flight,
    ///   the server may yet carry that out. A dead letter stays one.
    async fn settle(&self, results: Vec<PushResult>) -> StorageResult<SettleReport>;

    /// Takes one attempt of each of these mutations back: it has certainly not been carried out. One whose answer was lost
    /// before is still [`EntryState::Sending`]. Mutations that are no longer in the outbox are passed over.
    async fn withdraw(&self, mutations: &[MutationId]) -> StorageResult<()>;

    /// Parks the messages that have waited since before a moment, as dead letters ([`fieldpost_domain::RefusalCode::Expired`]).
    /// Only what is [`EntryState::Queued`]: of one that may have reached the server it is not for this device to say that it
    /// was not sent. An open waits for the messages behind it and expires with the last of them, so that what is written in its
    /// conversation later parks with it, as after a refusal. Read marks do not expire. Nothing leaves the outbox, and what the
    /// server has (a message whose remote echo is here, a conversation that came by a pull) is passed over. Returns how many
    /// became dead letters.
    async fn expire(&self, before: Time) -> StorageResult<u64>;

    /// Sends a dead letter again at a moment of the device's clock, from which it has waited anew: it goes to the end of the
    /// outbox, its message to the end of its thread, and order is judged from there. The mutations of a conversation whose
    /// open was refused go together, whichever of them is named: the open first, then what parked with it in its old order.
    /// One that is no dead letter stays as it is. Returns the entry.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when it is not in the outbox; [`crate::StorageErrorKind::NotApplicable`] when it
    /// cannot be sent: its conversation is not here (any more), another person wrote it, or this version cannot read it.
    async fn retry(&self, mutation: MutationId, at: Time) -> StorageResult<OutboxEntry>;

    /// Changes a message of its own thread as an intent says ([`fieldpost_domain::Intent::target`]). It shows at once, in the
    /// thread, the list and the search; what the server told of it is kept, and shows again when the change leaves the outbox.
    ///
    /// * A message whose send waits and was never attempted takes the change with it, in its place; one whose send was refused
    ///   and that the server certainly does not have is sent again with it, as by [`Outbox::retry`].
    /// * Else the change waits in the outbox, behind the send if that is on its way. It takes the place of those that its kind
    ///   replaces ([`fieldpost_domain::Policy::replaces`]); one that is on its way stays, and the new one comes after it.
    /// * A change that the server refuses becomes a dead letter, and shows no more.
    ///
    /// Returns the message as it shows now.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when the message is not here; [`crate::StorageErrorKind::NotApplicable`] when it is
    /// deleted, was omitted, or another person wrote it; [`crate::StorageErrorKind::NoAccount`] when nobody has signed in.
    async fn change(&self, mutation: Mutation, at: Time) -> StorageResult<ThreadMessage>;

    /// The changes of a message that are in the outbox, oldest first, dead letters included.
    async fn changes_of(&self, message: MessageId) -> StorageResult<Vec<OutboxEntry>>;

    /// Changes the text of a message that waits. A queued one keeps its place; a dead letter is sent again with it, as by
    /// [`Outbox::retry`]. Returns the entry.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::OutcomeUnknown`] while it is [`EntryState::Sending`], and of a dead letter that the server may
    /// have all the same: under the same id the new text would be taken for the old;
    /// [`crate::StorageErrorKind::NotApplicable`] when the mutation sends no message; else as [`Outbox::retry`].
    async fn edit(&self, mutation: MutationId, content: MessageContent, at: Time) -> StorageResult<OutboxEntry>;

    /// Takes a mutation back that waits, a dead letter included: it leaves the outbox, and its message the device unless the
    /// server has it. With an open go the conversation and everything that waits in it, for the server never knew of it.
    /// Returns what left, in its order, so that a person can be shown it once more.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when it is not in the outbox; [`crate::StorageErrorKind::NotApplicable`] when it is
    /// a read mark (what was read stays read); [`crate::StorageErrorKind::OutcomeUnknown`] while it, or something that would
    /// go with it, is [`EntryState::Sending`].
    async fn cancel(&self, mutation: MutationId) -> StorageResult<Vec<OutboxEntry>>;

    /// The entry that sends a message; none when the outbox has none (any more).
    async fn entry_of(&self, message: MessageId) -> StorageResult<Option<OutboxEntry>>;

    /// All mutations in order, dead letters included, at most `limit`.
    async fn entries(&self, limit: u32) -> StorageResult<Vec<OutboxEntry>>;

    /// How full the outbox is.
    async fn counts(&self) -> StorageResult<OutboxCounts>;
}
