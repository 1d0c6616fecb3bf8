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
        let named = row.named;
        let row: Option<Message> = good(row.message);
        let row = row.filter(|row| is_of(row.id, named, self.message_id));
        Ok(row.map_or(Acknowledgement::Bare, |row| Acknowledgement::Stored(Box::new(row))))
    }
}

/// Whether a row of this id is that of the message. Where it has another id, the server repeats the one that was named.
pub(super) fn is_of(row: MessageId, named: Option<MessageId>, message: MessageId) -> bool {
    row == message || named == Some(message)
}
