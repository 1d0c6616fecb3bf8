//! Saying what has reached a device.

use super::{Decision, Policy, Replaces, Target, kind::Kind};
use crate::{Capability, ConversationId, Intent, MessageId, Seq};
use serde::{Deserialize, Serialize};

/// Say that everything up to a seq is on one of the signed-in person's devices. The store records it itself, so it is
/// not counted among what a person waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkDelivered {
    /// The conversation.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// The highest seq of a message of somebody else, with nothing missing below.
    pub delivered_seq: Seq,
}

impl MarkDelivered {
    pub(super) const POLICY: Policy = Policy {
        opens: false,
        changes: Target::None,
        expires: false,
        decision: Decision::Nobody,
        replaces: Replaces::InLane,
        counts: false,
        needs: Some(Capability::MarkDelivered),
    };
}

impl Kind for MarkDelivered {
    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn address(&mut self, lane: ConversationId, _target: Option<MessageId>) {
        self.conversation_id = lane;
    }

    fn is_covered_by(&self, later: &Intent) -> bool {
        matches!(later, Intent::MarkRead(read)
            if read.conversation_id == self.conversation_id && read.read_seq >= self.delivered_seq)
    }
}
