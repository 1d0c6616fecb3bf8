//! The role that follows the server.

use crate::{Keep, StorageResult, SyncMemory, Trimmed};
use async_trait::async_trait;
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, Person, PullPage, Seq, SeqRange, ServerInfo, Time,
};

/// How far this device has followed the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncPosition {
    /// Nothing was loaded yet.
    Fresh,
    /// A bootstrap is running, possibly since before a restart.
    Bootstrapping {
        /// The next continuation; none before its first page.
        after: Option<Continuation>,
        /// Conversations loaded so far.
        done: u64,
        /// Conversations in total; none before the first page.
        total: Option<u64>,
    },
    /// Only the conversations of a first screen are stored. The bootstrap has not begun.
    FirstScreen,
    /// Everything up to this cursor is applied.
    Following(Cursor),
}

/// Why a bootstrap starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootstrapReason {
    /// The first bootstrap of this file.
    First,
    /// The server has another epoch (it was restored or promoted): stored versions mean nothing any more.
    Epoch,
    /// The person's access has changed, the server no longer has the cursor, or the digests differ: stored versions
    /// stay valid.
    Reconcile,
}

/// What a store knows about syncing.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncState {
    /// The position.
    pub position: SyncPosition,
    /// The last pulled page said that there is more. The next pull continues this run of pages, which ends at the
    /// server's position when the run began, however long ago that was.
    pub run_open: bool,
    /// The signed-in person's row, by the last bootstrap or pull.
    pub me: Option<Person>,
    /// When the last successful sync finished, by the device clock.
    pub last_success_at: Option<Time>,
    /// How many unreadable rows are kept for a newer version, at most [`crate::unreadable::KEPT`].
    pub unreadable_rows: u64,
    /// What the server last said about itself; none before any page came.
    pub server: Option<ServerInfo>,
    /// The generation of the copy. It changes when a bootstrap begins and when its first page is applied. A response to
    /// a request of an earlier generation confirms nothing.
    pub generation: u64,
    /// What earlier passes have learned.
    pub memory: SyncMemory,
}

/// A part of a thread that is known to be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingRange {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Fetch history below this seq; none for the newest.
    pub before: Option<Seq>,
    /// The highest missing seq.
    pub newest: Seq,
}

/// A conversation that can be compared with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkable {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its recent range, which should be the same on the server.
    pub range: SeqRange,
}

/// What applying a page did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApplyReport {
    /// Rows that changed something.
    pub applied: u64,
    /// Rows that were older than the stored ones, or equal.
    pub stale: u64,
    /// Rows that could not be read. The newest of them are kept aside.
    pub unreadable: u64,
    /// New messages of others, not deleted.
    pub new_messages: u64,
    /// Read marks that were queued again, because the server does not know how far the person has read.
    pub marked_again: u64,
    /// Marks of what has arrived that were queued.
    pub delivered: u64,
    /// Conversations that left the device.
    pub purged: Vec<ConversationId>,
    /// Whether the digest of the page equals that of the store after the page; none if the page has no digest.
    /// Conversations that the server does not have yet do not count.
    pub digest_matches: Option<bool>,
}

