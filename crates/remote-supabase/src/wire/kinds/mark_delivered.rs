//! `mark_delivered`.

use super::{Kind, ResultRow, good};
use fieldpost_domain::{Acknowledgement, ConversationId, MarkDelivered};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Fields {
    conversation_id: ConversationId,
    delivered_seq: u64,
}

impl Kind for MarkDelivered {
    type Fields<'a> = Fields;

    fn fields(&self) -> Fields {
        Fields { conversation_id: self.conversation_id, delivered_seq: self.delivered_seq.get() }
    }

    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        Ok(good(row.read_marker).map_or(Acknowledgement::Bare, Acknowledgement::Marked))
    }
}
