//! Reacting to a message.

use super::{Decision, Policy, Replaces, Target, kind::Kind};
use crate::{Capability, Changeable, ConversationId, Emoji, MessageId};
use serde::{Deserialize, Serialize};

/// Give a message a reaction, or take it back. Setting what is set succeeds, so a resend is harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct React {
    /// The conversation of the message.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// The message.
    #[serde(skip, default = "MessageId::unaddressed")]
    pub message_id: MessageId,
    /// The emoji.
    pub emoji: Emoji,
    /// Take it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

impl React {
    pub(super) const POLICY: Policy = Policy {
        opens: false,
        changes: Target::Anybodys,
        expires: false,
        decision: Decision::Person,
        replaces: Replaces::OfTarget,
        counts: true,
        needs: Some(Capability::Reactions),
    };
}

impl Kind for React {
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

    fn part(&self) -> Option<&str> {
        Some(self.emoji.as_str())
    }

    fn change(&self, shown: &mut Changeable) {
        if self.removed || shown.deleted_at.is_some() {
            shown.reactions.remove(&self.emoji);
        } else {
            shown.reactions.insert(self.emoji.clone());
        }
    }

    fn variable_size(&self) -> usize {
        super::json_size(&self.emoji)
    }
}
