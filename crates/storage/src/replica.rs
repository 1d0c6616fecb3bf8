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

/// The copy of what the server has.
///
/// A page is applied in one transaction: its rows, the position it leads to, and the unread counts of the conversations it
/// touches. Rows are applied in the order grants, people, conversations, messages, read markers, tombstones, revocations (a
/// grant comes in the same page as the conversation that it admits). For each row:
///
/// * An older or equal version than the one stored (or remembered of a tombstone or revocation) is ignored, except for what
///   is derived and carries no version: a conversation's `last_seq` (the larger wins) and `unread`, `last_message_at`,
///   `last_message_preview` and `medic_name` (from the answer with the larger `last_seq`; of
///   equals from the later one, unless its version is older; history, which passes overtake, is never the later one).
/// * A message whose id is in the outbox is its remote echo: the row becomes `sent` with the server's values, and the
///   mutation stays until its own answer (or the next attempt's `duplicate`) settles it.
/// * A message of a conversation that is not here, nor in the page, is kept aside as unreadable; unless the conversation was
///   deleted or revoked, then it is ignored. An access change of an unknown kind is kept aside too.
/// * Of one version a message should say one thing. Where it says another (a trigger of the project changed what was sent, and
///   the server did not tell), the row that comes counts.
/// * A part of a thread that the page covers is known whole: a number in it without a message is no gap.
/// * Rows that cannot be read are kept aside, each once, however often it comes; the newest [`crate::unreadable::KEPT`] of
///   them. Those that name their conversation leave with it, and are not kept when it has been deleted or revoked.
/// * Somebody who is a member of several orgs, or has moved to another one, has a row in each, whose versions are not comparable.
///   In a conversation she is what she is in its org.
/// * Names are written with the rows: a person whose name changed changes the `sender_name` of their messages and the
///   participant name of their conversation.
/// * A direct conversation that comes while another, opened offline for the same org and medic, waits in the outbox: the two
///   are merged under the server's id, as [`crate::Outbox::settle`] does.
/// * Own read marker and receipts: the larger position wins, always. A marker may come before its conversation.
/// * A tombstone of a message removes the row, unless that is newer (of equals the deletion counts) and keeps its seq as known (a send of it in the outbox waits for its answer);
///   of a conversation, removes everything of it, as a revocation does
///   ([`fieldpost_domain::RefusalCode::ConversationDeleted`]).
/// * A revocation removes the conversation, its messages and markers; what waited in its lane becomes dead letters
///   ([`fieldpost_domain::RefusalCode::AccessLost`]) whose messages stay visible to their author until dealt with, except
///   read marks and messages that the server has (their echo was here), which leave the outbox. A grant of a newer version
///   makes it welcome again, as does a bootstrap that brings it.
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

    /// Applies one page of a bootstrap. `after` is what it was asked for with.
    ///
    /// A conversation's messages of the page tell a range whole, from the lowest seq that came up to its `last_seq` (an empty
    /// one above that if none came). It takes the place of the recent range. Messages inside it that did not come leave the
    /// store with the page, and so do all below it that the server has, those that history brought while the bootstrap ran
    /// included: the position jumps, and what was edited or deleted between the old cursor and the new one is never pulled.
    /// They come back as history on demand; one whose send awaits its answer in the outbox is queued again until then. Seqs known
    /// by tombstones stay known. When a message of the page cannot be read, nothing inside a range is taken for deleted, and
    /// an earlier state of that message stays even below one. A conversation or person whose row cannot be read, but says its
    /// id, counts as having come, and its row stays as it was; of the conversation's messages those stay that came with the page,
    /// and what lies between them; not a conversation after a change of epoch. With the last page the position becomes `Following`,
    /// and what the bootstrap did not confirm leaves: conversations that did not come (with the consequences of a revocation for their
    /// lanes, but without being remembered as revoked), and people that did not come. Those people whom a message here names
    /// as its sender stay, as members of the past. Conversations and people that an answer has brought since the bootstrap
    /// began count as confirmed (after a change of epoch, since its first page), and those that the server does not know yet
    /// stay.
    ///
    /// A conversation that a bootstrap lists comes into sight with all its markers, as one does with a grant
    /// ([`Replica::apply_pull`]). Where the signed-in person's own stands higher here than its page says (nowhere, if none
    /// came), the server does not know: a mark at that position, but not above the `last_seq` that was told, is queued again
    /// at the end of the outbox, under a new id ([`crate::MutationIds`]), unless one waits already. Until it has arrived,
    /// the messages that it has read and that are here are taken off the server's count.
    ///
    /// A bootstrap whose first page names another epoch than the bootstrap before it ([`BootstrapPage::epoch`]) goes on as one
    /// for [`BootstrapReason::Epoch`], whatever it began for: the server may be restored between an answer that ends a cursor
    /// and the first page.
    ///
    /// After [`BootstrapReason::Epoch`] the stored state of a conversation (`last_seq`, derived fields, recent range) gives way
    /// to the first row that comes of it, and markers above its `last_seq`, queued marks included, come down to it; and below
    /// the first message of its page whose seq was in the recent range and that was not here, because nobody has read what
    /// took the place of another message. Messages stored before the bootstrap began that stand above the told range leave
    /// with the page too. Own ones among those that leave from inside or above it have been lost by the server: they become
    /// dead letters ([`fieldpost_domain::RefusalCode::LostByServer`]) at the end of the outbox, in the order of their seqs,
    /// each under a new id ([`crate::MutationIds`]); except those that were deleted or cannot be sent (they leave), and those whose
    /// send still waits in the outbox (it goes on waiting). Of a conversation that did not come this is known only where its
    /// author would have been shown it; else her own messages leave with it, or say that it is out of sight
    /// ([`crate::visibility::fate_of_unlisted`]).
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