/// The copy of the server's rows.
///
/// One transaction applies a page: its rows, the position that it leads to, and the unread counts of its conversations.
/// The rows are applied in this order: grants, people, conversations, messages, read markers, settings, tombstones,
/// revocations.
/// A story of the conformance suite (in brackets) holds each rule:
///
/// 1. A row of an older or equal version changes nothing (`an_older_state_of_a_message_is_ignored`). A conversation's
///    derived fields carry no version. `last_seq`: the larger wins (`last_seq_only_grows`). `unread`,
///    `last_message_at`, `last_message_preview` and `medic_name` come from the row with the larger `last_seq`; at equal
///    ones from the later row, unless its version is older. A row from history never counts as the later one
///    (`history_overtaken_by_a_pull_does_not_change_the_count`).
/// 2. A message whose send is in the outbox becomes `sent` with the server's values. The mutation stays until its own
///    result comes (`a_remote_echo_before_the_answer_is_not_doubled`).
/// 3. A message of an unknown conversation is kept aside as unreadable (`a_message_of_an_unknown_conversation_is_kept_aside`),
///    and ignored if that conversation was deleted or revoked (`late_rows_of_a_revoked_conversation_are_ignored`). An access
///    change of an unknown kind is kept aside too (`an_unknown_kind_of_access_is_kept_aside`).
/// 4. If two rows have the same version but other values, the later one counts: a trigger of the project has changed
///    the row after the server answered (`a_known_version_with_other_values_is_applied`).
/// 5. A page may cover a part of a thread completely. A seq in it without a message is no gap
///    (`a_hidden_message_is_no_gap`).
/// 6. Unreadable rows are kept aside, each once, the newest [`crate::unreadable::KEPT`] of them
///    (`the_newest_thousand_unreadable_rows_are_kept`). They leave with their conversation
///    (`unreadable_rows_leave_with_their_conversation`).
/// 7. A person has one row per org; their versions are not comparable. In a conversation the row of its org counts
///    (`a_member_of_two_orgs_has_the_role_of_each_org`).
/// 8. A name is looked up when a row is read, so a new name shows everywhere (`a_new_name_shows_everywhere`).
/// 9. A page may bring a direct conversation while the open of another one, for the same org and medic, is queued. The
///    store merges the two under the server's id (`a_pulled_row_of_the_same_medic_merges_before_the_answer`).
/// 10. Of two positions of a marker the larger wins (`the_marker_never_goes_backwards`). A marker may come before its
///     conversation (`a_marker_before_its_conversation_is_kept`).
///     Settings are versioned like every row, may come before their conversation, and leave with it
///     (`settings_of_another_device_arrive`, `settings_leave_with_their_conversation`). After a change of epoch those that the
///     server does not have are forgotten (`settings_that_a_restored_server_has_lost_are_gone`).
/// 11. A tombstone of a message removes the row, unless the row is newer; its seq stays known
///     (`a_deleted_message_does_not_come_back`). A tombstone of a conversation removes everything of it, as a revocation does
///     ([`fieldpost_domain::RefusalCode::ConversationDeleted`]; `a_deleted_conversation_leaves_and_does_not_come_back`).
/// 12. A revocation removes the conversation, its messages and markers (`a_revoked_conversation_leaves_the_device`). Its queued
///     mutations become dead letters ([`fieldpost_domain::RefusalCode::AccessLost`]) whose messages stay visible to their
///     author (`unsent_messages_of_a_revoked_conversation_become_dead_letters`). Read marks, and messages that the server has,
///     leave the outbox (`an_echoed_message_of_a_revoked_conversation_leaves_the_outbox`).
/// 13. A newer grant brings the conversation back (`a_newer_grant_brings_the_conversation_back`), and so does a bootstrap that
///     lists it (`a_bootstrap_brings_back_a_revoked_conversation`).
/// 14. Reactions are rows of their own, each with a version (`an_older_row_brings_no_reaction_back`). One whose message is not
///     stored is kept (`a_reaction_may_come_before_its_message`); they leave with a message that is deleted, and with their
///     conversation (`reactions_leave_with_their_message`, `reactions_leave_with_their_conversation`). A bootstrap from a server
///     with [`fieldpost_domain::Capability::Reactions`] has all reactions to the messages of its conversations: others leave
///     (`reactions_that_a_bootstrap_does_not_tell_leave`).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Replica: Send + Sync {
    /// The position and everything else that is known about syncing.
    async fn sync_state(&self) -> StorageResult<SyncState>;

    /// The signed-in person's rows, one for each org, those included where she is no member any more; none before a page has told
    /// who she is (`a_member_of_two_orgs_has_the_role_of_each_org`).
    async fn memberships(&self) -> StorageResult<Vec<Person>>;

    /// Begins a bootstrap, or begins it again: the position becomes `Bootstrapping` without a continuation. Everything
    /// stays readable (`everything_stays_readable_during_a_bootstrap`). [`BootstrapReason::Epoch`] forgets all stored
    /// versions, including those of tombstones and revocations, now and again with the first page, because rows that
    /// come in between may belong to the old epoch. An unfinished change of epoch stays one, whatever the new reason is
    /// (`starting_over_keeps_a_change_of_epoch`).
    async fn begin_bootstrap(&self, reason: BootstrapReason) -> StorageResult<()>;

    /// Applies one page of a bootstrap. `after` is the continuation that it was requested with.
    ///
    /// 1. The page covers a range of each of its conversations completely: from the lowest seq in the page to
    ///    `last_seq`. The range is empty if the page has no message of the conversation. It replaces the recent range
    ///    (`a_later_bootstrap_replaces_the_range`). Stored messages inside it that are not in the page leave
    ///    (`messages_that_a_bootstrap_does_not_confirm_leave`).
    /// 2. The server's messages below the range leave too, and come back as history: the position jumps, so no pull
    ///    will bring what changed in between (`history_from_before_a_bootstrap_is_fetched_again`,
    ///    `history_during_a_bootstrap_is_fetched_again`). A message in flight is shown as queued until its result comes
    ///    (`a_message_in_flight_stays_visible_during_a_bootstrap`). Seqs with a tombstone stay known
    ///    (`known_deletions_below_a_confirmed_range_stay_known`).
    /// 3. If a message of the page is unreadable, nothing inside a range counts as deleted
    ///    (`an_unreadable_message_deletes_nothing`). If the row of a conversation or person is unreadable but has an
    ///    id, it is confirmed and its stored row stays (`an_unreadable_conversation_keeps_its_row`,
    ///    `an_unreadable_person_keeps_its_row`). After a change of epoch this does not hold for conversations.
    /// 4. The last page makes the position `Following` and removes what the bootstrap did not confirm: conversations,
    ///    as by a revocation that is not remembered (`conversations_that_a_bootstrap_does_not_confirm_leave`), and
    ///    people (`people_that_a_bootstrap_does_not_confirm_leave`), except senders of stored messages
    ///    (`a_member_of_the_past_keeps_the_name`). A conversation in the result of a push counts as confirmed
    ///    (`a_conversation_opened_during_a_bootstrap_stays`), and one that the server does not have yet stays
    ///    (`an_unsent_conversation_stays_through_a_bootstrap`).
    /// 5. A page has all read markers of its conversations. If the person has read further here than the page says, the
    ///    store queues a mark at that position, but not above the page's `last_seq`, unless a mark is queued already
    ///    (`a_read_mark_is_queued_again_after_a_bootstrap`). Until the mark is settled, the store subtracts the
    ///    messages that the person has read from the server's count (`reads_are_subtracted_from_the_servers_count`).
    /// 6. If the first page names another epoch than the stored one ([`BootstrapPage::epoch`]), the bootstrap continues
    ///    as one for [`BootstrapReason::Epoch`] (`a_first_page_of_another_epoch_is_a_change_of_epoch`).
    ///
    /// After [`BootstrapReason::Epoch`]:
    ///
    /// 7. The first row of a conversation replaces its stored row (`after_an_epoch_versions_count_from_the_beginning`).
    ///    Markers and queued marks above its `last_seq` are lowered to it
    ///    (`after_an_epoch_markers_are_lowered_to_the_last_seq`). They are also lowered below the first message of the
    ///    page that is in the recent range but was not stored: nobody has read a message that took the seq of another
    ///    one (`after_an_epoch_a_message_in_the_place_of_another_is_unread`).
    /// 8. Messages of the old epoch above the range leave too. The server lost own messages that leave from inside or
    ///    above the range: they become dead letters ([`fieldpost_domain::RefusalCode::LostByServer`]) in the order of
    ///    their seqs (`messages_that_the_server_lost_become_dead_letters`). Deleted messages and those that cannot be
    ///    sent again just leave (`deleted_and_unsendable_messages_are_not_lost`). A message whose send is in the outbox
    ///    stays queued.
    /// 9. If a conversation is not listed, its own messages are reported as lost only if their author would still be
    ///    allowed to see it ([`crate::visibility::fate_of_unlisted`];
    ///    `messages_out_of_sight_after_an_epoch_are_not_reported_as_lost`). What was reported as lost before is in doubt
    ///    from then on, and after a revocation: the page that lacked it may have been older than the answer to its push
    ///    ([`fieldpost_domain::RefusalCode::AccessLost`]; `what_seems_lost_is_in_doubt_once_access_is_gone`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] when the position is not the one that `after` belongs to.
    async fn apply_bootstrap<'a>(
        &self,
        after: Option<&'a Continuation>,
        page: BootstrapPage,
    ) -> StorageResult<ApplyReport>;

    /// Applies a first screen in place of the first page of a bootstrap that has just begun: the conversations with the
    /// newest activity and few of their messages. The rules of a first page apply. But the page leads to no other page:
    /// the position becomes [`SyncPosition::FirstScreen`] and the bootstrap must begin again
    /// (`after_a_first_screen_the_bootstrap_begins_again`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] unless a bootstrap has just begun.
    async fn apply_first_screen(&self, page: BootstrapPage) -> StorageResult<ApplyReport>;

    /// Applies one page of a pull. `from` is the cursor that it was requested with. If the page grants a conversation,
    /// its read mark is queued again as after a bootstrap (`a_read_mark_is_queued_again_when_access_returns`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] when the position is not `Following(from)`.
    async fn apply_pull(&self, from: &Cursor, page: PullPage) -> StorageResult<ApplyReport>;

    /// Applies a page of history that was requested in this generation ([`SyncState::generation`]). The position stays.
    ///
    /// 1. The page covers its range completely: the range becomes part of the recent range if it touches that
    ///    (`history_extends_a_thread_down_to_its_beginning`, `overlapping_pages_of_history_become_one`).
    /// 2. Stored messages inside it that are not in the page leave and count as applied
    ///    (`messages_that_history_removes_count_as_applied`), unless a message of the page cannot be read
    ///    (`an_unreadable_message_of_history_deletes_nothing`).
    /// 3. A page above the recent range with a hole between becomes the new recent range
    ///    (`a_page_above_a_hole_becomes_the_recent_range`).
    /// 4. A page for a conversation that is not stored changes nothing
    ///    (`history_of_an_unknown_conversation_changes_nothing`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] when the generation has changed: no pull would bring the changes between
    /// the page and the cursor of the bootstrap (`history_requested_before_a_bootstrap_is_superseded`).
    async fn apply_history(&self, generation: u64, page: HistoryPage) -> StorageResult<ApplyReport>;

    /// At most `limit` threads with a missing part, the newest activity first.
    ///
    /// 1. Each conversation has one complete run of seqs, the recent range: each of its seqs is a stored message, was
    ///    deleted by a tombstone, or is covered by a page. It begins with the first covered range, or at seq 1, and
    ///    extends over known seqs that touch it (`a_thread_that_begins_at_one_is_whole`).
    /// 2. If a conversation with messages has no such range, all of it is missing
    ///    (`an_unloaded_conversation_is_missing`).
    /// 3. If the server has named a higher `last_seq` than is known, the newest part is missing, and `before` is none
    ///    (`a_granted_conversation_is_missing_its_older_messages`).
    /// 4. If a known seq is above the range with a hole between, the hole is missing, and `before` is the lowest seq of
    ///    the newest known run (`a_hole_above_the_range_is_missing`).
    async fn missing_ranges(&self, limit: u32) -> StorageResult<Vec<MissingRange>>;

    /// The next conversation by id, after this one, with a recent range that is not empty; the first one for none.
    async fn next_check(&self, after: Option<ConversationId>) -> StorageResult<Option<Checkable>>;

    /// Recomputes the digest of the stored conversations and compares it with the kept one, which it replaces if they
    /// differ. Returns whether they were equal. It visits all conversations, which nothing else does.
    async fn check_digest(&self) -> StorageResult<bool>;

    /// Replaces the memory of earlier passes. `succeeded_at` is when the pass succeeded, by the device clock; none
    /// keeps the time of the last success (`a_failed_pass_keeps_the_time_of_the_last_success`).
    async fn remember(&self, memory: &SyncMemory, succeeded_at: Option<Time>) -> StorageResult<()>;

    /// Drops old messages, at most `limit` of them in one transaction, of the next conversations by id, beginning with
    /// `from`. They stay on the server, and history brings them back (`dropped_messages_come_back_as_history`).
    ///
    /// 1. A message stays if `keep` says so (`the_newest_messages_of_each_conversation_stay`,
    ///    `messages_of_the_last_days_stay`, `what_one_of_two_rules_keeps_stays`). The newest message of a conversation
    ///    always stays (`the_newest_message_stays_whatever_its_age`).
    /// 2. Unsent messages stay, and so do messages with a change in the outbox (`unsent_messages_and_changes_stay`), what
    ///    a draft replies to, and the draft (`what_a_draft_replies_to_stays`). A pinned conversation stays whole
    ///    (`a_pinned_conversation_stays_whole`).
    /// 3. Unread messages stay until they are read, so that every count stays exact (`unread_messages_stay`,
    ///    `what_was_marked_unread_stays`).
    /// 4. The recent range then begins above what was dropped; check and digest go on as before
    ///    (`the_range_begins_above_what_was_dropped`).
    /// 5. A long thread takes several steps (`a_long_thread_is_trimmed_in_steps`).
    async fn trim(&self, keep: Keep, from: Option<ConversationId>, limit: u32) -> StorageResult<Trimmed>;
}
