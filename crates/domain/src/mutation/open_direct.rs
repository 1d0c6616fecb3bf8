//! Opening a direct conversation.

use super::{Decision, Policy, Replaces, Target, kind::Kind};
use crate::{ConversationId, MedicId, MessageId, OrgId};
use serde::{Deserialize, Serialize};

/// Open the direct conversation of a medic, or find the existing one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenDirect {
    /// Made on the device; the server may have the conversation under another id.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// The medic; none when a medic opens their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medic_id: Option<MedicId>,
    /// The org; none when a medic opens their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
}

impl OpenDirect {
    pub(super) const POLICY: Policy = Policy {
        opens: true,
        changes: Target::None,
        expires: false,
        decision: Decision::Person,
        replaces: Replaces::Nothing,
        counts: true,
        needs: None,
    };
}

impl Kind for OpenDirect {
    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn address(&mut self, lane: ConversationId, _target: Option<MessageId>) {
        self.conversation_id = lane;
    }
}
