//! Writes memberships, and logs what people gain and lose access to.

use super::{RowKey, Transaction};
use crate::reference::{
    tables::{Deleted, MedicRow, PersonRow},
    viewer::Viewer,
};
use fieldpost_domain::{Access, ConversationId, MedicId, OrgId, PersonId, Role, Version};
use std::collections::BTreeSet;

/// A person who joins an org.
#[derive(Debug, Clone)]
pub(in crate::reference) struct NewMember {
    pub(in crate::reference) id: PersonId,
    pub(in crate::reference) org_id: OrgId,
    pub(in crate::reference) role: Role,
    pub(in crate::reference) first_name: String,
    pub(in crate::reference) last_name: String,
}

impl Transaction<'_> {
    pub(in crate::reference) fn add_org(&mut self, name: &str) -> OrgId {
        let id = OrgId::from_parts(self.now, self.random());
        self.tables.orgs.insert(id, name.to_owned());
        id
    }

    /// Adds a row to the roster; `person` is none for a medic without an account.
    pub(in crate::reference) fn add_medic(
        &mut self,
        org_id: OrgId,
        person_id: Option<PersonId>,
        first_name: &str,
        last_name: &str,
    ) -> MedicId {
        let id = MedicId::from_parts(self.now, self.random());
        self.enlist_medic(id, org_id, person_id, first_name, last_name);
        id
    }

    /// The same with a given id; false if it is taken.
    pub(in crate::reference) fn enlist_medic(
        &mut self,
        id: MedicId,
        org_id: OrgId,
        person_id: Option<PersonId>,
        first_name: &str,
        last_name: &str,
    ) -> bool {
        if self.tables.medics.contains_key(&id) {
            return false;
        }
        let row = MedicRow { org_id, person_id, first_name: first_name.to_owned(), last_name: last_name.to_owned() };
        self.tables.medics.insert(id, row);
        true
    }

    /// Makes a person a member, or a member again.
    pub(in crate::reference) fn join(&mut self, member: NewMember) {
        self.change_sight(member.id, |transaction| transaction.put_person(member));
    }

    /// Ends all memberships. The rows stay as `removed`, so that old messages still have a sender.
    pub(in crate::reference) fn leave(&mut self, person: PersonId) -> bool {
        let orgs = self.orgs_of(person);
        self.change_sight(person, |transaction| {
            for org in &orgs {
                transaction.update_person(*org, person, |row| row.removed = true);
            }
        });
        !orgs.is_empty()
    }

    /// Changes a person's role in all her orgs.
    pub(in crate::reference) fn change_role(&mut self, person: PersonId, role: Role) -> bool {
        let orgs = self.orgs_of(person);
        self.change_sight(person, |transaction| {
            for org in &orgs {
                let medic_id = transaction.medic_of(*org, person).filter(|_| role == Role::Medic);
                transaction.update_person(*org, person, |row| {
                    row.role = role.clone();
                    row.medic_id = medic_id;
                });
            }
        });
        !orgs.is_empty()
    }

    /// Renames a person, also in the roster.
    pub(in crate::reference) fn rename_person(&mut self, person: PersonId, first_name: &str, last_name: &str) -> bool {
        let orgs = self.orgs_of(person);
        if orgs.is_empty() {
            return false;
        }
        for medic in self.tables.medics.values_mut().filter(|medic| medic.person_id == Some(person)) {
            medic.first_name = first_name.to_owned();
            medic.last_name = last_name.to_owned();
        }
        for org in orgs {
            self.update_person(org, person, |row| {
                row.first_name = first_name.to_owned();
                row.last_name = last_name.to_owned();
            });
        }
        true
    }

    /// Renames a row of the roster; its medic may have no account. Her conversation bears that name, so it is sent
    /// again; its version does not change.
    pub(in crate::reference) fn rename_medic(&mut self, medic: MedicId, first_name: &str, last_name: &str) -> bool {
        let Some(row) = self.tables.medics.get_mut(&medic) else { return false };
        first_name.clone_into(&mut row.first_name);
        last_name.clone_into(&mut row.last_name);
        let named = self.tables.conversations.values().filter(|row| row.medic_id == Some(medic));
        for id in named.map(|row| row.id).collect::<Vec<_>>() {
            self.touch(RowKey::Conversation(id));
        }
        true
    }

    /// Gives a person another row in the roster.
    pub(in crate::reference) fn enlist_again(&mut self, person: PersonId, org: OrgId, names: (&str, &str)) -> MedicId {
        let id = MedicId::from_parts(self.now, self.random());
        self.change_sight(person, |transaction| {
            transaction.enlist_medic(id, org, Some(person), names.0, names.1);
        });
        id
    }

    fn orgs_of(&self, person: PersonId) -> Vec<OrgId> {
        self.tables.memberships(person).map(|row| row.org_id).collect()
    }

    fn put_person(&mut self, member: NewMember) {
        let medic_id = self.medic_of(member.org_id, member.id).filter(|_| member.role == Role::Medic);
        let key = (member.org_id, member.id);
        let version = self.tables.people.get(&key).map_or(Version::ZERO, |row| row.version).next();
        let row = PersonRow {
            id: member.id,
            org_id: member.org_id,
            role: member.role,
            first_name: member.first_name,
            last_name: member.last_name,
            medic_id,
            removed: false,
            version,
        };
        self.tables.people.insert(key, row);
        self.touch(RowKey::Person(key.0, key.1));
    }

    fn update_person(&mut self, org: OrgId, person: PersonId, change: impl FnOnce(&mut PersonRow)) {
        if let Some(row) = self.tables.people.get_mut(&(org, person)) {
            change(row);
            row.version = row.version.next();
            self.touch(RowKey::Person(org, person));
        }
    }

    /// Compares what a person sees before and after a change, and writes the difference to the access log. The log
    /// decides nothing: each call computes from the tables what a person may read.
    fn change_sight(&mut self, person: PersonId, change: impl FnOnce(&mut Self)) {
        let before = self.seen_by(person);
        change(self);
        let after = self.seen_by(person);
        for id in before.difference(&after) {
            self.log_access(person, *id, Access::Revoke);
        }
        for id in after.difference(&before) {
            self.log_access(person, *id, Access::Grant);
        }
    }

    fn seen_by(&self, person: PersonId) -> BTreeSet<ConversationId> {
        let viewer = Viewer::of(self.tables, person);
        let deleted = self.tables.tombstones.iter().filter_map(|(key, row)| match key {
            Deleted::Conversation(id) if viewer.sees_tombstone(self.tables, row) => Some(*id),
            _ => None,
        });
        // Deleted conversations count too. Somebody who leaves before she got the tombstone gets a revocation instead,
        // since the tombstone is hidden from her from then on.
        viewer.conversations(self.tables).map(|row| row.id).chain(deleted).collect()
    }

    fn medic_of(&self, org: OrgId, person: PersonId) -> Option<MedicId> {
        let mut medics = self.tables.medics.iter();
        medics.find(|(_, row)| row.org_id == org && row.person_id == Some(person)).map(|(id, _)| *id)
    }
}
