//! The role that keeps mutations until the server has settled them.

use crate::{ConversationSummary, StorageResult, ThreadMessage};
use async_trait::async_trait;
use fieldpost_domain::{
    Acknowledgement, Capability, ConversationId, Cursor, MedicId, Mentions, MessageContent, MessageId, MessageKind,
    Metadata, Mutation, MutationId, MutationKind, NewMessage, PersonId, PushOutcome, PushResult, Refusal, RetryCode,
    Seq, ServerLimits, SettingsChange, Time,
};
use std::collections::{BTreeSet, HashSet};

/// A message that a person sends. The store knows the sender.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingMessage {
    /// The id that the device made; the server keeps it.
    pub id: MessageId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// What it is.
    pub kind: MessageKind,
    /// Its text.
    pub content: MessageContent,
    /// What the app attached.
    pub metadata: Option<Metadata>,
    /// The message that it replies to.
    pub reply_to: Option<MessageId>,
    /// The people that it mentions.
    pub mentions: Mentions,
    /// When it was written, by the device clock.
    pub composed_at: Time,
}

impl OutgoingMessage {
    /// The message with its sender, as the outbox keeps it.
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

/// A direct conversation that a person opens. The store knows the person and the medic's org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDirect {
    /// The id that the device made. The server keeps it unless it already has a conversation with this medic.
    pub id: ConversationId,
    /// The medic.
    pub medic_id: MedicId,
    /// When it was opened, by the device clock.
    pub at: Time,
}

/// The broadcast that an admin opens. The store knows the admin and the org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBroadcast {
    /// The id that the device made. The server keeps it unless the org already has a broadcast.
    pub id: ConversationId,
    /// Its subject.
    pub subject: Option<String>,
    /// When it was opened, by the device clock.
    pub at: Time,
}

/// The limits of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// The maximal number of mutations.
    pub rows: u32,
    /// The maximal size, by [`fieldpost_domain::Intent::wire_size`].
    pub bytes: u32,
}

impl From<ServerLimits> for BatchLimits {
    fn from(limits: ServerLimits) -> Self {
        Self { rows: limits.push_rows, bytes: limits.push_bytes }
    }
}

/// The state of a mutation in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// It waits to be sent.
    Queued {
        /// How often the server has answered "retry".
        retries: u32,
        /// The reason of the last "retry".
        last_retry: Option<RetryCode>,
    },
    /// It waits for a capability that the server has not stated yet.
    NeedsServer(Capability),
    /// It was sent and there is no response: it is on its way, or the response was lost. Until a response comes it is
    /// resent unchanged, and can be neither edited nor cancelled.
    Sending,
    /// It was refused: a dead letter, which waits for a decision of the person.
    Failed(Refusal),
}

/// One mutation as the outbox shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The id of the mutation.
    pub mutation_id: MutationId,
    /// The kind of mutation.
    pub kind: MutationKind,
    /// Its lane.
    pub conversation_id: ConversationId,
    /// The message it sends, if it sends one.
    pub message_id: Option<MessageId>,
    /// The message it changes, if it changes one.
    pub target_id: Option<MessageId>,
    /// The text that it sends, so that a person can see it even if its conversation is gone.
    pub content: Option<String>,
    /// Its state.
    pub state: EntryState,
    /// When the person made or last retried it, by the device clock.
    pub recorded_at: Time,
}

/// The sizes of the outbox. Marks of what has arrived are recorded by the store itself and not counted
/// ([`fieldpost_domain::Policy::counts`]; `nobody_waits_for_a_mark_of_what_has_arrived`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxCounts {
    /// Mutations that wait for the server.
    pub pending: u64,
    /// Dead letters.
    pub failed: u64,
}

/// What recording the results of a batch did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettleReport {
    /// Mutations that left the outbox.
    pub acknowledged: u32,
    /// Mutations that became dead letters, including dependent ones.
    pub failed: u32,
    /// Mutations that wait for another attempt.
    pub retrying: u32,
    /// Results for mutations that are no longer in the outbox.
    pub unknown: u32,
    /// Results for mutations that nobody waits for; those are in none of the numbers above.
    pub uncounted: u32,
    /// Conversations that got their canonical id, from the old id to the new one.
    pub rekeyed: Vec<(ConversationId, ConversationId)>,
    /// The position moved with them ([`Outbox::settle_quiet`]).
    pub moved: bool,
}

