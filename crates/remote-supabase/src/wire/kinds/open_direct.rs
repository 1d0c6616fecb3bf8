//! `open_direct`.

use super::{Kind, ResultRow, opened};
use fieldpost_domain::{Acknowledgement, ConversationId, MedicId, OpenDirect, OrgId};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Fields {
    conversation_id: ConversationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    medic_id: Option<MedicId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<OrgId>,
}

impl Kind for OpenDirect {
    type Fields<'a> = Fields;

    fn fields(&self) -> Fields {
        Fields { conversation_id: self.conversation_id, medic_id: self.medic_id, org_id: self.org_id }
    }

    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        opened(row)
    }
}
