//! Opening a broadcast.

use super::{Decision, Policy, Replaces, Target, json_size, kind::Kind};
use crate::{ConversationId, MessageId, OrgId};
use serde::{Deserialize, Serialize};

/// Open the broadcast conversation of an org, or find the existing one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBroadcast {
    /// Made on the device; the server may have the conversation under another id.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// The org.
    pub org_id: OrgId,
    /// Its subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl OpenBroadcast {
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

impl Kind for OpenBroadcast {
    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn address(&mut self, lane: ConversationId, _target: Option<MessageId>) {
        self.conversation_id = lane;
    }

    fn variable_size(&self) -> usize {
        self.subject.as_ref().map_or(0, json_size)
    }
}