impl SettleReport {
    /// Whether this device now has everything that these results tell of.
    #[must_use]
    pub fn has_all_of(&self, results: &[PushResult]) -> bool {
        let acknowledged = |result: &PushResult| matches!(result.outcome, PushOutcome::Acknowledged(_));
        self.unknown == 0 && self.rekeyed.is_empty() && results.iter().all(acknowledged)
    }

    /// The conversations whose count of unread messages these results may have changed on the server, of which they do not tell the
    /// new one.
    #[must_use]
    pub fn counted_anew(results: &[PushResult]) -> BTreeSet<ConversationId> {
        let marked = results.iter().filter_map(|result| match &result.outcome {
            PushOutcome::Acknowledged(Acknowledgement::Marked(marker)) => Some(marker.conversation_id),
            PushOutcome::Acknowledged(Acknowledgement::Set(row)) => Some(row.conversation_id),
            _ => None,
        });
        marked.collect()
    }

    /// A mutation has left the outbox.
    pub const fn acknowledge(&mut self, counts: bool) {
        *(if counts { &mut self.acknowledged } else { &mut self.uncounted }) += 1;
    }

    /// A mutation waits for another attempt.
    pub const fn retry(&mut self, counts: bool) {
        *(if counts { &mut self.retrying } else { &mut self.uncounted }) += 1;
    }
}

