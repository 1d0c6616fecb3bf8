//! A mutation as it stands on the wire: looser than [`Mutation`], whose type already rules out what a server has to refuse.

use fieldpost_domain::{
    ConversationId, Intent, MarkRead, MedicId, MessageId, MessageKind, Metadata, Mutation, MutationId, OpenBroadcast,
    OpenDirect, OrgId, PushOutcome, Refusal, Seq, Time,
};

/// One element of a batch.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The mutation's own id, echoed; none if the element had none that can be read.
    pub id: Option<MutationId>,
    /// What is to be done.
    pub task: Task,
}

/// What an element asks for.
#[derive(Debug, Clone)]
pub enum Task {
    /// Write a message.
    Send(SubmittedMessage),
    /// Open or find the direct conversation of a medic.
    OpenDirect {
        /// Made by the client.
        conversation_id: ConversationId,
        /// None: the caller's own.
        medic_id: Option<MedicId>,
        /// None: the caller's org.
        org_id: Option<OrgId>,
    },
    /// Open or find the broadcast of an org.
    OpenBroadcast {
        /// Made by the client.
        conversation_id: ConversationId,
        /// The org.
        org_id: OrgId,
        /// What it is called.
        subject: Option<String>,
    },
    /// Move the caller's read marker forward.
    MarkRead {
        /// Where.
        conversation_id: ConversationId,
        /// The highest seq that was displayed.
        read_seq: Seq,
    },
    /// An element that could not be read: it is answered in its place with this.
    Refused(Refusal),
}

/// A message as it stands on the wire; the sender is the caller.
#[derive(Debug, Clone)]
pub struct SubmittedMessage {
    /// The primary key to be.
    pub id: MessageId,
    /// Where it is written.
    pub conversation_id: ConversationId,
    /// What it is.
    pub kind: MessageKind,
    /// Its text.
    pub content: Option<String>,
    /// What the app attached.
    pub metadata: Option<Metadata>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// The device's claim of when it was written.
    pub composed_at: Option<Time>,
}

/// The answer to one element.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmissionResult {
    /// As submitted.
    pub id: Option<MutationId>,
    /// What became of it.
    pub outcome: PushOutcome,
    /// Whether it was done now, not by an earlier attempt: `applied` against `duplicate`.
    pub applied: bool,
}

impl Task {
    /// The conversation whose order it belongs to.
    pub(super) const fn lane(&self) -> Option<ConversationId> {
        match self {
            Self::Send(message) => Some(message.conversation_id),
            Self::OpenDirect { conversation_id, .. }
            | Self::OpenBroadcast { conversation_id, .. }
            | Self::MarkRead { conversation_id, .. } => Some(*conversation_id),
            Self::Refused(_) => None,
        }
    }
}

impl From<&Mutation> for Submission {
    fn from(mutation: &Mutation) -> Self {
        let task = match &mutation.intent {
            Intent::SendMessage(message) => Task::Send(SubmittedMessage {
                id: message.id,
                conversation_id: message.conversation_id,
                kind: message.kind.clone(),
                content: Some(message.content.as_str().to_owned()),
                metadata: message.metadata.clone(),
                reply_to: message.reply_to,
                composed_at: Some(message.composed_at),
            }),
            Intent::OpenDirect(OpenDirect { conversation_id, medic_id, org_id }) => {
                Task::OpenDirect { conversation_id: *conversation_id, medic_id: *medic_id, org_id: *org_id }
            }
            Intent::OpenBroadcast(OpenBroadcast { conversation_id, org_id, subject }) => {
                Task::OpenBroadcast { conversation_id: *conversation_id, org_id: *org_id, subject: subject.clone() }
            }
            Intent::MarkRead(MarkRead { conversation_id, read_seq }) => {
                Task::MarkRead { conversation_id: *conversation_id, read_seq: *read_seq }
            }
        };
        Self { id: Some(mutation.id), task }
    }
}
