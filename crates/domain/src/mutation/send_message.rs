//! Writing a message.

use super::{Decision, Policy, Replaces, Target, json_size, kind::Kind, mentions_size};
use crate::{ConversationId, MessageContent, MessageId, NewMessage};

impl NewMessage {
    pub(super) const POLICY: Policy = Policy {
        opens: false,
        changes: Target::None,
        expires: true,
        decision: Decision::Person,
        replaces: Replaces::Nothing,
        counts: true,
        needs: None,
    };
}

impl Kind for NewMessage {
    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn address(&mut self, lane: ConversationId, _target: Option<MessageId>) {
        self.conversation_id = lane;
    }

    fn creates(&self) -> Option<MessageId> {
        Some(self.id)
    }

    fn text(&self) -> Option<&str> {
        Some(self.content.as_str())
    }

    fn set_text(&mut self, text: MessageContent) -> bool {
        self.content = text;
        true
    }

    fn variable_size(&self) -> usize {
        json_size(&self.content) + self.metadata.as_ref().map_or(0, json_size) + mentions_size(&self.mentions)
    }
}