/// The durable, ordered queue of mutations, and the writes that fill it.
///
/// These rules hold for all methods. A story of the conformance suite (in brackets) holds each rule, here and below:
///
/// 1. Each write is one transaction: the mutation, its local effect, and the conversation that it changes. An accepted
///    mutation survives a power failure (`accepted_messages_survive_without_closing`).
/// 2. A dead letter whose message comes as a row of the server leaves: the message was sent from another device, or
///    restored (`a_dead_letter_whose_message_arrives_leaves`).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Records a message and queues its send.
    ///
    /// 1. The sender is the owner of the database (`a_message_has_the_sender_who_is_signed_in`).
    /// 2. The message appears at the end of its thread as `queued`
    ///    (`a_sent_message_is_queued_at_the_end_of_its_thread`).
    /// 3. The sender's read marker does not move (`sending_never_moves_the_read_marker`).
    /// 4. Sending the same message id again changes nothing and returns the stored message
    ///    (`defect_6_sending_the_same_id_again_changes_nothing`).
    /// 5. If the open of the conversation was refused, the message becomes a dead letter at once
    ///    ([`fieldpost_domain::RefusalCode::OpenRefused`]; `a_message_to_a_refused_conversation_parks_at_once`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NoAccount`] when nobody has signed in to this database;
    /// [`crate::StorageErrorKind::NotFound`] when the conversation is not stored;
    /// [`crate::StorageErrorKind::NotApplicable`] when a medic writes in a broadcast (`a_medic_only_reads_a_broadcast`), it replies to a message of another conversation, or mentions
    /// somebody who may not see this one ([`crate::visibility::may_see`]), as far as this device knows.
    async fn send(&self, mutation: MutationId, message: OutgoingMessage) -> StorageResult<ThreadMessage>;

    /// Opens the direct conversation with a medic.
    ///
    /// 1. If it is stored (by id, alias, or org and medic), the store returns it and queues nothing
    ///    (`opening_a_synced_conversation_queues_nothing`).
    /// 2. Otherwise the store creates it and queues the open ahead of its messages
    ///    (`an_open_is_sent_before_the_messages_of_its_conversation`).
    /// 3. The opener is the signed-in person. The org is the medic's, or the opener's if the medic is unknown
    ///    (`a_conversation_opened_offline_is_there_at_once`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotSynced`] when it is not stored, and neither the medic nor the signed-in person is
    /// known.
    async fn open_direct(&self, mutation: MutationId, new: NewDirect) -> StorageResult<ConversationSummary>;

    /// Opens the broadcast of the signed-in admin's org. If one is stored, the store returns it and queues nothing
    /// (`an_org_has_one_broadcast`); otherwise the store creates it and queues the open ahead of its messages
    /// (`an_admin_opens_a_broadcast_offline`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotSynced`] when the signed-in person is not known;
    /// [`crate::StorageErrorKind::NotApplicable`] when they are no admin (`a_medic_opens_no_broadcast`).
    async fn open_broadcast(&self, mutation: MutationId, new: NewBroadcast) -> StorageResult<ConversationSummary>;

    /// Moves the signed-in person's read marker to `up_to`, the highest seq that was displayed, and queues a read mark.
    ///
    /// 1. The marker stops at the end of the recent range, so it stays below a gap ([`crate::Replica::missing_ranges`];
    ///    `the_marker_stops_below_a_gap`).
    /// 2. Messages that arrived after the display stay unread (`a_message_that_was_not_displayed_stays_unread`).
    /// 3. The mark replaces a queued mark of the conversation (`a_queued_mark_is_replaced_by_a_later_one`).
    /// 4. The marker never moves back. If it does not move, nothing is queued (`reading_again_queues_nothing`).
    /// 5. What was marked unread is read: [`fieldpost_domain::Settings::unread_from`] is taken back, also if the marker does
    ///    not move (`reading_takes_back_what_was_marked_unread`).
    ///
    /// Returns the position of the marker.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when the conversation is not stored.
    async fn mark_read(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq>;

    /// Changes the person's settings for a conversation. Returns the conversation as it shows now.
    ///
    /// 1. The change shows at once, over what the server has (`a_setting_shows_at_once_and_is_queued`). It works before the
    ///    server has the conversation, behind its open (`a_setting_waits_behind_the_open`).
    /// 2. It is added, field by field, to a queued change of the conversation that was never attempted
    ///    (`a_setting_is_added_to_a_queued_one`). One in flight stays, and the new one follows it
    ///    (`a_setting_is_queued_behind_one_in_flight`). A change that changes nothing queues nothing.
    /// 3. A refused change becomes a dead letter, and the server's settings show again
    ///    (`a_refused_setting_shows_the_servers`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when the conversation is not stored;
    /// [`crate::StorageErrorKind::NoAccount`] when nobody has signed in.
    async fn set_conversation(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        change: SettingsChange,
        at: Time,
    ) -> StorageResult<ConversationSummary>;

    /// Takes the next mutations to send.
    ///
    /// 1. They are in the order of recording (`a_batch_is_in_the_order_of_recording`).
    /// 2. The batch holds as many as fit, but at least one. A mutation never overtakes one that does not fit
    ///    (`a_batch_respects_its_byte_limit`, `a_batch_has_at_least_one_mutation`).
    /// 3. Dead letters and the lanes in `held` are skipped; aliases are resolved (`defect_8_dead_letters_are_skipped`,
    ///    `held_lanes_are_skipped`).
    /// 4. The mutations stay in the outbox and become [`EntryState::Sending`], even across a power failure. Each has
    ///    one more attempt, which [`Outbox::settle`] or [`Outbox::withdraw`] ends (`a_mutation_in_a_batch_is_sending`,
    ///    `an_unknown_outcome_survives_a_restart`).
    async fn next_batch(&self, limits: BatchLimits, held: &HashSet<ConversationId>) -> StorageResult<Vec<Mutation>>;

    /// Records the results of a batch in one transaction and updates the rows.
    ///
    /// 1. Acknowledged: the mutation leaves the outbox. Its message becomes `sent` with the server's seq, time, version
    ///    and canonical conversation, and keeps its id (`a_stored_message_keeps_its_id_and_gets_its_place`). After a
    ///    bare acknowledgement a pull brings the rest (`a_bare_acknowledgement_is_enough_to_leave_the_outbox`).
    /// 2. If the result names another id for the conversation, it is re-keyed: its row, messages, marker and queued
    ///    mutations move, the old id becomes an alias, and a pulled row of the canonical id is merged
    ///    (`the_canonical_id_takes_the_place_of_the_local_one`, `an_answer_to_a_message_can_bring_the_canonical_id`).
    /// 3. The rows in a result obey versions, tombstones and revocations like the rows of a page
    ///    (`a_late_answer_does_not_resurrect_a_deleted_message`).
    /// 4. Rejected: the mutation becomes a dead letter (`a_refused_message_becomes_a_dead_letter`). If the server
    ///    refused it without looking it up ([`fieldpost_domain::RefusalCode::is_said_unseen`]), the outcome of an
    ///    earlier attempt stays unknown (`a_refusal_said_unseen_keeps_an_earlier_outcome_unknown`).
    /// 5. With a refused open, the mutations of its lane become dead letters too
    ///    ([`fieldpost_domain::RefusalCode::OpenRefused`]; `a_refused_open_parks_its_lane`).
    /// 6. A refused read mark leaves the outbox, because no person can repair it; the marker stays
    ///    (`a_refused_mark_leaves_and_the_marker_stays`). So does a message whose remote echo is stored
    ///    (`a_refusal_after_the_remote_echo_makes_no_dead_letter`).
    ///    And so does a deletion of what is gone (`a_deletion_refused_because_it_is_gone_is_done`).
    /// 7. Retry: the mutation keeps its place and the answer is counted
    ///    (`a_retry_result_keeps_the_place_and_is_counted`). It ends one attempt. If another attempt is in flight, the
    ///    server may still apply that one (`a_lost_response_keeps_the_mutation_in_flight_until_a_result`). A dead
    ///    letter stays one (`a_retry_result_does_not_revive_a_dead_letter`).
    async fn settle(&self, results: Vec<PushResult>) -> StorageResult<SettleReport>;

    /// Records the results of a batch as [`Outbox::settle`] does, and in the same transaction moves the position from the
    /// cursor that was sent with the batch to the one of the quiet answer
    /// (`a_quiet_push_settles_and_moves_in_one_write`). The next pull continues from there.
    ///
    /// The position stays, and only the results are recorded, when
    ///
    /// 1. it is not `Following(from)` any more (`a_quiet_push_moves_no_other_position`), or a run of pages is open
    ///    (`a_quiet_push_moves_no_open_run`);
    /// 2. not every result is an acknowledgement of a mutation in the outbox, or one gives a conversation its canonical id
    ///    (`a_quiet_push_moves_only_with_all_results`,
    ///    `a_quiet_push_moves_not_with_a_canonical_id`);
    /// 3. one marks a conversation that still has unread messages here: the server's count, which this device may need, comes with
    ///    a pull (`a_quiet_mark_moves_only_where_nothing_is_unread`).
    async fn settle_quiet(&self, results: Vec<PushResult>, from: &Cursor, to: &Cursor) -> StorageResult<SettleReport>;

    /// Ends one attempt of each of these mutations, because it was certainly not applied
    /// (`a_withdrawn_mutation_is_queued_again`). If the response to an earlier attempt was lost, the mutation is still
    /// [`EntryState::Sending`]. Mutations that are no longer in the outbox are ignored.
    async fn withdraw(&self, mutations: &[MutationId]) -> StorageResult<()>;

    /// Makes messages that were recorded before this time dead letters ([`fieldpost_domain::RefusalCode::Expired`]).
    /// Returns how many mutations became dead letters.
    ///
    /// 1. Only [`EntryState::Queued`] messages expire. A message in flight may have reached the server
    ///    (`an_attempted_message_does_not_expire`).
    /// 2. An open expires with the last message of its conversation. Later messages then become dead letters at once,
    ///    as after a refusal (`an_open_expires_with_the_last_of_its_messages`).
    /// 3. Read marks do not expire (`read_marks_do_not_expire`).
    /// 4. Messages and conversations that the server has are skipped (`an_echoed_message_does_not_expire`).
    async fn expire(&self, before: Time) -> StorageResult<u64>;

    /// Queues a dead letter again at `at`, by the device clock. Returns the entry.
    ///
    /// 1. It moves to the end of the outbox, and its message to the end of its thread
    ///    (`a_retried_dead_letter_goes_to_the_end`). Its ttl starts again (`a_retried_message_has_its_full_ttl_again`).
    /// 2. If the open of its conversation was refused, the whole lane is queued again: the open first, then the others
    ///    in their order (`retry_of_a_refused_open_queues_its_whole_lane`).
    /// 3. A mutation that is no dead letter stays as it is (`retry_of_a_queued_mutation_changes_nothing`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when it is not in the outbox; [`crate::StorageErrorKind::NotApplicable`]
    /// when it cannot be sent: its conversation is no longer stored, another person wrote it, or this version cannot
    /// read it.
    async fn retry(&self, mutation: MutationId, at: Time) -> StorageResult<OutboxEntry>;

    /// Changes a message ([`fieldpost_domain::Intent::target`] of the mutation). Returns the message as it shows now.
    ///
    /// 1. The change shows at once in the thread, the list and the search (`an_edit_shows_at_once_and_is_queued`). The
    ///    server's row is kept, and shows again when the change leaves the outbox
    ///    (`a_cancelled_edit_shows_the_servers_text`).
    ///
    /// 2. If the send of the message was never attempted, the change is added to it and the send keeps its place
    ///    (`an_edit_of_an_unsent_message_changes_its_send`). If the send was refused and the server certainly does not
    ///    have the message, it is retried with the change, as by [`Outbox::retry`]
    ///    (`an_edit_of_a_refused_message_sends_it_again`).
    /// 3. Otherwise the change is queued, behind the send if that is in flight
    ///    (`an_edit_of_a_message_in_flight_is_queued_behind_it`). It replaces the changes that its kind replaces
    ///    ([`fieldpost_domain::Policy::replaces`]; `an_edit_replaces_a_queued_one`). A change in flight stays, and the
    ///    new one follows it (`an_edit_is_queued_behind_one_in_flight`).
    /// 4. A refused change becomes a dead letter and is no longer shown (`a_refused_edit_shows_the_servers_text`).
    /// 5. Nothing is queued if it only takes back what it replaces
    ///    (`a_reaction_taken_back_before_it_was_sent_disappears`).
    /// 6. A change that leaves the message as it is ([`fieldpost_domain::Policy::leaves_as_is`]) is queued and shows
    ///    nothing (`a_report_is_queued_and_changes_nothing_that_shows`). A deletion does not replace it
    ///    (`a_deletion_leaves_a_queued_report`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when the message is not stored; [`crate::StorageErrorKind::NotApplicable`]
    /// when it is deleted, was omitted, another person wrote it, it is one's own and only those of others can be meant
    /// (`ones_own_message_is_not_reported`), it has as many reactions of the person as allowed, or it
    /// would newly mention somebody who may not see the conversation; [`crate::StorageErrorKind::NoAccount`] when nobody
    /// has signed in.
    async fn change(&self, mutation: Mutation, at: Time) -> StorageResult<ThreadMessage>;

    /// The changes of a message in the outbox, the oldest first, including dead letters.
    async fn changes_of(&self, message: MessageId) -> StorageResult<Vec<OutboxEntry>>;

    /// Changes the text of a mutation in the outbox. A queued one keeps its place; a dead letter is retried with the
    /// new text, as by [`Outbox::retry`]. Returns the entry.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::OutcomeUnknown`] while it is [`EntryState::Sending`], or if it is a dead letter that
    /// the server may have: with the same id the server would take the new text for the old one.
    /// [`crate::StorageErrorKind::NotApplicable`] when the mutation has no text. Otherwise those of [`Outbox::retry`].
    async fn edit(&self, mutation: MutationId, content: MessageContent, at: Time) -> StorageResult<OutboxEntry>;

    /// Removes a queued mutation or dead letter from the outbox. Its message is deleted here unless the server has it
    /// (`cancel_keeps_a_message_that_the_server_has`), and what
    /// was queued behind it leaves (`a_reaction_waits_behind_the_send_of_its_message`). Cancelling an open also removes the conversation and its
    /// mutations, because the server never had them (`cancel_of_an_open_removes_its_conversation`). Returns the removed
    /// entries in their order, so that an app can show them once more.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when it is not in the outbox; [`crate::StorageErrorKind::NotApplicable`]
    /// when it is a read mark, which cannot be undone; [`crate::StorageErrorKind::OutcomeUnknown`] while it, or an
    /// entry that would be removed with it, is [`EntryState::Sending`].
    async fn cancel(&self, mutation: MutationId) -> StorageResult<Vec<OutboxEntry>>;

    /// The entry that sends a message; none if there is no such entry.
    async fn entry_of(&self, message: MessageId) -> StorageResult<Option<OutboxEntry>>;

    /// At most `limit` mutations in order, including dead letters, without those that are not counted.
    async fn entries(&self, limit: u32) -> StorageResult<Vec<OutboxEntry>>;

    /// The sizes of the outbox.
    async fn counts(&self) -> StorageResult<OutboxCounts>;
}
