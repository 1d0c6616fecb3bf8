//! Messages: as composed on a device, and as the server stores them.

use crate::{
    ConversationId, Emoji, Extra, MessageAck, MessageContent, MessageId, Metadata, Omitted, PersonId, Seq, Time,
    Version, open_enum::open_enum,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

open_enum!(
    /// The kind of a message.
    MessageKind {
        /// Written by a person.
        Text => "text",
        /// A file, described in the metadata; the text is optional.
        Attachment => "attachment",
        /// Written by the server; clients cannot send it.
        System => "system",
    }
);

open_enum!(
    /// The delivery status of a message. Ordered: it never goes back to an earlier value.
    MessageStatus {
        /// Only on this device, in the outbox. Never on the wire.
        Queued => "queued",
        /// The server has it.
        Sent => "sent",
        /// It is on a device of a recipient.
        Delivered => "delivered",
        /// A recipient has read it.
        Read => "read",
    }
);

/// The people whom a message mentions.
pub type Mentions = BTreeSet<PersonId>;

/// Maximum number of people that a message may mention.
pub const MENTIONS_MAX: usize = 100;

/// A message that this device composed and the server has not acknowledged. As JSON it is the payload of its mutation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewMessage {
    /// Made on the device; it stays the message's id on the server, and is the idempotency key of the send.
    pub id: MessageId,
    /// The conversation.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// Who wrote it: the signed-in person.
    pub sender_id: PersonId,
    /// [`MessageKind::Text`] or [`MessageKind::Attachment`].
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// The text.
    pub content: MessageContent,
    /// What the app attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// Whom it mentions.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
    /// When it was written, by the device's clock. For display only; no order depends on it.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub composed_at: Time,
}

/// A message as the server stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id, the same on every device and on the server.
    pub id: MessageId,
    /// The canonical conversation.
    pub conversation_id: ConversationId,
    /// Who wrote it; [`PersonId::NOBODY`] once the account is deleted.
    pub sender_id: PersonId,
    /// Its kind.
    pub kind: MessageKind,
    /// Its text; none once it is deleted, and none for an attachment without text.
    pub content: Option<String>,
    /// What the app attached; none once it is deleted.
    pub metadata: Option<Metadata>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// Whom it mentions; nobody once it is deleted.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
    /// The status column of the server, which clients other than Fieldpost write. Receipts say more.
    pub status: MessageStatus,
    /// Its place in the conversation, from 1.
    pub seq: Seq,
    /// When it was written, by the sending device's clock.
    pub composed_at: Option<Time>,
    /// When the server stored it, by the server's clock; never decreases with `seq`.
    pub created_at: Time,
    /// When it was last changed, by the server's clock.
    pub updated_at: Time,
    /// When its author last changed its text or its mentions, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Time>,
    /// Set when it was soft-deleted; the row then has no content.
    pub deleted_at: Option<Time>,
    /// Set when a field is above its limit; the row then has no content and no metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<Omitted>,
    /// Row version.
    pub version: Version,
    /// Fields that this version does not know.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Message {
    /// The row that the server made of a message that it acknowledged.
    #[must_use]
    pub fn sent(message: NewMessage, ack: &MessageAck) -> Self {
        Self {
            id: message.id,
            conversation_id: ack.conversation_id,
            sender_id: message.sender_id,
            kind: message.kind,
            content: Some(message.content.into()),
            metadata: message.metadata,
            reply_to: message.reply_to,
            mentions: message.mentions,
            status: MessageStatus::Sent,
            seq: ack.seq,
            composed_at: Some(message.composed_at),
            created_at: ack.created_at,
            updated_at: ack.created_at,
            edited_at: None,
            deleted_at: None,
            omitted: None,
            version: ack.version,
            extra: Extra::new(),
        }
    }

    /// Whether another row of the same message is equal, except for its place and times. Rows of one version should be
    /// equal; they differ when a trigger of the project changed the message and the server did not report it.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (&self.kind, &self.content, &self.metadata, &self.omitted, &self.mentions)
            == (&other.kind, &other.content, &other.metadata, &other.omitted, &other.mentions)
            && (self.sender_id, self.reply_to, self.deleted_at) == (other.sender_id, other.reply_to, other.deleted_at)
    }
}

/// The fields of a message that a pending change may replace. A store keeps the server's values of them as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changeable {
    /// Its text.
    pub content: Option<String>,
    /// Whom it mentions.
    #[serde(default)]
    pub mentions: Mentions,
    /// When it was deleted; the text is gone then.
    #[serde(default)]
    pub deleted_at: Option<Time>,
    /// The reactions of the signed-in person. A store derives them from rows of their own.
    #[serde(skip)]
    pub reactions: BTreeSet<Emoji>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_from_a_newer_server_survives_a_round_trip() {
        let kind: MessageKind = serde_json::from_str("\"poll\"").unwrap();
        assert_eq!(kind, MessageKind::Unknown("poll".to_owned()));
        assert_eq!(serde_json::to_string(&kind).unwrap(), "\"poll\"");
    }

    #[test]
    fn statuses_are_ordered_by_how_far_a_message_has_got() {
        assert!(MessageStatus::Queued < MessageStatus::Sent);
        assert!(MessageStatus::Delivered < MessageStatus::Read);
    }
}
