//! What pages say of a person's sight of conversations, as far as every store has to judge it in the same way.
//!
//! A conversation *comes into sight* with a page of a first load that lists it, and with a grant. Such a page tells of its read
//! markers whole. So where the person's own marker stands higher here than the page says, the server does not know: it was
//! set back to an older state, or refused the mark while she did not see the conversation.
//!
//! A conversation that a first load after a change of epoch does not list may be gone with the server's older state, or merely
//! out of sight: the answer is the same, for the server does not tell a stranger what there is. What this device knows of the
//! person says which of the two it was, mostly.

use fieldpost_domain::{
    Access, Changes, Conversation, ConversationId, ConversationKind, MedicId, OrgId, Person, PersonId, RefusalCode,
    Role, Seq, SeqRange,
};
use std::collections::BTreeMap;

/// Of each conversation that comes into sight with a page: how far the server says that its reader has read (`from`), and its
/// last seq (`to`).
#[must_use]
pub fn read_as_told(changes: &Changes, reader: PersonId, first_load: bool) -> Vec<(ConversationId, SeqRange)> {
    let own = changes.read_markers.iter().filter(|marker| marker.person_id == reader);
    let read: BTreeMap<_, _> = own.map(|marker| (marker.conversation_id, marker.read_seq)).collect();
    let granted = |row: &&Conversation| {
        let grants = |id| changes.access.iter().any(|one| one.conversation_id == id && one.access == Access::Grant);
        first_load || grants(row.id)
    };
    let told = |row: &Conversation| {
        let from = read.get(&row.id).copied().unwrap_or(Seq::ZERO);
        (row.id, SeqRange { from, to: row.last_seq })
    };
    changes.conversations.iter().filter(granted).map(told).collect()
}

/// What decides who sees a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its org.
    pub org_id: OrgId,
    /// Who takes part.
    pub kind: ConversationKind,
    /// The medic of a direct conversation.
    pub medic_id: Option<MedicId>,
}

/// What became of somebody's own messages, which the server had, in a conversation that a first load after a change of epoch
/// does not list; none if she merely lost sight of it.
///
/// An admin is shown everything of her org, and a member its broadcasts: there, what is not listed is not there. A medic's
/// own conversation may be another medic's by now, so that all that is known is that she cannot see it.
#[must_use]
pub fn fate_of_unlisted(me: Option<&Person>, place: &Place) -> Option<RefusalCode> {
    let me = me.filter(|me| !me.removed && me.org_id == place.org_id)?;
    if me.role == Role::OrgAdmin || place.kind == ConversationKind::Broadcast {
        return Some(RefusalCode::LostByServer);
    }
    let own = me.medic_id.is_some() && me.medic_id == place.medic_id;
    own.then_some(RefusalCode::AccessLost)
}
