//! The role that follows the server.

use crate::{StorageResult, SyncMemory};
use async_trait::async_trait;
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, Person, PullPage, Seq, SeqRange, ServerInfo, Time,
};

/// How far this device has followed the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncPosition {
    /// Nothing was ever loaded.
    Fresh,
    /// A bootstrap is under way, possibly since before a restart.
    Bootstrapping {
        /// Where it goes on; none before its first page.
        after: Option<Continuation>,
        /// Conversations loaded so far.
        done: u64,
        /// Conversations it will bring, once the first page has told.
        total: Option<u64>,
    },
    /// The conversations of a first screen are here, and nothing else is known. The bootstrap that brings everything has still
    /// to begin.
    FirstScreen,
    /// Everything up to here is applied.
    Following(Cursor),
}

/// Why a bootstrap starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootstrapReason {
    /// The first load of this file.
    First,
    /// The server's history is another one (restored, promoted): versions that are stored say nothing any more.
    Epoch,
    /// What the person may see has changed, the cursor fell out of what the server keeps, or the digests differ: versions
    /// still hold.
    Reconcile,
}

/// What a store knows about syncing.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncState {
    /// How far.
    pub position: SyncPosition,
    /// The last page that was pulled said that there is more. A pull from here goes on with a run of pages that ends where the
    /// server stood when it began, however long ago that was.
    pub run_open: bool,
    /// Who the signed-in person is, by the last bootstrap or pull.
    pub me: Option<Person>,
    /// When a sync last finished well, by the device's clock.
    pub last_success_at: Option<Time>,
    /// Rows that could not be read, kept for a newer version: so many are here, at most [`crate::unreadable::KEPT`].
    pub unreadable_rows: u64,
    /// What the server last said about itself; none before any page came.
    pub server: Option<ServerInfo>,
    /// Which generation of the copy this is: another one once a bootstrap begins, and again once it has brought its first
    /// page. What was asked for in an earlier one proves nothing any more.
    pub generation: u64,
    /// What earlier passes have learned.
    pub memory: SyncMemory,
}

/// A part of a thread that is known to be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingRange {
    /// Where.
    pub conversation_id: ConversationId,
    /// Fetch history below this seq; none for the newest.
    pub before: Option<Seq>,
    /// The highest seq of what is missing.
    pub newest: Seq,
}

/// A conversation that can be compared with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkable {
    /// Which.
    pub conversation_id: ConversationId,
    /// Its recent range: what should be the same here and there.
    pub range: SeqRange,
}

/// What applying a page did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApplyReport {
    /// Rows that changed something.
    pub applied: u64,
    /// Rows that were older than what is stored, or the same.
    pub stale: u64,
    /// Rows that could not be read. They are kept aside, as far as there is room.
    pub unreadable: u64,
    /// Messages of others, not deleted, that were not here before.
    pub new_messages: u64,
    /// Read marks that were queued again, because the server does not know (any more) how far the person has read.
    pub marked_again: u64,
    /// Conversations that were here and left the device.
    pub purged: Vec<ConversationId>,
    /// Whether the page's digest equals that of the store after the page; none when the page has none. Conversations that the
    /// server does not know yet do not count.
    pub digest_matches: Option<bool>,
}

