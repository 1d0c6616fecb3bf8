//! What the server answers to a mutation.

use crate::{
    Conversation, ConversationId, Message, MessageId, MutationId, ReadMarker, Seq, Time, Tombstone, Version,
    open_enum::open_enum,
};
use serde::{Deserialize, Serialize};

open_enum!(
    /// Why a mutation was refused for good (docs/protocol.md lists them).
    #[non_exhaustive]
    RefusalCode {
        /// A field is missing or of the wrong type.
        BadRequest => "bad_request",
        /// The server does not know this kind of mutation.
        UnknownKind => "unknown_kind",
        /// The message has no text.
        ContentEmpty => "content_empty",
        /// The message is too long.
        ContentTooLong => "content_too_long",
        /// The message has white space at an end.
        NotTrimmed => "not_trimmed",
        /// The person may not do this.
        Forbidden => "forbidden",
        /// The id belongs to something else.
        IdTaken => "id_taken",
        /// There is no such conversation or medic, or the person may not see it.
        NotFound => "not_found",
        /// The metadata is larger than a message may have.
        MetadataTooLarge => "metadata_too_large",
        /// The metadata is nested deeper than that of a message may be.
        MetadataTooDeep => "metadata_too_deep",
        /// The subject is longer than one may be.
        SubjectTooLong => "subject_too_long",
        /// A trigger, a constraint or a policy of the project does not want it; the detail is what that says.
        Refused => "refused",
        /// More people are mentioned than a message may mention.
        TooManyMentions => "too_many_mentions",
        /// The message was deleted.
        MessageDeleted => "message_deleted",
        /// The conversation was deleted.
        ConversationDeleted => "conversation_deleted",
        /// Not from the server: access to the conversation was lost before this was sent; or the server was restored from an
        /// older state and does not show it any more, so that nobody can say what it still has.
        AccessLost => "access_lost",
        /// Not from the server: the server had this message and, restored from an older state, has it no longer.
        LostByServer => "lost_by_server",
        /// Not from the server: the conversation this belongs to could not be opened.
        OpenRefused => "open_refused",
        /// Not from the server: it waited longer than the app lets a message wait.
        Expired => "expired",
        /// Not from the server: this version cannot read what was recorded. A version that can takes it up again.
        Unreadable => "unreadable",
    }
);

open_enum!(
    /// Why a mutation must be attempted again.
    #[non_exhaustive]
    RetryCode {
        /// It collided with another write.
        Conflict => "conflict",
        /// The server lacks resources.
        Busy => "busy",
        /// An earlier mutation of the same conversation must go first.
        AfterRetry => "after_retry",
    }
);

impl RefusalCode {
    /// Whether the server says this without looking for the message. Then it says nothing of an earlier attempt whose answer was
    /// lost: that may have been carried out while the person still belonged there.
    #[must_use]
    pub const fn is_said_unseen(&self) -> bool {
        matches!(self, Self::Forbidden | Self::NotFound)
    }
}

/// A permanent refusal: the mutation becomes a dead letter and waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people; without content, unless the project's own refusal ([`RefusalCode::Refused`]) repeats some.
    pub detail: Option<String>,
}

/// What the sender of a message does not know until the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAck {
    /// Which message.
    pub message_id: MessageId,
    /// The canonical conversation.
    pub conversation_id: ConversationId,
    /// Its place.
    pub seq: Seq,
    /// The server's clock.
    pub created_at: Time,
    /// The state of the row.
    pub version: Version,
}

/// The server has it: what it tells with that.
#[derive(Debug, Clone, PartialEq)]
pub enum Acknowledgement {
    /// The message is stored, just now.
    Sent(MessageAck),
    /// The message is stored, and this is its row as it is now: an earlier attempt had stored it, or the project stored
    /// something else than what was sent.
    Stored(Box<Message>),
    /// The message was stored and has since been deleted for good.
    Deleted(Tombstone),
    /// The conversation is open; its id is the canonical one and may differ from the one asked for.
    Opened(Box<Conversation>),
    /// The read marker as the server has it now.
    Marked(ReadMarker),
    /// Nothing beyond that.
    Bare,
}

/// The answer to one mutation.
#[derive(Debug, Clone, PartialEq)]
pub enum PushOutcome {
    /// Applied now, or by an earlier attempt.
    Acknowledged(Acknowledgement),
    /// Refused for good.
    Rejected(Refusal),
    /// Not now; the same mutation may be attempted again.
    Retry(RetryCode),
}

/// The answer to one mutation of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct PushResult {
    /// Which mutation.
    pub mutation_id: MutationId,
    /// What became of it.
    pub outcome: PushOutcome,
}
