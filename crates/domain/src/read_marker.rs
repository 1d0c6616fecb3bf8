//! Read markers and receipts.

use crate::{ConversationId, PersonId, Seq, Version};
use serde::{Deserialize, Serialize};

/// How far a person has got in a conversation. Both positions only ever grow. Of the signed-in person this is the read
/// marker; of others it is a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarker {
    /// Where.
    pub conversation_id: ConversationId,
    /// Who.
    pub person_id: PersonId,
    /// Everything up to here is on one of their devices.
    pub delivered_seq: Seq,
    /// Everything up to here was displayed to them.
    pub read_seq: Seq,
    /// Which state of the row this is.
    pub version: Version,
}