/// The copy of the server's rows.
///
/// One transaction applies a page: its rows, the position it leads to, and the unread counts of its conversations. The rows
/// come in this order: grants, people, conversations, messages, read markers, tombstones, revocations. A story of the
/// conformance suite (in brackets) holds each rule:
///
/// 1. A row of an older or equal version changes nothing (`an_older_state_of_a_message_is_ignored`). A conversation's derived
///    fields carry no version. `last_seq`: the larger wins (`last_seq_only_grows`). `unread`, `last_message_at`,
///    `last_message_preview` and `medic_name` come from the answer with the larger `last_seq`; of two equal ones from the later
///    answer, unless its version is older. History is never the later answer (`history_that_a_pull_has_overtaken_does_not_count`).
/// 2. A message whose send is in the outbox becomes `sent` with the server's values. The mutation stays until its own answer
///    comes (`a_remote_echo_before_the_answer_is_not_doubled`).
/// 3. A message of an unknown conversation is kept aside as unreadable (`a_message_of_an_unknown_conversation_is_kept_aside`),
///    and ignored if that conversation was deleted or revoked (`late_rows_of_a_revoked_conversation_are_ignored`). An access
///    change of an unknown kind is kept aside too (`an_unknown_kind_of_access_is_kept_aside`).
/// 4. If two rows of one version differ, the row that comes counts: a trigger of the project changed what was sent, and the
///    server did not say so (`a_known_version_that_says_something_else_is_believed`).
/// 5. A page may cover a part of a thread whole. A number without a message is no gap there
///    (`what_a_policy_hides_is_no_gap`).
/// 6. Unreadable rows are kept aside, each once, the newest [`crate::unreadable::KEPT`] of them
///    (`the_newest_thousand_unreadable_rows_are_kept`). They leave with their conversation
///    (`unreadable_rows_leave_with_their_conversation`).
/// 7. A person has one row per org; their versions are not comparable. In a conversation the row of its org counts
///    (`somebody_of_two_orgs_is_in_each_what_she_is_there`).
/// 8. A name is looked up when a row is read, so a new name shows everywhere (`a_new_name_shows_everywhere`).
/// 9. A direct conversation may come while another one for the same org and medic waits in the outbox. The store merges the
///    two under the server's id (`a_pulled_row_of_the_same_medic_merges_before_the_answer`).
/// 10. Of two positions of a marker the larger wins (`the_marker_never_goes_backwards`). A marker may come before its
///     conversation (`a_marker_before_its_conversation_is_kept`).
/// 11. A tombstone of a message removes the row, unless the row is newer; its seq stays known
///     (`a_deleted_message_does_not_come_back`). A tombstone of a conversation removes everything of it, as a revocation does
///     ([`fieldpost_domain::RefusalCode::ConversationDeleted`]; `a_deleted_conversation_leaves_and_does_not_come_back`).
/// 12. A revocation removes the conversation, its messages and markers (`a_revoked_conversation_leaves_the_device`). Its queued
///     mutations become dead letters ([`fieldpost_domain::RefusalCode::AccessLost`]) whose messages stay visible to their
///     author (`unsent_messages_of_a_revoked_conversation_become_dead_letters`). Read marks, and messages that the server has,
///     leave the outbox (`an_echoed_message_of_a_revoked_conversation_just_leaves`).
/// 13. A newer grant brings the conversation back (`a_newer_grant_brings_the_conversation_back`), and so does a bootstrap that
///     lists it (`a_bootstrap_makes_a_revoked_conversation_welcome`).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Replica: Send + Sync {
    /// What is known about syncing.
    async fn sync_state(&self) -> StorageResult<SyncState>;

    /// Starts a bootstrap, or starts it over: the position becomes `Bootstrapping` from the beginning. Everything stays
    /// readable meanwhile. With [`BootstrapReason::Epoch`] all stored versions, and those remembered of tombstones and
    /// revocations, are forgotten, and once more with the first page: what came in between may be of a history that has ended
    /// as well. One that was not finished stays such a one, whatever the reason of starting over.
    async fn begin_bootstrap(&self, reason: BootstrapReason) -> StorageResult<()>;

    /// Applies one page of a bootstrap. `after` is the continuation that it was requested with.
    ///
    /// 1. The page tells a range of each of its conversations whole: from the lowest seq that came up to `last_seq`, empty if
    ///    none came. It replaces the recent range (`a_later_bootstrap_replaces_the_range`). Messages inside it that did not come
    ///    leave (`messages_that_a_bootstrap_does_not_confirm_leave`).
    /// 2. Messages below it that the server has leave too, and come back as history: the position jumps, so no pull will bring
    ///    what changed in between (`history_from_before_a_bootstrap_is_fetched_again`,
    ///    `history_during_a_bootstrap_is_fetched_again`). A message whose send awaits its answer is shown as queued until then
    ///    (`a_message_that_awaits_its_answer_is_shown_through_a_bootstrap`). Tombstones keep their seqs known
    ///    (`known_deletions_below_a_confirmed_range_stay_known`).
    /// 3. If a message of the page cannot be read, nothing inside a range counts as deleted
    ///    (`an_unreadable_message_deletes_nothing`). A conversation or person whose row cannot be read, but says its id, counts
    ///    as having come, and keeps its row (`a_conversation_that_cannot_be_read_stays_as_it_was`,
    ///    `a_person_that_cannot_be_read_stays_as_she_was`); a conversation does not after a change of epoch.
    /// 4. The last page makes the position `Following`, and what the bootstrap did not confirm leaves: conversations as by a
    ///    revocation that nobody remembers (`conversations_that_a_bootstrap_does_not_confirm_leave`), and people
    ///    (`people_that_a_bootstrap_does_not_confirm_leave`), except senders of messages that are here
    ///    (`a_member_of_the_past_keeps_the_name`). What an answer has brought meanwhile counts as confirmed
    ///    (`what_is_opened_during_a_bootstrap_is_not_swept`); what the server does not know yet stays
    ///    (`an_unsent_conversation_stays_through_a_bootstrap`).
    /// 5. A listed conversation comes with all its markers. If the person has read further here than the page says, the store
    ///    queues a mark at that position, but not above the page's `last_seq`, unless a mark waits already
    ///    (`what_was_read_is_told_again_after_a_first_load`). Until it has arrived, the store subtracts the messages that the
    ///    person has read from the server's count (`what_was_read_is_taken_off_the_servers_count`).
    /// 6. If the first page names another epoch than the bootstrap before ([`BootstrapPage::epoch`]), the bootstrap goes on as
    ///    one for [`BootstrapReason::Epoch`] (`a_first_page_of_another_history_is_a_change_of_epoch`).
    ///
    /// After [`BootstrapReason::Epoch`]:
    ///
    /// 7. The first row of a conversation replaces its stored state (`after_an_epoch_versions_count_from_the_beginning`).
    ///    Markers and queued marks above its `last_seq` come down to it
    ///    (`after_an_epoch_markers_come_down_to_what_is_there`), and below the first message of the page that stands in the
    ///    recent range and was not here: nobody has read what took the place of another message
    ///    (`after_an_epoch_what_took_the_place_of_another_is_unread`).
    /// 8. Messages that were stored before the bootstrap began and stand above the range leave as well. Own messages that leave
    ///    from inside or above the range were lost by the server: they become dead letters
    ///    ([`fieldpost_domain::RefusalCode::LostByServer`]) in the order of their seqs
    ///    (`messages_that_the_server_lost_become_dead_letters`). Deleted messages and those that cannot be sent leave
    ///    (`deleted_and_unsendable_messages_are_not_lost`); a message whose send waits goes on waiting.
    /// 9. Own messages of a conversation that did not come are called lost only if their author would have been shown it
    ///    ([`crate::visibility::fate_of_unlisted`]; `what_is_out_of_sight_after_an_epoch_is_not_called_lost`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] when the position is not the one that `after` belongs to.
    async fn apply_bootstrap<'a>(
        &self,
        after: Option<&'a Continuation>,
        page: BootstrapPage,
    ) -> StorageResult<ApplyReport>;

    /// Applies the page of a first screen, in the place of the first page of a bootstrap that has begun: the conversations with
    /// the newest activity, each with little of what is in it. All that is said of the first page of a bootstrap is true of
    /// it, but it leads nowhere: the position becomes [`SyncPosition::FirstScreen`], whatever the page says of what comes
    /// after it, and the bootstrap that brings everything has to begin anew.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] when no bootstrap has just begun.
    async fn apply_first_screen(&self, page: BootstrapPage) -> StorageResult<ApplyReport>;

    /// Applies one page of a pull. `from` is the cursor it was asked for with. A conversation that a grant of the page brings
    /// into sight has its read mark queued again as one that a bootstrap lists.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] when the position is not `Following(from)`.
    async fn apply_pull(&self, from: &Cursor, page: PullPage) -> StorageResult<ApplyReport>;

    /// Applies a page of history that was asked for in this generation ([`SyncState::generation`]); the position stays. The
    /// page covers its range whole: the range becomes part of what is here, together with what it touches, and messages
    /// inside it that did not come leave (unless a message of the page cannot be read), which counts as applied. A page above
    /// the recent range with a hole between becomes the new recent range. A page for a conversation that is not here (any
    /// more) changes nothing.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] when the generation is another one by now: whatever changed between the
    /// moment of the page and the cursor of the bootstrap would never be pulled.
    async fn apply_history(&self, generation: u64, page: HistoryPage) -> StorageResult<ApplyReport>;

    /// Threads with a part missing above what was loaded, in the order of [`crate::Conversations::conversations`], at most
    /// `limit`. Of each conversation one run of seqs is known whole, the recent range: every seq in it is a message that is
    /// here, was deleted by a tombstone, or is covered by a page. It begins with the first page that covers something, or at
    /// seq 1 when that comes, and grows over every known seq that touches it. Something is missing where a conversation with
    /// messages has no such range; where the server has told of a higher `last_seq` than is known (`before` is then none);
    /// or where a known seq stands above it with a hole between (`before` is then the lowest seq of the newest run that is
    /// known).
    async fn missing_ranges(&self, limit: u32) -> StorageResult<Vec<MissingRange>>;

    /// The conversation after this one, by id, whose recent range is not empty; the first one for none.
    async fn next_check(&self, after: Option<ConversationId>) -> StorageResult<Option<Checkable>>;

    /// Whether what is kept to compare with a server's digest is that of the conversations that are here; if it is not, it is
    /// worked out anew. This visits all of them, which nothing else does.
    async fn check_digest(&self) -> StorageResult<bool>;

    /// Keeps what a pass has learned in the place of what was kept before, and when it finished well, by the device's clock; none
    /// if it did not, and then the last time that one did stays.
    async fn remember(&self, memory: &SyncMemory, succeeded_at: Option<Time>) -> StorageResult<()>;
}
