//! `delete_message`.

use super::{Kind, ResultRow, edit_message::is_of, good};
use fieldpost_domain::{Acknowledgement, ConversationId, DeleteMessage, Message, MessageId};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Fields {
    conversation_id: ConversationId,
    message_id: MessageId,
}

impl Kind for DeleteMessage {
    type Fields<'a> = Fields;

    fn fields(&self) -> Fields {
        Fields { conversation_id: self.conversation_id, message_id: self.message_id }
    }

    /// The row without its content; or the tombstone, if the message was hard-deleted. A row of another message is ignored:
    /// the deletion succeeded, and the next pull brings the message.
    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        let named = row.named;
        let is_of = |id| is_of(id, named, self.message_id);
        let stored: Option<Message> = good(row.message);
        if let Some(stored) = stored.filter(|stored| is_of(stored.id)) {
            return Ok(Acknowledgement::Stored(Box::new(stored)));
        }
        let tombstone = good(row.tombstone);
        let tombstone = tombstone.filter(|it: &fieldpost_domain::Tombstone| it.message_id().is_some_and(is_of));
        Ok(tombstone.map_or(Acknowledgement::Bare, Acknowledgement::Deleted))
    }
}
