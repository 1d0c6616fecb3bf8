//! The role that lists conversations.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, ConversationKind, MedicId, Omitted, OrgId, Seq, Time};

/// A conversation as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSummary {
    /// Its id; the canonical one once the server has given it.
    pub id: ConversationId,
    /// Its org.
    pub org_id: OrgId,
    /// Who takes part.
    pub kind: ConversationKind,
    /// What the signed-in person sees as its name ([`fieldpost_domain::names::participant_name`]).
    pub participant_name: String,
    /// The subject of a broadcast.
    pub subject: Option<String>,
    /// The subject was too long to travel.
    pub omitted: Option<Omitted>,
    /// The medic of a direct conversation.
    pub medic_id: Option<MedicId>,
    /// When it was opened: the server's clock, or this device's for one that waits in the outbox. It stands in for
    /// [`ConversationSummary::last_message_at`] in the order of the list where there is no message.
    pub created_at: Time,
    /// When its newest message was written: the server's clock, or this device's for one that is still queued.
    pub last_message_at: Option<Time>,
    /// The start of its newest message, queued ones included ([`fieldpost_domain::preview`]); none if that was deleted.
    pub last_message_preview: Option<String>,
    /// Messages of others, not deleted, above the signed-in person's read marker. Exact: counted here where the loaded range
    /// reaches from the marker up to the `last_seq` of the server's last answer, else it is the server's count, less what was
    /// read here and the server does not know, and never more than there can be above the marker; none once that stands at
    /// the highest seq known.
    pub unread: u64,
    /// The highest seq known of it.
    pub last_seq: Seq,
    /// Whether the server knows it: false for one that was opened offline and waits in the outbox.
    pub on_server: bool,
}

/// Reads conversations.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Conversations: Send + Sync {
    /// At most `limit` conversations, newest activity first (`last_message_at`, else when it was created), ties by id.
    async fn conversations(&self, limit: u32) -> StorageResult<Vec<ConversationSummary>>;

    /// One conversation, aliases resolved; none if it is not here.
    async fn conversation(&self, id: ConversationId) -> StorageResult<Option<ConversationSummary>>;

    /// Unread messages over all conversations.
    async fn total_unread(&self) -> StorageResult<u64>;
}
