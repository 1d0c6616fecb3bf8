//! `report_message`.

use super::{Kind, ResultRow};
use crate::wire::text::without_nul;
use fieldpost_domain::{Acknowledgement, ConversationId, MessageId, ReportMessage, ReportNote};
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
pub(super) struct Fields<'a> {
    conversation_id: ConversationId,
    message_id: MessageId,
    reason: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
}

impl Kind for ReportMessage {
    type Fields<'a> = Fields<'a>;

    fn fields(&self) -> Fields<'_> {
        Fields {
            conversation_id: self.conversation_id,
            message_id: self.message_id,
            reason: without_nul(self.reason.as_str()),
            note: self.note.as_ref().map(ReportNote::as_str).map(without_nul),
        }
    }

    /// The reporter gets no row back: what becomes of a report is the admins' business.
    fn acknowledgement(&self, _: ResultRow) -> Result<Acknowledgement, &'static str> {
        Ok(Acknowledgement::Bare)
    }
}
