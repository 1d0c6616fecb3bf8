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
