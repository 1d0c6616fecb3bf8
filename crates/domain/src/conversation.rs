//! Conversations as the server knows them.

use crate::{ConversationId, Extra, MedicId, Omitted, OrgId, PersonId, Seq, Time, Version, open_enum::open_enum};
use serde::{Deserialize, Serialize};

open_enum!(
    /// Who takes part in a conversation.
    ConversationKind {
        /// One medic and the admins of the org. There is one per medic.
        Direct => "direct",
        /// Admins write, all medics of the org read. There is one per org.
        Broadcast => "broadcast",
    }
);

/// A conversation as the server gives it to one caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// The canonical id.
    pub id: ConversationId,
    /// The org it belongs to.
    pub org_id: OrgId,
    /// Who takes part.
    pub kind: ConversationKind,
    /// The subject of a broadcast; direct conversations have none.
    pub subject: Option<String>,
    /// The medic of a direct conversation; none once the medic's row is deleted.
    pub medic_id: Option<MedicId>,
    /// That medic's name as the server has it, for when the person is not known locally.
    pub medic_name: Option<String>,
    /// Who opened it; [`PersonId::NOBODY`] once the account is deleted.
    pub created_by: PersonId,
    /// When, by the server's clock.
    pub created_at: Time,
    /// When it was last changed, by the server's clock.
    pub updated_at: Time,
    /// The highest seq in it; [`Seq::ZERO`] when it is empty.
    pub last_seq: Seq,
    /// When its newest message was created.
    pub last_message_at: Option<Time>,
    /// The start of its newest message.
    pub last_message_preview: Option<String>,
    /// Unread messages of the caller by the server's count; used where local history is partial.
    pub unread: u64,
    /// What was too much for the row; it then has no subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<Omitted>,
    /// Which state of the row this is. Derived fields (`last_seq`, `last_message_*`, `unread`, `medic_name`) do not raise it.
    pub version: Version,
    /// Fields that this version does not know.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}
