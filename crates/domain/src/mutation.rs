//! Mutations: what a person intends, recorded on the device before the server knows.

use crate::{ConversationId, MedicId, MutationId, NewMessage, OrgId, Seq, open_enum::open_enum};

open_enum!(
    /// What a mutation does, by its name on the wire.
    MutationKind {
        /// See [`Intent::SendMessage`].
        SendMessage => "send_message",
        /// See [`Intent::OpenDirect`].
        OpenDirect => "open_direct",
        /// See [`Intent::OpenBroadcast`].
        OpenBroadcast => "open_broadcast",
        /// See [`Intent::MarkRead`].
        MarkRead => "mark_read",
    }
);

/// One intended change. Its id never changes, however often it is attempted.
#[derive(Debug, Clone, PartialEq)]
pub struct Mutation {
    /// Made on the device.
    pub id: MutationId,
    /// What is to change.
    pub intent: Intent,
}

/// What is to change.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// Write a message. Idempotent by the message's id.
    SendMessage(NewMessage),
    /// Open the direct conversation of a medic, or find the one there is. The server answers with the canonical id.
    OpenDirect {
        /// Made on the device; the server may know the conversation under another.
        conversation_id: ConversationId,
        /// The medic; none when a medic opens their own.
        medic_id: Option<MedicId>,
        /// The org; none when a medic opens their own.
        org_id: Option<OrgId>,
    },
    /// Open the broadcast conversation of an org, or find the one there is.
    OpenBroadcast {
        /// Made on the device; the server may know the conversation under another.
        conversation_id: ConversationId,
        /// The org.
        org_id: OrgId,
        /// What it is called.
        subject: Option<String>,
    },
    /// Move the signed-in person's read marker forward.
    MarkRead {
        /// Where.
        conversation_id: ConversationId,
        /// The highest seq that was displayed.
        read_seq: Seq,
    },
}

impl Intent {
    /// The conversation whose lane this belongs to: order is kept within it.
    #[must_use]
    pub const fn lane(&self) -> ConversationId {
        match self {
            Self::SendMessage(message) => message.conversation_id,
            Self::OpenDirect { conversation_id, .. }
            | Self::OpenBroadcast { conversation_id, .. }
            | Self::MarkRead { conversation_id, .. } => *conversation_id,
        }
    }

    /// About how many bytes it takes as JSON on the wire, for filling a batch. Never less than it really takes.
    #[must_use]
    pub fn wire_size(&self) -> usize {
        // Ids, times, field names and punctuation of the longest kind.
        const FRAME: usize = 512;
        match self {
            Self::SendMessage(message) => {
                let metadata = message.metadata.as_ref().map_or(0, json_size);
                FRAME + json_size(&message.content) + metadata
            }
            Self::OpenBroadcast { subject, .. } => FRAME + subject.as_ref().map_or(0, json_size),
            Self::OpenDirect { .. } | Self::MarkRead { .. } => FRAME,
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> MutationKind {
        match self {
            Self::SendMessage(_) => MutationKind::SendMessage,
            Self::OpenDirect { .. } => MutationKind::OpenDirect,
            Self::OpenBroadcast { .. } => MutationKind::OpenBroadcast,
            Self::MarkRead { .. } => MutationKind::MarkRead,
        }
    }
}

fn json_size(value: &impl serde::Serialize) -> usize {
    // Strings and JSON objects always have a JSON form.
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
                composed_at: Time::UNIX_EPOCH,
            })
        };
        assert_eq!(intent("a\u{1}a").wire_size() - intent("aa").wire_size(), "\\u0001".len());
    }
}
