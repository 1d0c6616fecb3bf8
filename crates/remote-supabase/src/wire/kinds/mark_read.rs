//! `mark_read`.

use super::{Kind, ResultRow, good};
use fieldpost_domain::{Acknowledgement, ConversationId, MarkRead};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Fields {
    conversation_id: ConversationId,
    read_seq: u64,
}

impl Kind for MarkRead {
    type Fields<'a> = Fields;

    fn fields(&self) -> Fields {
        Fields { conversation_id: self.conversation_id, read_seq: self.read_seq.get() }
    }

    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        Ok(good(row.read_marker).map_or(Acknowledgement::Bare, Acknowledgement::Marked))
    }
}
