//! Changing one's own settings for a conversation.

use super::{Decision, Policy, Replaces, Target, kind::Kind};
use crate::{Capability, ConversationId, MessageId, SettingsChange};
use serde::{Deserialize, Serialize};

/// Mute, pin, archive or mark unread a conversation, for oneself. Doing it again changes nothing, so a resend is harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetConversation {
    /// The conversation.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// What changes.
    #[serde(flatten)]
    pub change: SettingsChange,
}

impl SetConversation {
    pub(super) const POLICY: Policy = Policy {
        opens: false,
        changes: Target::None,
        expires: false,
        counts: true,
        decision: Decision::Person,
        // The store adds it to one of its lane that was never attempted.
        replaces: Replaces::Nothing,
        needs: Some(Capability::ConversationSettings),
    };
}

impl Kind for SetConversation {
    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn address(&mut self, lane: ConversationId, _target: Option<MessageId>) {
        self.conversation_id = lane;
    }
}
