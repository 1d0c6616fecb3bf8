//! The names that the signed-in person sees. They are looked up at every read.

use super::state::{State, Thread};
use fieldpost_domain::{ConversationId, MedicId, Person, PersonId, Role, names};

impl State {
    /// The row of the signed-in person, if it is known.
    pub(super) fn me_row(&self) -> Option<&Person> {
        self.me.and_then(|id| self.person_row(id))
    }

    /// Whether the owner of the store is an admin of the conversation's org.
    pub(super) fn is_admin_of(&self, conversation: ConversationId) -> bool {
        let Some(thread) = self.threads.get(&conversation) else { return false };
        let here = |person: &&Person| Some(person.id) == self.owner() && person.org_id == thread.row.org_id;
        self.people.values().find(here).is_some_and(|person| person.role == Role::OrgAdmin && !person.removed)
    }

    /// The row of a person, in an org where they are still a member if there is one.
    pub(super) fn person_row(&self, id: PersonId) -> Option<&Person> {
        let rows = self.people.values().filter(|person| person.id == id);
        rows.min_by_key(|person| (person.removed, person.org_id))
    }

    /// The person with this medic id, current members first.
    pub(super) fn medic_row(&self, medic: MedicId) -> Option<&Person> {
        let rows = self.people.values().filter(|person| person.medic_id == Some(medic));
        rows.min_by_key(|person| (person.removed, person.id, person.org_id))
    }

    pub(super) fn participant_name(&self, thread: &Thread) -> String {
        // The role is unknown before the first bootstrap. Only a medic sees other names than everybody else.
        let here = self.me.and_then(|me| self.people.get(&(me, thread.row.org_id)));
        let viewer = here.or(self.me_row()).map_or(Role::OrgAdmin, |me| me.role.clone());
        // A medic id is not a person id, so look up the medic's row.
        let medic = thread.row.medic_id.and_then(|id| self.medic_row(id));
        let medic = medic.filter(|medic| medic.org_id == thread.row.org_id);
        names::participant_name(&thread.row, &viewer, medic)
    }

    /// By the viewer's role in the org of the conversation.
    pub(super) fn sender_name(&self, sender: PersonId, conversation: ConversationId) -> String {
        let org = self.threads.get(&conversation).map(|thread| thread.row.org_id);
        let here = org.and_then(|org| self.people.get(&(sender, org)));
        let elsewhere = || self.people.values().find(|person| person.id == sender);
        names::sender_name(sender, here.or_else(elsewhere))
    }
}
