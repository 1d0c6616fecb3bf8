//! The role that lists conversations.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, ConversationKind, MedicId, Omitted, OrgId, Seq, Time};

/// A conversation as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSummary {
    /// The id; it becomes the canonical one once the server has assigned that.
    pub id: ConversationId,
    /// Its org.
    pub org_id: OrgId,
    /// Its kind, which decides who takes part.
    pub kind: ConversationKind,
    /// The name that the signed-in person sees ([`fieldpost_domain::names::participant_name`]).
    pub participant_name: String,
    /// The subject of a broadcast.
    pub subject: Option<String>,
    /// Set if the subject was above its limit.
    pub omitted: Option<Omitted>,
    /// The medic of a direct conversation.
    pub medic_id: Option<MedicId>,
    /// When it was created: by the server's clock, or by the device clock while its open is queued. The list is ordered
    /// by it where there is no [`ConversationSummary::last_message_at`].
    pub created_at: Time,
    /// When its newest message was created: by the server's clock, or by the device clock for a queued message.
    pub last_message_at: Option<Time>,
    /// The preview of its newest message, including queued ones ([`fieldpost_domain::preview`]); none if that was
    /// deleted.
    pub last_message_preview: Option<String>,
    /// How many messages of others, not deleted, are above the signed-in person's read marker.
    ///
    /// If the stored range reaches from the marker to the `last_seq` of the server's last answer, the store counts
    /// them. Otherwise it takes the server's count and subtracts reads that the server does not know yet; the result is
    /// at most the number of seqs that may be unread. It is zero when the marker is at the highest known seq.
    pub unread: u64,
    /// How many of these mention the signed-in person. Counted by the same rule; where local history is partial, it is
    /// at least what is here and at most what the server says.
    pub unread_mentions: u64,
    /// The highest known seq.
    pub last_seq: Seq,
    /// Whether the server has it. False while its open is queued.
    pub on_server: bool,
}

/// Lists conversations.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Conversations: Send + Sync {
    /// At most `limit` conversations, the newest activity first: by `last_message_at`, else by `created_at`, then by
    /// id.
    async fn conversations(&self, limit: u32) -> StorageResult<Vec<ConversationSummary>>;

    /// One conversation; aliases are resolved. None if it is not stored.
    async fn conversation(&self, id: ConversationId) -> StorageResult<Option<ConversationSummary>>;

    /// The unread messages of all conversations.
    async fn total_unread(&self) -> StorageResult<u64>;

    /// The unread messages of all conversations that mention the signed-in person.
    async fn total_unread_mentions(&self) -> StorageResult<u64>;
}
