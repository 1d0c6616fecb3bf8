//! The names that the signed-in person sees, looked up when they are asked for.

use super::state::{State, Thread};
use fieldpost_domain::{ConversationId, MedicId, Person, PersonId, Role, names};

impl State {
    /// The signed-in person, if the server has told about them.
    pub(super) fn me_row(&self) -> Option<&Person> {
        self.me.and_then(|id| self.person_row(id))
    }

    /// Somebody in an org that she is a member of, if there is one.
    pub(super) fn person_row(&self, id: PersonId) -> Option<&Person> {
        let rows = self.people.values().filter(|person| person.id == id);
        rows.min_by_key(|person| (person.removed, person.org_id))
    }

    /// Whose row in the roster this is, members before those of the past.
    pub(super) fn medic_row(&self, medic: MedicId) -> Option<&Person> {
        let rows = self.people.values().filter(|person| person.medic_id == Some(medic));
        rows.min_by_key(|person| (person.removed, person.id, person.org_id))
    }

    pub(super) fn participant_name(&self, thread: &Thread) -> String {
        // Before the first bootstrap the role is not known; only a medic sees other names than everybody else.
        let here = self.me.and_then(|me| self.people.get(&(me, thread.row.org_id)));
        let viewer = here.or(self.me_row()).map_or(Role::OrgAdmin, |me| me.role.clone());
        // By the medic's row, never by the person: the two ids have nothing to do with each other.
        let medic = thread.row.medic_id.and_then(|id| self.medic_row(id));
        let medic = medic.filter(|medic| medic.org_id == thread.row.org_id);
        names::participant_name(&thread.row, &viewer, medic)
    }

    /// By what she is in the org of the conversation.
    pub(super) fn sender_name(&self, sender: PersonId, conversation: ConversationId) -> String {
        let org = self.threads.get(&conversation).map(|thread| thread.row.org_id);
        let here = org.and_then(|org| self.people.get(&(sender, org)));
        let elsewhere = || self.people.values().find(|person| person.id == sender);
        names::sender_name(sender, here.or_else(elsewhere))
    }
}
