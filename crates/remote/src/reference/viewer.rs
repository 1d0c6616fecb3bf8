//! Visibility: who may see what. Every row that leaves the server has passed through here.
//!
//! The rules, participants only:
//!
//! - An admin sees the conversations of her org. A medic sees her own direct one and the org's broadcasts. Somebody
//!   without a membership sees nothing, whatever she saw before,
//!   but that she is no member any more.
//! - A message, its tombstone and its conversation's row are seen by whoever sees the conversation. Of a deleted
//!   conversation the tombstone remembers who that was.
//! - Of people, an admin sees the whole org. A medic sees the admins, herself, and whoever a conversation she sees
//!   names: its senders, its medic, the one who opened it. So she cannot list her colleagues.
//! - Of read markers, a medic sees her own, and in her direct conversation those of the others: they are her receipts.
//!   What other medics have read of a broadcast is the admins' business.
//! - Of the access log everybody sees her own rows only.
//!
//! What somebody is gets looked up at the beginning of each call, so losing access takes effect with the next one.

use super::{
    feed::RowKey,
    tables::{ConversationRow, PersonRow, Tables, TombstoneRow},
};
use fieldpost_domain::{
    Access, ConversationId, ConversationKind, MedicId, OrgId, PersonId, ReadMarker, Role, TombstoneOf,
};

/// What the caller is, at the moment of the call.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    pub(super) person_id: PersonId,
    pub(super) member: Option<Membership>,
}

/// In which org, as what.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    pub(super) org_id: OrgId,
    pub(super) role: Role,
    pub(super) medic_id: Option<MedicId>,
}

impl Viewer {
    pub(super) fn of(tables: &Tables, person_id: PersonId) -> Self {
        let member = tables.membership(person_id).map(|row| Membership {
            org_id: row.org_id,
            role: row.role.clone(),
            medic_id: row.medic_id,
        });
        Self { person_id, member }
    }

    /// Changes when the org or the role changes: a cursor of another is of no use any more.
    pub(super) fn fingerprint(&self) -> String {
        self.member.as_ref().map_or_else(
            || NO_MEMBERSHIP.to_owned(),
            |member| format!("{}{}", member.role.as_str().replace('_', "-"), member.org_id.as_uuid().simple()),
        )
    }

    pub(super) fn is_admin_of(&self, org: OrgId) -> bool {
        self.member.as_ref().is_some_and(|member| member.role == Role::OrgAdmin && member.org_id == org)
    }

    /// The rule for conversations, existing or deleted.
    fn sees_place(&self, org: OrgId, kind: &ConversationKind, medic: Option<MedicId>) -> bool {
        let Some(member) = self.member.as_ref().filter(|member| member.org_id == org) else { return false };
        match member.role {
            Role::OrgAdmin => true,
            Role::Medic => match kind {
                ConversationKind::Broadcast => true,
                ConversationKind::Direct => medic.is_some() && medic == member.medic_id,
                ConversationKind::Unknown(_) => false,
            },
            Role::Unknown(_) => false,
        }
    }

    pub(super) fn sees(&self, row: &ConversationRow) -> bool {
        self.sees_place(row.org_id, &row.kind, row.medic_id)
    }

    /// The conversation, if the caller sees it.
    pub(super) fn conversation<'t>(&self, tables: &'t Tables, id: ConversationId) -> Option<&'t ConversationRow> {
        tables.conversations.get(&id).filter(|row| self.sees(row))
    }

    /// Every conversation that the caller sees.
    pub(super) fn conversations<'t>(&'t self, tables: &'t Tables) -> impl Iterator<Item = &'t ConversationRow> {
        tables.conversations.values().filter(|row| self.sees(row))
    }

    pub(super) fn sees_person(&self, tables: &Tables, row: &PersonRow) -> bool {
        if row.id == self.person_id {
            return true;
        }
        let Some(member) = self.member.as_ref().filter(|member| member.org_id == row.org_id) else { return false };
        member.role == Role::OrgAdmin
            || row.role == Role::OrgAdmin
            || self.conversations(tables).any(|conversation| names(tables, conversation, row))
    }

    pub(super) fn sees_marker(&self, tables: &Tables, marker: &ReadMarker) -> bool {
        self.conversation(tables, marker.conversation_id).is_some_and(|row| {
            marker.person_id == self.person_id || row.kind == ConversationKind::Direct || self.is_admin_of(row.org_id)
        })
    }

    pub(super) fn sees_tombstone(&self, tables: &Tables, row: &TombstoneRow) -> bool {
        if matches!(row.tombstone.of, TombstoneOf::Conversation) {
            return self.sees_place(row.org_id, &row.kind, row.medic_id);
        }
        // A message's tombstone goes with its conversation, which may have changed hands since; when that is gone, its own
        // tombstone says it all to those who saw it.
        let place = tables.conversations.get(&row.tombstone.conversation_id);
        place.map_or(self.is_admin_of(row.org_id), |place| self.sees_place(place.org_id, &place.kind, place.medic_id))
    }

    /// The rule for any row of the feed.
    pub(super) fn sees_row(&self, tables: &Tables, key: &RowKey) -> bool {
        match key {
            RowKey::Person(org, id) => tables.people.get(&(*org, *id)).is_some_and(|row| self.sees_person(tables, row)),
            RowKey::Conversation(id) => self.conversation(tables, *id).is_some(),
            RowKey::Message(id) => {
                tables.messages.get(id).is_some_and(|row| self.conversation(tables, row.conversation_id).is_some())
            }
            RowKey::ReadMarker(conversation, person) => {
                tables.markers.get(&(*conversation, *person)).is_some_and(|row| self.sees_marker(tables, row))
            }
            RowKey::Tombstone(deleted) => {
                tables.tombstones.get(deleted).is_some_and(|row| self.sees_tombstone(tables, row))
            }
            RowKey::Access(person, id) => {
                let seen = self.conversation(tables, *id).is_some();
                *person == self.person_id
                    && tables.access.get(&(*person, *id)).is_some_and(|row| (row.access == Access::Grant) == seen)
            }
        }
    }
}

/// The fingerprint of somebody without a membership.
pub(super) const NO_MEMBERSHIP: &str = "none";

/// Whether a conversation names a person: as its medic, its opener or a sender.
fn names(tables: &Tables, conversation: &ConversationRow, person: &PersonRow) -> bool {
    conversation.created_by == person.id
        || (person.medic_id.is_some() && conversation.medic_id == person.medic_id)
        || tables.thread(conversation.id).any(|message| message.sender_id == person.id)
}
