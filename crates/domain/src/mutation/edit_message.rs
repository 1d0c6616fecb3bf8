//! Changing a message that was sent.

use super::{Decision, Policy, Replaces, Target, json_size, kind::Kind, mentions_size};
use crate::{Capability, Changeable, ConversationId, Mentions, MessageContent, MessageId, NewMessage};
use serde::{Deserialize, Serialize};

/// Replace the text and mentions of one's own message. The last edit to arrive wins. An edit that changes nothing
/// succeeds, so a resend is harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditMessage {
    /// The conversation of the message.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// The message.
    #[serde(skip, default = "MessageId::unaddressed")]
    pub message_id: MessageId,
    /// The new text.
    pub content: MessageContent,
    /// The new mentions.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
}

impl EditMessage {
    pub(super) const POLICY: Policy = Policy {
        opens: false,
        changes: Target::Own,
        expires: false,
        decision: Decision::Person,
        replaces: Replaces::OfTarget,
        counts: true,
        needs: Some(Capability::EditMessage),
    };
}

impl Kind for EditMessage {
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
        // Delete beats edit, whichever comes first.
        if shown.deleted_at.is_none() {
            shown.content = Some(self.content.as_str().to_owned());
            shown.mentions.clone_from(&self.mentions);
        }
    }

    fn fold_into(&self, unsent: &mut NewMessage) -> bool {
        unsent.content = self.content.clone();
        unsent.mentions.clone_from(&self.mentions);
        true
    }

    fn text(&self) -> Option<&str> {
        Some(self.content.as_str())
    }

    fn set_text(&mut self, text: MessageContent) -> bool {
        self.content = text;
        true
    }

    fn variable_size(&self) -> usize {
        json_size(&self.content) + mentions_size(&self.mentions)
    }
}
