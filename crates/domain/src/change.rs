//! What a page brings: rows, deletions, and changes of what the caller may see.

use crate::{
    Conversation, ConversationId, Message, MessageId, Person, ReadMarker, Seq, SeqRange, Version, open_enum::open_enum,
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
    /// How far people have got.
    pub read_markers: Vec<ReadMarker>,
    /// Hard deletes.
    pub tombstones: Vec<Tombstone>,
    /// What the caller may see now and could not before, or the other way round.
    pub access: Vec<AccessChange>,
    /// Parts of threads of which the caller has now been given whatever they may see.
    pub covered: Vec<Covered>,
    /// Rows that could not be read. They are kept beside the page, so that nothing is lost and somebody can look.
    pub unreadable: Vec<UnreadableRow>,
}

impl Changes {
    /// How many rows there are, of all kinds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
            + self.conversations.len()
            + self.messages.len()
            + self.read_markers.len()
            + self.tombstones.len()
            + self.access.len()
            + self.unreadable.len()
    }

    /// Whether the page brings nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.covered.is_empty()
    }
}

/// A part of a thread of which the caller has been given, here or before, all that they may see. A number in it without a
/// message is no gap: a policy of the project hides what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// From where to where.
    pub range: SeqRange,
}

/// What was deleted for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TombstoneOf {
    /// One message; its seq stays taken.
    Message {
        /// The message.
        id: MessageId,
        /// The place it had.
        seq: Seq,
    },
    /// The conversation with all its messages.
    Conversation,
}

/// A hard delete, kept as a record so that a late answer cannot bring the row back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Where it happened.
    pub conversation_id: ConversationId,
    /// What was deleted.
    pub of: TombstoneOf,
    /// Newer than every state of the deleted row.
    pub version: Version,
}

impl Tombstone {
    /// The message that was deleted; none if it was a conversation.
    #[must_use]
    pub const fn message_id(&self) -> Option<MessageId> {
        match self.of {
            TombstoneOf::Message { id, .. } => Some(id),
            TombstoneOf::Conversation => None,
        }
    }
}

open_enum!(
    /// Whether a conversation came into sight or left it.
    Access {
        /// The caller may see it from now on.
        Grant => "grant",
        /// The caller may no longer see it; it leaves the device.
        Revoke => "revoke",
    }
);

/// The caller gained or lost sight of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessChange {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// Gained or lost.
    pub access: Access,
    /// Which state of this person's access this is.
    pub version: Version,
}

/// A row of a page that this version could not read, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableRow {
    /// The list of the answer it stood in: `messages`, `people` …
    pub list: String,
    /// The row as JSON text.
    pub payload: String,
    /// What was wrong with it, without its content.
    pub reason: String,
}
