//! `react`.

use super::{Kind, ResultRow, good};
use fieldpost_domain::{Acknowledgement, ConversationId, MessageId, React, Reaction};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Fields<'a> {
    conversation_id: ConversationId,
    message_id: MessageId,
    emoji: &'a str,
    removed: bool,
}

impl Kind for React {
    type Fields<'a> = Fields<'a>;

    fn fields(&self) -> Fields<'_> {
        let (conversation_id, message_id) = (self.conversation_id, self.message_id);
        Fields { conversation_id, message_id, emoji: self.emoji.as_str(), removed: self.removed }
    }

    /// Rows that cannot be read, or that are of another emoji, are ignored: the reaction is set, and the next pull brings it.
    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        let rows = row.reactions.into_iter().flatten().filter_map(|row| good(Some(row)));
        let rows: Vec<Reaction> = rows.filter(|row: &Reaction| row.emoji == self.emoji).collect();
        Ok(if rows.is_empty() { Acknowledgement::Bare } else { Acknowledgement::Reacted(rows) })
    }
}
