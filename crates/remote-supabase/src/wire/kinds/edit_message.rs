//! `edit_message`.

use super::{Kind, ResultRow, good};
use fieldpost_domain::{Acknowledgement, ConversationId, EditMessage, Mentions, Message, MessageId};
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
pub(super) struct Fields<'a> {
    conversation_id: ConversationId,
    message_id: MessageId,
    content: &'a str,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    mentions: &'a Mentions,
}

impl Kind for EditMessage {
    type Fields<'a> = Fields<'a>;

    fn fields(&self) -> Fields<'_> {
        Fields {
            conversation_id: self.conversation_id,
            message_id: self.message_id,
            content: self.content.as_str(),
            mentions: &self.mentions,
        }
    }

    /// The row may have another id than the edit named, if an older version of the app sent the message with a key. Any
    /// other row is ignored: the edit was applied, and the next pull brings the message.
    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        let row: Option<Message> = good(row.message);
        let row = row.filter(|row| is_of(row, self.message_id));
        Ok(row.map_or(Acknowledgement::Bare, |row| Acknowledgement::Stored(Box::new(row))))
    }
}

/// Whether the row is of this message, also if an older version of the app sent it with a key.
pub(super) fn is_of(row: &Message, message: MessageId) -> bool {
    row.id == message || key_of(row) == Some(message.to_string().as_str())
}

/// The key with which an older version of the app sent it.
fn key_of(message: &Message) -> Option<&str> {
    message.metadata.as_ref()?.as_object().get("idempotency_key")?.as_str()
}
