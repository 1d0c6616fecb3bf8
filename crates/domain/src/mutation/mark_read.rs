//! Moving a read marker.

use super::{Decision, Policy, Replaces, Target, kind::Kind};
use crate::{ConversationId, MessageId, Seq};
use serde::{Deserialize, Serialize};

/// Move the signed-in person's read marker forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRead {
    /// The conversation.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// The highest seq that was displayed.
    pub read_seq: Seq,
}

impl MarkRead {
    pub(super) const POLICY: Policy = Policy {
        opens: false,
        changes: Target::None,
        expires: false,
        decision: Decision::Nobody,
        replaces: Replaces::InLane,
        counts: true,
        needs: None,
    };
}

impl Kind for MarkRead {
    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn address(&mut self, lane: ConversationId, _target: Option<MessageId>) {
        self.conversation_id = lane;
    }
}
