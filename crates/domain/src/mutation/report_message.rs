//! Reporting a message to the admins of the org.

use super::{Decision, Policy, Replaces, Target, json_size, kind::Kind};
use crate::{Capability, ConversationId, MessageId, ReportError, ReportNote, ReportReason};
use serde::{Deserialize, Serialize};

/// Tell the admins of the org about somebody else's message. The message stays as it is. A person has one report of a
/// message: another one takes its place. The server knows a report that is sent again by its mutation, so a resend is
/// harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportMessage {
    /// The conversation of the message.
    #[serde(skip, default = "ConversationId::unaddressed")]
    pub conversation_id: ConversationId,
    /// The message.
    #[serde(skip, default = "MessageId::unaddressed")]
    pub message_id: MessageId,
    /// Why.
    pub reason: ReportReason,
    /// What the person adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<ReportNote>,
}

impl ReportMessage {
    pub(super) const POLICY: Policy = Policy {
        opens: false,
        changes: Target::Others,
        expires: false,
        decision: Decision::Person,
        replaces: Replaces::OfTarget,
        counts: true,
        needs: Some(Capability::Reports),
    };

    /// Checks what the person says.
    ///
    /// # Errors
    /// [`ReportError`] says which rule is broken.
    pub fn new(
        conversation_id: ConversationId,
        message_id: MessageId,
        reason: ReportReason,
        note: &str,
    ) -> Result<Self, ReportError> {
        let note = ReportNote::new(note)?;
        if !reason.is_sendable() {
            return Err(ReportError::Reason);
        }
        Ok(Self { conversation_id, message_id, reason, note })
    }
}

impl Kind for ReportMessage {
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

    fn variable_size(&self) -> usize {
        json_size(&self.reason) + json_size(&self.note)
    }
}
