//! Visibility: who may see what. Every row that leaves the server passes through here.
//!
//! The rules, participants only:
//!
//! - An admin sees the conversations of her org. A medic sees her own direct one and the org's broadcasts. Somebody
//!   without a membership sees nothing, whatever she saw before, except that she is no longer a member.
//! - Whoever sees a conversation sees its row, its messages and their tombstones. The tombstone of a deleted
//!   conversation records who that was.
//! - An admin sees all people of the org. A medic sees the admins, herself, and the people of the conversations that
//!   she sees: senders, medic and opener. So she cannot list her colleagues.
//! - A medic sees her own read markers, and those of the others in her direct conversation: they are her receipts. Only
//!   admins see what other medics have read of a broadcast.
//! - Whoever sees a message sees the reactions to it; in a broadcast a medic sees her own, and how many there are.
//! - Everybody sees only her own rows of the access log, and only her own settings for conversations that she sees.
//! - A member of several orgs sees what each membership shows.
//! - In addition, the project's policies hide messages from readers.
//!
//! Each call looks up the caller's memberships at its start, so a loss of access takes effect with the next call.

use super::{
    feed::RowKey,
    tables::{ConversationRow, PersonRow, Tables, TombstoneRow},
};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{
    Access, ConversationId, ConversationKind, MedicId, Message, OrgId, PersonId, Reaction, ReadMarker, Role,
    TombstoneOf,
};
use std::collections::BTreeSet;

/// The caller's memberships at the moment of the call.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    pub(super) person_id: PersonId,
    /// By org.
    pub(super) members: Vec<Membership>,
}

/// A membership: the org and the role.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    pub(super) org_id: OrgId,
    pub(super) role: Role,
    /// Her rows in the roster, if she is a medic.
    pub(super) medic_ids: BTreeSet<MedicId>,
}

impl Viewer {
    pub(super) fn of(tables: &Tables, person_id: PersonId) -> Self {
        let member = |row: &PersonRow| Membership {
            org_id: row.org_id,
            role: row.role.clone(),
            medic_ids: tables.medics_of(row),
        };
        Self { person_id, members: tables.memberships(person_id).map(member).collect() }
    }

    /// The caller's membership in an org.
    pub(super) fn member_of(&self, org: OrgId) -> Option<&Membership> {
        self.members.iter().find(|member| member.org_id == org)
    }

    /// Changes with the org or the role: cursors with another fingerprint are useless.
    pub(super) fn fingerprint(&self) -> String {
        let one = |member: &Membership| {
            format!("{}{}", member.role.as_str().replace('_', "-"), member.org_id.as_uuid().simple())
        };
        if self.members.is_empty() {
            return NO_MEMBERSHIP.to_owned();
        }
        self.members.iter().map(one).collect::<Vec<_>>().join("+")
    }

    pub(super) fn is_admin_of(&self, org: OrgId) -> bool {
        self.member_of(org).is_some_and(|member| member.role == Role::OrgAdmin)
    }

    /// Whether she may write in a conversation that she sees.
    pub(super) fn may_write(&self, conversation: &ConversationRow) -> bool {
        conversation.kind != ConversationKind::Broadcast || self.is_admin_of(conversation.org_id)
    }

