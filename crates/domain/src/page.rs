//! Pages: the content of one response of the server, and where to continue.

use crate::{
    Capabilities, Changes, Continuation, Conversation, ConversationDigest, ConversationId, Cursor, Person, Seq,
    ServerEpoch, Time,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The server's limits; every response states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerLimits {
    /// Mutations of one push.
    pub push_rows: u32,
    /// Bytes of JSON of the mutations of one push.
    pub push_bytes: u32,
    /// Rows of one page.
    pub page_rows: u32,
    /// Approximate bytes of one page.
    pub page_bytes: u32,
    /// Characters of a message.
    pub content_chars: u32,
    /// Bytes of a message's metadata as JSON.
    pub metadata_bytes: u32,
    /// Nesting depth of a message's metadata.
    pub metadata_depth: u32,
    /// Characters of a subject.
    pub subject_chars: u32,
}

impl ServerLimits {
    /// The limits of docs/protocol.md, used until the server has stated its own.
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

/// What a server states about itself in every response.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The installed version of the SQL; none from version 1, which does not state it.
    pub sql_version: Option<u32>,
    /// Its capabilities beyond protocol 1.
    pub capabilities: Capabilities,
}

/// What a call cost: tells how fast the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transfer {
    /// The size of the response as JSON, after decompression.
    pub bytes: u32,
    /// From sending the request until the last byte of the response.
    pub took: Duration,
}

/// One page of the first load: conversations, newest activity first, each with its last messages; then the rest of the
/// people.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapPage {
    /// What the call cost.
    pub transfer: Transfer,
    /// The caller; none without a membership (then nothing is visible).
    pub me: Option<Person>,
    /// The number of conversations in the whole bootstrap.
    pub total_conversations: u64,
    /// The rows.
    pub changes: Changes,
    /// Where pulling starts once the bootstrap is complete. The server took it before it read any row, so no change is
    /// missed in between.
    pub cursor: Cursor,
    /// Where to continue; none on the last page.
    pub next_after: Option<Continuation>,
    /// The server's current history; none from a server that does not state it.
    pub epoch: Option<ServerEpoch>,
    /// The digest of the visible conversations, on the last page.
    pub digest: Option<ConversationDigest>,
    /// The server's clock when it answered.
    pub server_time: Time,
    /// The server's limits.
    pub limits: ServerLimits,
    /// The server's version and capabilities.
    pub server: ServerInfo,
}

/// One page of the changes committed since a cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct PullPage {
    /// What the call cost.
    pub transfer: Transfer,
    /// The rows.
    pub changes: Changes,
    /// Where the next pull continues. Stored in the same transaction as the rows.
    pub cursor: Cursor,
    /// Whether more pages follow now.
    pub more: bool,
    /// The digest of the visible conversations, when `more` is false.
    pub digest: Option<ConversationDigest>,
    /// The server's clock when it answered.
    pub server_time: Time,
    /// The server's limits.
    pub limits: ServerLimits,
    /// The server's version and capabilities.
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
    /// What the call cost.
    pub transfer: Transfer,
    /// The requested conversation.
    pub conversation_id: ConversationId,
    /// Its current row.
    pub conversation: Option<Conversation>,
    /// Messages, the people they name, tombstones.
    pub changes: Changes,
    /// The page covers this range completely: a seq in it without a message was hard-deleted or is hidden.
    pub range: SeqRange,
    /// There is nothing below `range.from`.
    pub complete: bool,
    /// The server's limits.
    pub limits: ServerLimits,
}

/// One page of what the server has found in its history.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPage {
    /// What the call cost.
    pub transfer: Transfer,
    /// The messages, newest first, and the people who wrote them.
    pub changes: Changes,
    /// Where to continue; none on the last page. A page may have few messages, or none, and not be the last one.
    pub next_after: Option<Continuation>,
    /// The server's limits.
    pub limits: ServerLimits,
}
