//! The server's results for mutations.

use crate::{
    Conversation, ConversationId, ConversationSettings, Message, MessageId, MutationId, Reaction, ReadMarker, Seq,
    Time, Tombstone, Version, open_enum::open_enum,
};
use serde::{Deserialize, Serialize};

open_enum!(
    /// Why a mutation was refused permanently (listed in docs/protocol.md).
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
        /// The message has leading or trailing white space.
        NotTrimmed => "not_trimmed",
        /// The person may not do this.
        Forbidden => "forbidden",
        /// The id is in use by something else.
        IdTaken => "id_taken",
        /// There is no such conversation or medic, or the person may not see it.
        NotFound => "not_found",
        /// The metadata is larger than allowed.
        MetadataTooLarge => "metadata_too_large",
        /// The metadata is nested deeper than allowed.
        MetadataTooDeep => "metadata_too_deep",
        /// The subject is longer than allowed.
        SubjectTooLong => "subject_too_long",
        /// A trigger, constraint or policy of the project refused it; the detail is its error message.
        Refused => "refused",
        /// The message mentions more people than allowed.
        TooManyMentions => "too_many_mentions",
        /// The message that it replies to is not in the conversation, or the person may not see it.
        ReplyNotFound => "reply_not_found",
        /// It mentions somebody who may not see the conversation.
        MentionNotAllowed => "mention_not_allowed",
        /// The person has given the message as many reactions as allowed.
        TooManyReactions => "too_many_reactions",
        /// The note of the report is longer than allowed.
        NoteTooLong => "note_too_long",
        /// The message was deleted.
        MessageDeleted => "message_deleted",
        /// The conversation was deleted.
        ConversationDeleted => "conversation_deleted",
        /// Not from the server: access to the conversation was lost before this was sent; or the server was restored
        /// from an older state and no longer shows the conversation, so it is not known whether the server has this.
        AccessLost => "access_lost",
        /// Not from the server: the server had this message and lost it when it was restored from an older state.
        LostByServer => "lost_by_server",
        /// Not from the server: its conversation could not be opened.
        OpenRefused => "open_refused",
        /// Not from the server: it waited longer than the ttl that the app has set.
        Expired => "expired",
        /// Not from the server: this version cannot read what was recorded. A version that can takes it up again.
        Unreadable => "unreadable",
    }
);

open_enum!(
    /// Why a mutation must be attempted again.
    #[non_exhaustive]
    RetryCode {
        /// It conflicted with another write.
        Conflict => "conflict",
        /// The server lacks resources.
        Busy => "busy",
        /// An earlier mutation of the same conversation must be retried first.
        AfterRetry => "after_retry",
    }
);

impl RefusalCode {
    /// Whether the server answers this without looking up the message. Such a refusal proves nothing about an earlier
    /// attempt whose response was lost: it may have been applied while the person still had access.
    #[must_use]
    pub const fn is_said_unseen(&self) -> bool {
        matches!(self, Self::Forbidden | Self::NotFound)
    }

    /// Whether what the mutation is about is gone for everybody. What is not found may be only out of the person's sight.
    #[must_use]
    pub const fn says_gone(&self) -> bool {
        matches!(self, Self::MessageDeleted | Self::ConversationDeleted)
    }
}

/// A permanent refusal: the mutation becomes a dead letter and waits for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people. Without content, unless the project's own error ([`RefusalCode::Refused`]) repeats some.
    pub detail: Option<String>,
}

/// What the sender of a message learns when the server has stored it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAck {
    /// The message.
    pub message_id: MessageId,
    /// The canonical conversation.
    pub conversation_id: ConversationId,
    /// Its seq.
    pub seq: Seq,
    /// When the server stored it, by the server's clock.
    pub created_at: Time,
    /// The version of the row.
    pub version: Version,
}

/// The server has applied the mutation; this is what it returned.
#[derive(Debug, Clone, PartialEq)]
pub enum Acknowledgement {
    /// The message was stored now.
    Sent(MessageAck),
    /// The message is stored, and this is its current row: an earlier attempt had stored it, or the project stored
    /// something other than what was sent.
    Stored(Box<Message>),
    /// The message was stored and has since been hard-deleted.
    Deleted(Tombstone),
    /// The conversation is open. Its id is the canonical one and may differ from the requested one.
    Opened(Box<Conversation>),
    /// The read marker as the server has it now.
    Marked(ReadMarker),
    /// The person's reaction as the server has it now, and how many there are of its emoji where that is counted.
    Reacted(Vec<Reaction>),
    /// The caller's settings for the conversation as the server has them now.
    Set(ConversationSettings),
    /// No details.
    Bare,
}

/// The outcome of one mutation.
#[derive(Debug, Clone, PartialEq)]
pub enum PushOutcome {
    /// Applied now, or by an earlier attempt.
    Acknowledged(Acknowledgement),
    /// Refused permanently.
    Rejected(Refusal),
    /// Not now; the same mutation may be attempted again.
    Retry(RetryCode),
}

/// The result for one mutation of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct PushResult {
    /// The mutation.
    pub mutation_id: MutationId,
    /// Its outcome.
    pub outcome: PushOutcome,
}
