//! Read markers and receipts.

use crate::{ConversationId, PersonId, Seq, Time, Version};
use serde::{Deserialize, Serialize};

/// How far a person has received and read a conversation. Both positions only grow. The signed-in person's own is a
/// read marker; those of others are receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarker {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The person.
    pub person_id: PersonId,
    /// Everything up to here is on one of their devices.
    pub delivered_seq: Seq,
    /// Everything up to here was displayed to them.
    pub read_seq: Seq,
    /// When `delivered_seq` came to be what it is, by the server's clock; none if the server has not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Time>,
    /// The same of `read_seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Time>,
    /// Row version.
    pub version: Version,
}
