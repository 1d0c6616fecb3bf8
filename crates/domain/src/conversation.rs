//! Conversations as the server has them.

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

/// A conversation as one caller sees it.
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
    /// The medic's name by the server, for when the person is not known locally.
    pub medic_name: Option<String>,
    /// Who opened it; [`PersonId::NOBODY`] once the account is deleted.
    pub created_by: PersonId,
    /// When it was opened, by the server's clock.
    pub created_at: Time,
    /// When it was last changed, by the server's clock.
    pub updated_at: Time,
    /// The highest seq in it; [`Seq::ZERO`] when it is empty.
    pub last_seq: Seq,
    /// When its newest message was created.
    pub last_message_at: Option<Time>,
    /// The start of its newest message.
    pub last_message_preview: Option<String>,
    /// The caller's unread messages as counted by the server; used where local history is partial.
    pub unread: u64,
    /// How many of these mention the caller; zero too from a server that does not count them.
    #[serde(default)]
    pub unread_mentions: u64,
    /// Set when the subject is above its limit; the row then has no subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<Omitted>,
    /// Row version. Derived fields (`last_seq`, `last_message_*`, `unread*`, `medic_name`) do not raise it.
    pub version: Version,
    /// Fields that this version does not know.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}
