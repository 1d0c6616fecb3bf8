//! Deleting a message.

use super::{Decision, Policy, Replaces, Target, kind::Kind};
use crate::{Capability, Changeable, ConversationId, MessageId, Time};
use serde::{Deserialize, Serialize};

/// Delete a message: one's own, or as an admin any message of the org. The row stays without its content, so that
/// everybody sees that there was a message. Deleting what is deleted succeeds, so a resend is harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteMessage {
    /// The conversation of the message.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// The message.
    #[serde(skip, default = "MessageId::unaddressed")]
    pub message_id: MessageId,
    /// When the person deleted it, by the device's clock. The server has a time of its own.
    pub deleted_at: Time,
}

impl DeleteMessage {
    pub(super) const POLICY: Policy = Policy {
        opens: false,
        changes: Target::OwnOrAsAdmin,
        expires: false,
        decision: Decision::Person,
        replaces: Replaces::ChangesOfTarget,
        counts: true,
        needs: Some(Capability::DeleteMessage),
    };
}

impl Kind for DeleteMessage {
    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn address(&mut self, lane: ConversationId, target: Option<MessageId>) {
        self.conversation_id = lane;
        self.message_id = target.unwrap_or(self.message_id);
    }

    fn target(&self) -> Option<MessageId> {
        Some(self.message_id)
    }

    fn change(&self, shown: &mut Changeable) {
        shown.content = None;
        shown.mentions.clear();
        shown.reactions.clear();
        shown.deleted_at.get_or_insert(self.deleted_at);
    }

    fn withdraws(&self) -> bool {
        true
    }
}
