//! Mutations: changes that a person makes, recorded on the device before the server has them.
//!
//! Each kind has its own file with its fields, its [`Policy`] and its behaviour; the list below registers it.

mod delete_message;
mod edit_message;
mod kind;
mod mark_delivered;
mod mark_read;
mod open_broadcast;
mod open_direct;
mod policy;
mod react;
mod report_message;
mod send_message;
mod set_conversation;
mod stored;

pub use delete_message::DeleteMessage;
pub use edit_message::EditMessage;
pub use mark_delivered::MarkDelivered;
pub use mark_read::MarkRead;
pub use open_broadcast::OpenBroadcast;
pub use open_direct::OpenDirect;
pub use policy::{Decision, Policy, Replaces, Target};
pub use react::React;
pub use report_message::ReportMessage;
pub use set_conversation::SetConversation;
pub use stored::Undecodable;

use crate::{Changeable, ConversationId, Mentions, MessageContent, MessageId, MutationId, NewMessage, RefusalCode};

kind::kinds! {
    /// Write a message. Idempotent by the message's id.
    SendMessage(NewMessage) => "send_message",
    /// Open the direct conversation of a medic, or find the existing one. The server answers with the canonical id.
    OpenDirect(OpenDirect) => "open_direct",
    /// Open the broadcast conversation of an org, or find the existing one.
    OpenBroadcast(OpenBroadcast) => "open_broadcast",
    /// Change the text and the mentions of a message that the server has.
    EditMessage(EditMessage) => "edit_message",
    /// Give a message a reaction, or take it back.
    React(React) => "react",
    /// Report somebody else's message to the admins.
    ReportMessage(ReportMessage) => "report_message",
    /// Delete a message that the server has.
    DeleteMessage(DeleteMessage) => "delete_message",
    /// Say what has reached a device of the signed-in person.
    MarkDelivered(MarkDelivered) => "mark_delivered",
    /// Move the signed-in person's read marker forward.
    MarkRead(MarkRead) => "mark_read",
    /// Mute, pin, archive or mark unread a conversation, for oneself.
    SetConversation(SetConversation) => "set_conversation",
}

/// One intended change. Its id stays the same over all attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct Mutation {
    /// Made on the device.
    pub id: MutationId,
    /// The change.
    pub intent: Intent,
}

impl Intent {
    /// How the outbox treats it.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.kind().policy()
    }

    /// The conversation whose lane it belongs to. Order is kept within a lane.
    #[must_use]
    pub fn lane(&self) -> ConversationId {
        self.as_kind().lane()
    }

    /// The message that it creates, if it creates one.
    #[must_use]
    pub fn creates(&self) -> Option<MessageId> {
        self.as_kind().creates()
    }

    /// The message that it changes, if it changes one.
    #[must_use]
    pub fn target(&self) -> Option<MessageId> {
        self.as_kind().target()
    }

    /// What tells it from others of its kind in what it replaces ([`Replaces`]): the kind, and the part of the target that it
    /// changes if that is not all of it.
    #[must_use]
    pub fn slot(&self) -> String {
        let kind = self.kind();
        self.as_kind().part().map_or_else(|| kind.as_str().to_owned(), |part| format!("{} {part}", kind.as_str()))
    }

    /// Whether it changes what the message says. A reaction does not, nor does a report.
    #[must_use]
    pub fn rewrites(&self) -> bool {
        self.target().is_some() && self.as_kind().part().is_none() && !self.policy().leaves_as_is()
    }

    /// Applies the change to the shown message until the server has answered.
    pub fn change(&self, shown: &mut Changeable) {
        self.as_kind().change(shown);
    }

    /// Applies the change to a message that was never sent, so it need not be sent itself. False if it cannot be
    /// folded: it then waits for the message to be sent.
    pub fn fold_into(&self, unsent: &mut NewMessage) -> bool {
        self.as_kind().fold_into(unsent)
    }

    /// Whether it takes back a message that was never sent, so that neither is sent.
    #[must_use]
    pub fn withdraws(&self) -> bool {
        self.as_kind().withdraws()
    }

    /// Whether a later mutation says all that it says, so that it need not be sent.
    #[must_use]
    pub fn is_covered_by(&self, later: &Self) -> bool {
        self.as_kind().is_covered_by(later)
    }

    /// Whether this refusal leaves nothing to do: what it would have deleted is gone.
    #[must_use]
    pub fn is_done_by(&self, refusal: &RefusalCode) -> bool {
        self.withdraws() && refusal.says_gone()
    }

    /// The text that the person wrote, if there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.as_kind().text()
    }

    /// Replaces the text. Returns false and changes nothing if this kind has no text.
    pub fn set_text(&mut self, text: MessageContent) -> bool {
        self.as_kind_mut().set_text(text)
    }

    /// Sets the ids that the server may replace: of its conversation, and of the message that it changes.
    pub fn address(&mut self, lane: ConversationId, target: Option<MessageId>) {
        self.as_kind_mut().address(lane, target);
    }

    /// An upper bound of its size as JSON on the wire, in bytes; used to fill a batch.
    #[must_use]
    pub fn wire_size(&self) -> usize {
        // Ids, times, field names and punctuation of the longest kind.
        const FRAME: usize = 512;
        FRAME + self.as_kind().variable_size()
    }
}

fn mentions_size(mentions: &Mentions) -> usize {
    if mentions.is_empty() { 0 } else { json_size(mentions) }
}

pub(crate) fn json_size(value: &impl serde::Serialize) -> usize {
    // Strings and JSON objects always serialize.
    serde_json::to_string(value).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageContent, MessageId, MessageKind, PersonId, Time};
    use uuid::Uuid;

    #[test]
    fn the_wire_size_counts_what_escaping_adds() {
        let intent = |text: &str| {
            Intent::SendMessage(NewMessage {
                id: MessageId::from_uuid(Uuid::nil()),
                conversation_id: ConversationId::from_uuid(Uuid::nil()),
                sender_id: PersonId::from_uuid(Uuid::nil()),
                kind: MessageKind::Text,
                content: MessageContent::new(text).unwrap(),
                metadata: None,
                reply_to: None,
                mentions: crate::Mentions::new(),
                composed_at: Time::UNIX_EPOCH,
            })
        };
        assert_eq!(intent("a\u{1}a").wire_size() - intent("aa").wire_size(), "\\u0001".len());
    }
}
