//! What a page says about the visibility of conversations. Every store must judge this in the same way.
//!
//! A conversation *becomes visible* with a bootstrap page that lists it, or with a grant. Such a page contains all its
//! read markers. So if the person's own marker is higher here than in the page, the server does not know it: it was
//! restored from an older state, or refused the mark while the person had no access.
//!
//! If a bootstrap after a change of epoch does not list a conversation, the server may have lost it, or the person may
//! have lost access: the server's answer is the same in both cases, because it tells nothing to people without access.
//! The person's role mostly decides which of the two it was.

use fieldpost_domain::{
    Access, Changes, Conversation, ConversationId, ConversationKind, MedicId, OrgId, Person, PersonId, RefusalCode,
    Role, Seq, SeqRange,
};
use std::collections::BTreeMap;

/// For each conversation that becomes visible with a page: how far the reader has read by the server's knowledge
/// (`from`), and its last seq (`to`).
#[must_use]
pub fn read_as_told(changes: &Changes, reader: PersonId, first_load: bool) -> Vec<(ConversationId, SeqRange)> {
    let own = changes.read_markers.iter().filter(|marker| marker.person_id == reader);
    let read: BTreeMap<_, _> = own.map(|marker| (marker.conversation_id, marker.read_seq)).collect();
    let granted = |row: &&Conversation| {
        let grants = |id| changes.access.iter().any(|one| one.conversation_id == id && one.access == Access::Grant);
        first_load || grants(row.id)
    };
    let reads = |row: &Conversation| {
        let from = read.get(&row.id).copied().unwrap_or(Seq::ZERO);
        (row.id, SeqRange { from, to: row.last_seq })
    };
    changes.conversations.iter().filter(granted).map(reads).collect()
}

/// The fields of a conversation that decide who sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its org.
    pub org_id: OrgId,
    /// Who takes part.
    pub kind: ConversationKind,
    /// The medic of a direct conversation.
    pub medic_id: Option<MedicId>,
}

/// Whether a person of the conversation's org may see it, by what this device knows of both. The server decides about
/// kinds and roles that this version does not know.
#[must_use]
pub fn may_see(person: &Person, place: &Place) -> bool {
    let participates = match (&person.role, &place.kind) {
        (Role::Medic, ConversationKind::Direct) => person.medic_id.is_some() && person.medic_id == place.medic_id,
        _ => true,
    };
    participates && !person.removed && person.org_id == place.org_id
}

/// What happened to the person's own messages in a conversation that a bootstrap after a change of epoch does not list;
/// none if the person has merely lost access.
///
/// An admin sees everything of their org, and a member sees its broadcasts: if such a conversation is not listed, the
/// server lost it. A medic's own conversation may belong to another medic now, so the medic has only lost access for
/// certain.
#[must_use]
pub fn fate_of_unlisted(me: Option<&Person>, place: &Place) -> Option<RefusalCode> {
    let me = me.filter(|me| !me.removed && me.org_id == place.org_id)?;
    if me.role == Role::OrgAdmin || place.kind == ConversationKind::Broadcast {
        return Some(RefusalCode::LostByServer);
    }
    let own = me.medic_id.is_some() && me.medic_id == place.medic_id;
    own.then_some(RefusalCode::AccessLost)
}
