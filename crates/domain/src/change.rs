//! The contents of a page: rows, deletions, and changes of access.

use crate::{
    Conversation, ConversationId, ConversationSettings, Message, MessageId, Person, Reaction, ReadMarker, Seq,
    SeqRange, Version, open_enum::open_enum,
};
use serde::{Deserialize, Serialize};

/// The rows of one page, in the order in which they are applied: people and conversations before the messages that name
/// them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// People that changed, or that the messages and conversations of this page name.
    pub people: Vec<Person>,
    /// Conversations that changed, or that the messages of this page name.
    pub conversations: Vec<Conversation>,
    /// Messages, new or changed.
    pub messages: Vec<Message>,
    /// Read markers and receipts.
    pub read_markers: Vec<ReadMarker>,
    /// Reactions, new or changed.
    pub reactions: Vec<Reaction>,
    /// The caller's own settings for conversations.
    pub settings: Vec<ConversationSettings>,
    /// Hard deletes.
    pub tombstones: Vec<Tombstone>,
    /// Conversations that the caller gained or lost access to.
    pub access: Vec<AccessChange>,
    /// Parts of threads that the caller now has completely, as far as they may see them.
    pub covered: Vec<Covered>,
    /// Rows that could not be read. They are kept beside the page, so nothing is lost and they can be inspected.
    pub unreadable: Vec<UnreadableRow>,
}

impl Changes {
    /// The number of rows of all kinds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
            + self.conversations.len()
            + self.messages.len()
            + self.read_markers.len()
            + self.reactions.len()
            + self.settings.len()
            + self.tombstones.len()
            + self.access.len()
            + self.unreadable.len()
    }

    /// Whether the page is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.covered.is_empty()
    }
}

/// A part of a thread of which the caller has received, now or earlier, every message that they may see. A seq in it
/// without a message is no gap: a policy of the project hides that message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The seqs.
    pub range: SeqRange,
}

/// What was hard-deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TombstoneOf {
    /// One message; its seq stays taken.
    Message {
        /// The message.
        id: MessageId,
        /// The place it had.
        seq: Seq,
    },
    /// The whole conversation with all its messages.
    Conversation,
}

/// A hard delete, kept as a record so that a late response cannot restore the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// What was deleted.
    pub of: TombstoneOf,
    /// Higher than every version of the deleted row.
    pub version: Version,
}

impl Tombstone {
    /// The deleted message; none if a conversation was deleted.
    #[must_use]
    pub const fn message_id(&self) -> Option<MessageId> {
        match self.of {
            TombstoneOf::Message { id, .. } => Some(id),
            TombstoneOf::Conversation => None,
        }
    }
}

open_enum!(
    /// Whether access to a conversation was granted or revoked.
    Access {
        /// The caller may see it from now on.
        Grant => "grant",
        /// The caller may no longer see it; the device deletes it.
        Revoke => "revoke",
    }
);

/// The caller gained or lost access to a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessChange {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// Gained or lost.
    pub access: Access,
    /// The version of this person's access.
    pub version: Version,
}

/// A row of a page that this version could not read, unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableRow {
    /// The list of the response that it came in: `messages`, `people` …
    pub list: String,
    /// The row as JSON text.
    pub payload: String,
    /// Why it could not be read, without its content.
    pub reason: String,
}