    /// The rule for conversations, existing or deleted.
    fn sees_place(&self, org: OrgId, kind: &ConversationKind, medic: Option<MedicId>) -> bool {
        let Some(member) = self.member_of(org) else { return false };
        match member.role {
            Role::OrgAdmin => true,
            Role::Medic => match kind {
                ConversationKind::Broadcast => true,
                ConversationKind::Direct => medic
                    .is_some_and(|medic| member.medic_ids.contains(&medic) || planted(PlantedBug::EveryDirectIsSeen)),
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
        let Some(member) = self.member_of(row.org_id) else { return false };
        member.role == Role::OrgAdmin
            || row.role == Role::OrgAdmin
            || self.conversations(tables).any(|conversation| self.names(tables, conversation, row))
    }

    pub(super) fn sees_marker(&self, tables: &Tables, marker: &ReadMarker) -> bool {
        self.conversation(tables, marker.conversation_id).is_some_and(|row| {
            marker.person_id == self.person_id || row.kind == ConversationKind::Direct || self.is_admin_of(row.org_id)
        })
    }

    /// Whether she is told of a reaction to a message that she sees: in a broadcast a medic learns how many there are, and
    /// not whose.
    pub(super) fn sees_reaction(&self, tables: &Tables, row: &Reaction) -> bool {
        let place = tables.conversations.get(&row.conversation_id);
        place.is_some_and(|place| {
            let open = place.kind == ConversationKind::Direct || self.is_admin_of(place.org_id);
            open || row.by.person().is_none_or(|person| person == self.person_id)
                || planted(PlantedBug::ReactorsAreTold)
        })
    }

    pub(super) fn sees_tombstone(&self, tables: &Tables, row: &TombstoneRow) -> bool {
        if matches!(row.tombstone.of, TombstoneOf::Conversation) {
            return self.sees_place(row.org_id, &row.kind, row.medic_id);
        }
        // A message's tombstone follows its conversation, which may have been reassigned since. If the conversation was
        // deleted, those who saw it get its own tombstone, and that is enough.
        let place = tables.conversations.get(&row.tombstone.conversation_id);
        place.map_or(self.is_admin_of(row.org_id), |place| self.sees_place(place.org_id, &place.kind, place.medic_id))
    }

    /// Whether a conversation names a person: as its medic, its opener, a sender, or somebody who has reacted.
    fn names(&self, tables: &Tables, conversation: &ConversationRow, person: &PersonRow) -> bool {
        let medic = conversation.medic_id.and_then(|medic| tables.medics.get(&medic));
        conversation.created_by == person.id
            || medic.is_some_and(|medic| medic.person_id == Some(person.id))
            || tables.thread(conversation.id).filter(|row| self.is_shown(tables, row)).any(|row| {
                row.sender_id == person.id
                    || tables
                        .reactions_to(row.id)
                        .any(|reaction| reaction.by.person() == Some(person.id) && self.sees_reaction(tables, reaction))
            })
    }

    /// Whether the project's policies show a message of a conversation that the caller sees.
    pub(super) fn is_shown(&self, tables: &Tables, message: &Message) -> bool {
        tables.project.0.shows(message, self.person_id)
    }

    pub(super) fn sees_message(&self, tables: &Tables, message: &Message) -> bool {
        self.conversation(tables, message.conversation_id).is_some() && self.is_shown(tables, message)
    }

    /// Whether a pass delivers a row to the caller. A message that policies hide from somebody who sees its
    /// conversation is delivered as withdrawn, because she may have received it before.
    pub(super) fn hears_of(&self, tables: &Tables, key: &RowKey) -> bool {
        let lost = |id| {
            let row: Option<&Message> = tables.messages.get(id);
            row.is_some_and(|row| self.conversation(tables, row.conversation_id).is_some())
        };
        self.sees_row(tables, key) || matches!(key, RowKey::Message(id) if lost(id))
    }

    /// The rows that a pull leaves out with [`PlantedBug::OwnRowsFiltered`]; none without it.
    pub(super) fn filters(&self, tables: &Tables, key: &RowKey) -> bool {
        let own = |id| tables.messages.get(id).is_some_and(|row: &Message| row.sender_id == self.person_id);
        planted(PlantedBug::OwnRowsFiltered)
            && (matches!(key, RowKey::Message(id) if own(id)) || !self.sees_row(tables, key))
    }

    /// The rule for any row of the feed.
    pub(super) fn sees_row(&self, tables: &Tables, key: &RowKey) -> bool {
        match key {
            RowKey::Person(org, id) => tables.people.get(&(*org, *id)).is_some_and(|row| self.sees_person(tables, row)),
            RowKey::Conversation(id) => self.conversation(tables, *id).is_some(),
            RowKey::Message(id) => tables.messages.get(id).is_some_and(|row| self.sees_message(tables, row)),
            RowKey::ReadMarker(conversation, person) => {
                tables.markers.get(&(*conversation, *person)).is_some_and(|row| self.sees_marker(tables, row))
            }
            RowKey::Reactions(id) => tables.messages.get(id).is_some_and(|row| self.sees_message(tables, row)),
            RowKey::Settings(conversation, person) => {
                *person == self.person_id && self.conversation(tables, *conversation).is_some()
            }
            RowKey::Tombstone(deleted) => {
                tables.tombstones.get(deleted).is_some_and(|row| self.sees_tombstone(tables, row))
            }
            RowKey::Access(person, id) => {
                let seen = self.conversation(tables, *id).is_some();
                *person == self.person_id
                    && tables.access.get(&(*person, *id)).is_some_and(|row| (row.access == Access::Grant) == seen)
            }
            // Records have calls of their own.
            #[cfg(feature = "records")]
            RowKey::Record(_) | RowKey::RecordTombstone(..) => false,
        }
    }
}

/// The fingerprint of somebody without a membership.
pub(super) const NO_MEMBERSHIP: &str = "none";
