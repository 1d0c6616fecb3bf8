//! The names that the signed-in person sees, looked up when they are asked for.

use super::state::{State, Thread};
use fieldpost_domain::{Person, PersonId, Role, names};

impl State {
    /// The signed-in person, if the server has told about them.
    pub(super) fn me_row(&self) -> Option<&Person> {
        self.me.and_then(|id| self.people.get(&id))
    }

    pub(super) fn participant_name(&self, thread: &Thread) -> String {
        // Before the first bootstrap the role is not known; only a medic sees other names than everybody else.
        let viewer = self.me_row().map_or(Role::OrgAdmin, |me| me.role.clone());
        // By the medic's row, never by the person: the two ids have nothing to do with each other.
        let medic = thread.row.medic_id.and_then(|id| self.people.values().find(|person| person.medic_id == Some(id)));
        names::participant_name(&thread.row, &viewer, medic)
    }

    pub(super) fn sender_name(&self, sender: PersonId) -> String {
        names::sender_name(sender, self.people.get(&sender))
    }
}
