//! A message as a thread shows it.

use super::sending::metadata_text;
use crate::{Refusal, moment};
use fieldpost::{ConversationId, MessageId, PersonId, Seq};
use std::time::SystemTime;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MessageKind {
    /// Text of a person.
    Text,
    /// Text with an attachment of the app's.
    Attachment,
    /// The system says it.
    System,
    /// A kind that this version does not know.
    Other,
}

/// How far a message has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MessageStatus {
    /// It waits for the server.
    Queued,
    /// The server has it.
    Sent,
    /// It is on a device of another person.
    Delivered,
    /// Another person has read it.
    Read,
    /// A status that this version does not know.
    Other,
}

/// The message that another one replies to, as a thread shows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Quoted {
    /// It is on this device.
    Here {
        /// Its id.
        id: MessageId,
        /// The name of its author.
        sender_name: String,
        /// Whether the signed-in person wrote it.
        mine: bool,
        /// What it is.
        kind: MessageKind,
        /// The start of its text.
        text: Option<String>,
    },
    /// It was deleted.
    Deleted {
        /// Its id.
        id: MessageId,
    },
    /// It is not on this device.
    NotHere {
        /// Its id.
        id: MessageId,
    },
}

/// The reactions of one emoji to a message.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ThreadReaction {
    /// The emoji.
    pub emoji: String,
    /// How many people have reacted with it.
    pub count: u32,
    /// Whether the signed-in person has.
    pub mine: bool,
    /// The person's own reaction is pending.
    pub changing: bool,
    /// Who has, the first one first, as far as this device knows.
    pub people: Vec<PersonId>,
}

/// How many people have received and read a message of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct ReceiptCounts {
    /// The medics of the org.
    pub recipients: u32,
    /// On a device of this many.
    pub delivered: u32,
    /// Read by this many.
    pub read: u32,
}

/// A message as a thread shows it ([`fieldpost::ThreadMessage`]).
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct ThreadMessage {
    /// The id. It stays the same when the server stores the message.
    pub id: MessageId,
    /// The conversation's canonical id.
    pub conversation_id: ConversationId,
    /// The author.
    pub sender_id: PersonId,
    /// The name that the reader sees.
    pub sender_name: String,
    /// Whether the signed-in person wrote it.
    pub mine: bool,
    /// What it is.
    pub kind: MessageKind,
    /// The text; none if deleted or omitted.
    pub text: Option<String>,
    /// What the app attached, as a JSON object.
    pub metadata: Option<String>,
    /// The message that it replies to.
    pub reply: Option<Quoted>,
    /// The people that it mentions.
    pub mentions: Vec<PersonId>,
    /// Whether it mentions the signed-in person.
    pub mentions_me: bool,
    /// The reactions to it.
    pub reactions: Vec<ThreadReaction>,
    /// How far it has got.
    pub status: MessageStatus,
    /// Only with one's own messages in a broadcast.
    pub receipts: Option<ReceiptCounts>,
    /// The send is in flight.
    pub sending: bool,
    /// A change of what it says is pending: others do not see it yet.
    pub changing: bool,
    /// Why the send was refused. It waits for the person.
    pub failure: Option<Refusal>,
    /// Its seq; none until the server has it.
    pub seq: Option<u64>,
    /// When the author wrote it, by their device clock.
    pub composed_at: Option<SystemTime>,
    /// When the server stored it; by this device's clock until then.
    pub created_at: SystemTime,
    /// When its author last changed it.
    pub edited_at: Option<SystemTime>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// What to show in place of a text that was too large.
    pub omitted: Option<String>,
}

impl From<fieldpost::MessageKind> for MessageKind {
    fn from(kind: fieldpost::MessageKind) -> Self {
        match kind {
            fieldpost::MessageKind::Text => Self::Text,
            fieldpost::MessageKind::Attachment => Self::Attachment,
            fieldpost::MessageKind::System => Self::System,
            fieldpost::MessageKind::Unknown(_) => Self::Other,
        }
    }
}

impl From<fieldpost::MessageStatus> for MessageStatus {
    fn from(status: fieldpost::MessageStatus) -> Self {
        match status {
            fieldpost::MessageStatus::Queued => Self::Queued,
            fieldpost::MessageStatus::Sent => Self::Sent,
            fieldpost::MessageStatus::Delivered => Self::Delivered,
            fieldpost::MessageStatus::Read => Self::Read,
            fieldpost::MessageStatus::Unknown(_) => Self::Other,
        }
    }
}

impl From<fieldpost::Quoted> for Quoted {
    fn from(quoted: fieldpost::Quoted) -> Self {
        match quoted {
            fieldpost::Quoted::Here(quote) => Self::Here {
                id: quote.id,
                sender_name: quote.sender_name,
                mine: quote.mine,
                kind: quote.kind.into(),
                text: quote.text,
            },
            fieldpost::Quoted::Deleted(id) => Self::Deleted { id },
            fieldpost::Quoted::NotHere(id) => Self::NotHere { id },
        }
    }
}

impl From<fieldpost::ThreadReaction> for ThreadReaction {
    fn from(reaction: fieldpost::ThreadReaction) -> Self {
        Self {
            emoji: reaction.emoji.to_string(),
            count: moment::count(reaction.count),
            mine: reaction.mine,
            changing: reaction.changing,
            people: reaction.people,
        }
    }
}

impl From<fieldpost::ReceiptCounts> for ReceiptCounts {
    fn from(counts: fieldpost::ReceiptCounts) -> Self {
        Self {
            recipients: moment::count(counts.recipients),
            delivered: moment::count(counts.delivered),
            read: moment::count(counts.read),
        }
    }
}

impl From<fieldpost::ThreadMessage> for ThreadMessage {
    fn from(message: fieldpost::ThreadMessage) -> Self {
        Self {
            id: message.id,
            conversation_id: message.conversation_id,
            sender_id: message.sender_id,
            sender_name: message.sender_name,
            mine: message.mine,
            kind: message.kind.into(),
            text: message.content,
            metadata: message.metadata.as_ref().map(metadata_text),
            reply: message.reply.map(Into::into),
            mentions: message.mentions.into_iter().collect(),
            mentions_me: message.mentions_me,
            reactions: message.reactions.into_iter().map(Into::into).collect(),
            status: message.status.into(),
            receipts: message.receipts.map(Into::into),
            sending: message.sending,
            changing: message.changing,
            failure: message.failure.map(Into::into),
            seq: message.seq.map(Seq::get),
            composed_at: message.composed_at.map(moment::out),
            created_at: moment::out(message.created_at),
            edited_at: message.edited_at.map(moment::out),
            deleted: message.deleted,
            omitted: message.omitted.map(|omitted| omitted.sentence()),
        }
    }
}
