//! Pages: what one answer of the server brings, and where to go on.

use crate::{
    Capabilities, Changes, Continuation, Conversation, ConversationDigest, ConversationId, Cursor, Person, Seq,
    ServerEpoch, Time,
};
use serde::{Deserialize, Serialize};

/// What the server accepts and sends at most; every answer states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerLimits {
    /// Mutations of one push.
    pub push_rows: u32,
    /// Bytes of JSON of the mutations of one push.
    pub push_bytes: u32,
    /// Rows of one page.
    pub page_rows: u32,
    /// Bytes of one page, about.
    pub page_bytes: u32,
    /// Characters of a message.
    pub content_chars: u32,
    /// Bytes of a message's metadata as JSON.
    pub metadata_bytes: u32,
    /// How deep that may be nested.
    pub metadata_depth: u32,
    /// Characters of a subject.
    pub subject_chars: u32,
}

impl ServerLimits {
    /// The limits of docs/protocol.md, for before the server has stated its own.
    pub const PROTOCOL: Self = Self {
        push_rows: 500,
        push_bytes: 1 << 20,
        page_rows: 2500,
        page_bytes: 1 << 20,
        content_chars: 5000,
        metadata_bytes: 16_384,
        metadata_depth: 64,
        subject_chars: 500,
    };
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self::PROTOCOL
    }
}

/// What a server says about itself in every answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Which version of the SQL is installed; none from the first one, which does not say.
    pub sql_version: Option<u32>,
    /// What it can do beyond protocol 1.
    pub capabilities: Capabilities,
}

/// One page of the first load: conversations, newest activity first, each with its last messages; then the rest of the
/// people.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapPage {
    /// Who the caller is; none without a membership (then there is nothing to see).
    pub me: Option<Person>,
    /// How many conversations the whole bootstrap will bring.
    pub total_conversations: u64,
    /// The rows.
    pub changes: Changes,
    /// Where pulling starts once the bootstrap is complete. Taken before anything was read, so nothing falls between.
    pub cursor: Cursor,
    /// Where to go on; none on the last page.
    pub next_after: Option<Continuation>,
    /// Which of the server's histories this is; none from a server that does not say.
    pub epoch: Option<ServerEpoch>,
    /// Of the visible conversations, on the last page.
    pub digest: Option<ConversationDigest>,
    /// The server's clock.
    pub server_time: Time,
    /// What the server accepts.
    pub limits: ServerLimits,
    /// What the server is.
    pub server: ServerInfo,
}

/// One page of what was committed since a cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct PullPage {
    /// The rows.
    pub changes: Changes,
    /// Where the next pull goes on. Stored in the same transaction as the rows.
    pub cursor: Cursor,
    /// Whether there is more to fetch now.
    pub more: bool,
    /// Of the visible conversations, when `more` is false.
    pub digest: Option<ConversationDigest>,
    /// The server's clock.
    pub server_time: Time,
    /// What the server accepts.
    pub limits: ServerLimits,
    /// What the server is.
    pub server: ServerInfo,
}

/// A run of seqs, both ends included. Empty when `to` is below `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeqRange {
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
}

/// One page of older messages of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// Which conversation was asked for.
    pub conversation_id: ConversationId,
    /// Its row as it is now.
    pub conversation: Option<Conversation>,
    /// Messages, the people they name, tombstones.
    pub changes: Changes,
    /// The page covers this range whole: a number in it without a message was deleted for good.
    pub range: SeqRange,
    /// There is nothing below `range.from`.
    pub complete: bool,
    /// What the server accepts.
    pub limits: ServerLimits,
}
