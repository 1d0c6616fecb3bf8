//! `send_message`.

use super::{Kind, ResultRow, good};
use crate::wire::text::microseconds;
use fieldpost_domain::{
    Acknowledgement, ConversationId, Mentions, MessageId, MessageKind, Metadata, NewMessage, Time, TombstoneOf,
};
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
pub(super) struct Fields<'a> {
    conversation_id: ConversationId,
    message_id: MessageId,
    message_type: &'a MessageKind,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Metadata>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    mentions: &'a Mentions,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
    #[serde(serialize_with = "microseconds")]
    composed_at: Time,
}

impl Kind for NewMessage {
    type Fields<'a> = Fields<'a>;

    fn fields(&self) -> Fields<'_> {
        Fields {
            conversation_id: self.conversation_id,
            message_id: self.id,
            message_type: &self.kind,
            content: self.content.as_str(),
            metadata: self.metadata.as_ref(),
            mentions: &self.mentions,
            reply_to: self.reply_to,
            composed_at: self.composed_at,
        }
    }

    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        let check = |right: bool| if right { Ok(()) } else { Err("it has the row of another message") };
        let instead = row.message.is_some();
        let stored = good(row.message);
        if let Some(ack) = good(row.ack) {
            check(ack.message_id == self.id && stored.as_ref().is_none_or(|stored| stored.id == self.id))?;
            return Ok(match stored {
                Some(stored) => Acknowledgement::Stored(Box::new(stored)),
                // The ack's version belongs to a row with other content: the pull must bring that row.
                None if instead => Acknowledgement::Bare,
                None => Acknowledgement::Sent(ack),
            });
        }
        if let Some(stored) = stored {
            check(stored.id == self.id || stored.sender_id == self.sender_id)?;
            return Ok(Acknowledgement::Stored(Box::new(stored)));
        }
        if let Some(tombstone) = good(row.tombstone) {
            if let TombstoneOf::Message { id, .. } = tombstone.of {
                check(id == self.id)?;
            }
            return Ok(Acknowledgement::Deleted(tombstone));
        }
        Ok(Acknowledgement::Bare)
    }
}
