//! Who may see what, said a second time: the server's own rules are not asked.

use super::{Breach, Invariant};
use fieldpost_domain::{Access, Changes, ConversationId, ConversationKind, PersonId, Role, TombstoneOf};
use fieldpost_remote::reference::ReferenceServer;

/// Admins see the conversations of their org, medics their own direct one and the org's broadcasts.
pub(super) fn may_see(server: &ReferenceServer, reader: PersonId, conversation: ConversationId) -> bool {
    let (Some(member), Some(row)) = (server.member(reader), server.conversation(conversation)) else { return false };
    member.org_id == row.org_id
        && match member.role {
            Role::OrgAdmin => true,
            _ if row.kind == ConversationKind::Broadcast => true,
            _ => row.medic_id.is_some() && row.medic_id == member.medic_id,
        }
}

/// Whether an answer holds nothing that its reader may not see.
pub(super) fn may_be_told(
    server: &ReferenceServer,
    reader: PersonId,
    changes: &Changes,
    call: &'static str,
) -> Result<(), Breach> {
    let conversations = changes.conversations.iter().map(|row| row.id);
    let messages = changes.messages.iter().map(|row| row.conversation_id);
    let markers = changes.read_markers.iter().map(|row| row.conversation_id);
    let deleted = changes.tombstones.iter().filter(|row| matches!(row.of, TombstoneOf::Message { .. }));
    let granted = changes.access.iter().filter(|row| row.access == Access::Grant).map(|row| row.conversation_id);
    let told =
        conversations.chain(messages).chain(markers).chain(deleted.map(|row| row.conversation_id)).chain(granted);
    let hidden = told.into_iter().find(|id| !may_see(server, reader, *id));
    let stranger = changes
        .people
        .iter()
        .find(|row| row.id != reader && server.member(reader).is_none_or(|member| member.org_id != row.org_id));
    match (hidden, stranger) {
        (None, None) => Ok(()),
        (Some(id), _) => {
            Err(Breach::new(Invariant::Privacy, format!("a {call} tells of {id}, which its reader may not see")))
        }
        (_, Some(person)) => {
            Err(Breach::new(Invariant::Privacy, format!("a {call} tells of {}, who is of another org", person.id)))
        }
    }
}
