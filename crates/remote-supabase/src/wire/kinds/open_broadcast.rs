//! `open_broadcast`.

use super::{Kind, ResultRow, opened};
use crate::wire::text::without_nul;
use fieldpost_domain::{Acknowledgement, ConversationId, OpenBroadcast, OrgId};
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
pub(super) struct Fields<'a> {
    conversation_id: ConversationId,
    org_id: OrgId,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
}

impl Kind for OpenBroadcast {
    type Fields<'a> = Fields<'a>;

    fn fields(&self) -> Fields<'_> {
        Fields {
            conversation_id: self.conversation_id,
            org_id: self.org_id,
            subject: self.subject.as_deref().map(without_nul),
        }
    }

    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        opened(row)
    }
}
