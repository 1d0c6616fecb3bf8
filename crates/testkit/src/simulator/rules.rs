//! Who may see what: a second implementation, independent of the server's.

use super::{Breach, Invariant, policy::Policy};
use fieldpost_domain::{
    Access, Changes, ConversationId, ConversationKind, MedicId, OrgId, Person, PersonId, Reaction, Role, TombstoneOf,
};
use fieldpost_remote::reference::ReferenceServer;
use std::collections::{BTreeMap, BTreeSet};

/// What decides who sees a conversation. Kept after it was deleted: its tombstones go to those who saw it.
pub(super) type Places = BTreeMap<ConversationId, (OrgId, ConversationKind, Option<MedicId>)>;

/// Records the current org, kind and medic of each conversation.
pub(super) fn note(places: &mut Places, server: &ReferenceServer) {
    for row in server.conversation_ids().into_iter().filter_map(|id| server.conversation(id)) {
        places.insert(row.id, (row.org_id, row.kind, row.medic_id));
    }
}

/// Admins see the conversations of their org, medics their own direct one and the org's broadcasts.
pub(super) fn may_see(places: &Places, server: &ReferenceServer, reader: PersonId, id: ConversationId) -> bool {
    let Some((org, kind, medic)) = places.get(&id) else { return false };
    server.memberships(reader).iter().filter(|member| member.org_id == *org).any(|member| match member.role {
        Role::OrgAdmin => true,
        _ if *kind == ConversationKind::Broadcast => true,
        _ => medic.is_some() && *medic == member.medic_id,
    })
}

/// Whether a row says of somebody else in a broadcast that they have reacted, to a reader who is no admin.
fn names_another(places: &Places, server: &ReferenceServer, reader: PersonId, row: &Reaction) -> bool {
    let Some((org, ConversationKind::Broadcast, _)) = places.get(&row.conversation_id) else { return false };
    let admin = |member: &Person| member.org_id == *org && member.role == Role::OrgAdmin;
    row.by.person().is_some_and(|person| person != reader) && !server.memberships(reader).iter().any(admin)
}

/// Whether a response holds only what its reader may see.
pub(super) fn may_be_told(
    places: &Places,
    server: &ReferenceServer,
    policy: Option<Policy>,
    reader: PersonId,
    changes: &Changes,
    call: &'static str,
) -> Result<(), Breach> {
    let conversations = changes.conversations.iter().map(|row| row.id);
    let messages = changes.messages.iter().map(|row| row.conversation_id);
    let markers = changes.read_markers.iter().map(|row| row.conversation_id);
    let reactions = changes.reactions.iter().map(|row| row.conversation_id);
    let deleted = changes.tombstones.iter().filter(|row| matches!(row.of, TombstoneOf::Message { .. }));
    let granted = changes.access.iter().filter(|row| row.access == Access::Grant).map(|row| row.conversation_id);
    let told = conversations
        .chain(messages)
        .chain(markers)
        .chain(reactions)
        .chain(deleted.map(|row| row.conversation_id))
        .chain(granted);
    let hidden = told.into_iter().find(|id| !may_see(places, server, reader, *id));
    let orgs: BTreeSet<_> = server.memberships(reader).into_iter().map(|member| member.org_id).collect();
    let third_party = changes.people.iter().find(|row| row.id != reader && !orgs.contains(&row.org_id));
    let withheld =
        changes.messages.iter().find(|message| policy.is_some_and(|policy| !policy.lets_see(message, reader)));
    if let Some(row) = changes.reactions.iter().find(|row| names_another(places, server, reader, row)) {
        let what = format!("a {call} tells a medic who has reacted to {} in a broadcast", row.message_id);
        return Err(Breach::new(Invariant::Privacy, what));
    }
    match (hidden, third_party) {
        (None, None) => withheld.map_or(Ok(()), |message| {
            let what = format!("a {call} tells of {}, which the project hides from its reader", message.id);
            Err(Breach::new(Invariant::Privacy, what))
        }),
        (Some(id), _) => {
            Err(Breach::new(Invariant::Privacy, format!("a {call} tells of {id}, which its reader may not see")))
        }
        (_, Some(person)) => {
            Err(Breach::new(Invariant::Privacy, format!("a {call} tells of {}, who is of another org", person.id)))
        }
    }
}
