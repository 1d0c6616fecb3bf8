//! The role that reads a thread.

use crate::{Quoted, Section, StorageResult, ThreadReaction, ThreadSection};
use async_trait::async_trait;
use fieldpost_domain::{
    ConversationId, Mentions, MessageId, MessageKind, MessageStatus, Metadata, Omitted, PersonId, ReadMarker, Refusal,
    Seq, Time,
};

/// A message as a thread shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadMessage {
    /// The id. It stays the same when the server stores the message.
    pub id: MessageId,
    /// The conversation's canonical id.
    pub conversation_id: ConversationId,
    /// The author; [`PersonId::NOBODY`] once the account is deleted.
    pub sender_id: PersonId,
    /// The name that the reader sees ([`fieldpost_domain::names::sender_name`]); empty for nobody.
    pub sender_name: String,
    /// Whether the signed-in person wrote it.
    pub mine: bool,
    /// What it is.
    pub kind: MessageKind,
    /// The text; none if deleted or omitted.
    pub content: Option<String>,
    /// What the app attached.
    pub metadata: Option<Metadata>,
    /// The message that it replies to.
    pub reply_to: Option<MessageId>,
    /// The same message as it shows above this one; none if this is no reply.
    pub reply: Option<Quoted>,
    /// The people that it mentions.
    pub mentions: Mentions,
    /// Whether it mentions the signed-in person.
    pub mentions_me: bool,
    /// The reactions to it, the first emoji first; none if deleted.
    pub reactions: Vec<ThreadReaction>,
    /// `queued` until the server has it. Then, for own messages, `delivered` and `read` follow the receipts of others.
    pub status: MessageStatus,
    /// How many have received and read it; only with one's own messages in a broadcast that the server has.
    pub receipts: Option<ReceiptCounts>,
    /// The send is in flight: it can be neither edited nor cancelled now. Only with `queued`.
    pub sending: bool,
    /// A change of what it says is pending: others do not see it yet.
    pub changing: bool,
    /// Why the send was refused. It is sent again only if the person decides so. Only with `queued`.
    pub failure: Option<Refusal>,
    /// Its seq; none until the server has it.
    pub seq: Option<Seq>,
    /// When the author wrote it by their device clock; for display only.
    pub composed_at: Option<Time>,
    /// When the server stored it, by the server's clock; by this device's until then.
    pub created_at: Time,
    /// When its author last changed it, by the server's clock.
    pub edited_at: Option<Time>,
    /// Whether it was deleted softly; an app shows it as "deleted".
    pub deleted: bool,
    /// Set if the message was above a limit. An app shows [`fieldpost_domain::Omitted::sentence`] in place of the text.
    pub omitted: Option<Omitted>,
}

/// How many people have received and read a message of a broadcast, as far as this device knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ReceiptCounts {
    /// The medics of the org today, and former ones who have received it. The server knows who they were when it was sent.
    pub recipients: u64,
    /// On a device of this many.
    pub delivered: u64,
    /// Read by this many.
    pub read: u64,
}

impl ThreadMessage {
    /// What stays of it when somebody deletes it: its place, and who wrote it when.
    #[must_use]
    pub fn without_content(self) -> Self {
        Self {
            content: None,
            metadata: None,
            reply: None,
            mentions: Mentions::new(),
            mentions_me: false,
            reactions: Vec::new(),
            omitted: None,
            deleted: true,
            ..self
        }
    }
}

/// Which part of a thread to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The maximal number of messages with a seq. The newest window also shows all messages without a seq, because no
    /// seq leads to them.
    pub limit: u32,
    /// Only messages below this seq; none for the newest window. Queued messages are above every seq. If the message
    /// just below is missing, the window is empty.
    pub before: Option<Seq>,
}

impl Window {
    /// The newest `limit` messages.
    #[must_use]
    pub const fn newest(limit: u32) -> Self {
        Self { limit, before: None }
    }
}

/// What is below the oldest message of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// More messages are stored: read on with `before` set to this seq.
    Here(Seq),
    /// The server may have more messages: fetch history below this seq. It is the lowest seq of the window's run, or
    /// one above the conversation's last seq if nothing is stored.
    OnServer(Seq),
    /// Nothing: the window begins with the first message.
    Nothing,
}

/// Part of a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadWindow {
    /// In thread order: by seq, then the queued ones in the order of sending. There is no gap: a window ends above a
    /// missing range.
    pub messages: Vec<ThreadMessage>,
    /// What is below the window.
    pub older: Older,
}

impl ThreadWindow {
    /// The highest seq in the window: a screen that shows the window has displayed up to here.
    #[must_use]
    pub fn last_seq(&self) -> Option<Seq> {
        self.messages.iter().filter_map(|message| message.seq).max()
    }
}

/// Reads messages.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Messages: Send + Sync {
    /// A window of a thread; aliases are resolved.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when the conversation is not stored.
    async fn messages(&self, conversation: ConversationId, window: Window) -> StorageResult<ThreadWindow>;

    /// A section of a thread, over gaps; aliases are resolved.
    ///
    /// 1. A section goes on below a gap and names it (`a_section_goes_on_below_a_gap`), but never begins with one
    ///    (`a_section_begins_above_a_gap`). Seqs of deleted messages are no gaps
    ///    (`deleted_messages_are_no_gap_of_a_section`).
    /// 2. It can be read from either end (`a_section_is_read_in_both_directions`), and says what is below it
    ///    (`a_section_says_what_is_below_it`).
    /// 3. Newer messages that are missing are a gap too (`missing_newest_messages_are_a_gap`).
    /// 4. Messages without a seq belong to the end of the thread (`unsent_messages_belong_to_the_last_section`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when the conversation is not stored.
    async fn section(&self, conversation: ConversationId, section: Section) -> StorageResult<ThreadSection>;

    /// How far each person has received and read a conversation, as far as this device knows, by the person's id; aliases
    /// are resolved. In a broadcast a medic knows only their own (`a_marker_has_the_time_of_its_position`).
    async fn markers(&self, conversation: ConversationId) -> StorageResult<Vec<ReadMarker>>;

    /// The highest seq of a message that is stored below this one; aliases are resolved. Where a window ends at a gap, it
    /// says where the next part of the thread is. None if nothing is stored there.
    async fn stored_below(&self, conversation: ConversationId, below: Seq) -> StorageResult<Option<Seq>>;

    /// One message; none if it is not stored. A dead letter is stored even without its conversation.
    async fn message(&self, id: MessageId) -> StorageResult<Option<ThreadMessage>>;
}
