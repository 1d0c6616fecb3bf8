//! The people of a run: an org with two admins and three medics, and another org with one of each. In some runs somebody
//! belongs to both.

use crate::simulator::Setup;
use fieldpost_domain::{ConversationId, OrgId, PersonId, Role};
use fieldpost_remote::{
    Credentials,
    reference::{Profile, ReferenceServer},
};

/// Makes the lengths of texts differ.
const STRIDE: u64 = 997;

const PASSWORD: &str = "password";

/// A person with an account.
#[derive(Debug, Clone)]
pub(crate) struct Character {
    pub(crate) id: PersonId,
    pub(crate) home: OrgId,
    pub(crate) credentials: Credentials,
}

#[derive(Debug)]
pub(crate) struct Roster {
    pub(crate) people: Vec<Character>,
    pub(crate) orgs: [OrgId; 2],
}

impl Roster {
    /// Adds everybody to the server, with a few conversations and messages; on a slow line with so many that a first load
    /// takes many pages.
    pub(crate) fn new(server: &ReferenceServer, setup: &Setup) -> Self {
        let narrow = setup.narrow;
        let (here, there) = (server.add_org("North Tower"), server.add_org("Harbour"));
        let mut people = Vec::new();
        let mut admin = |org, name: &'static str| {
            let id = server.add_admin(org, profile(name));
            people.push(Character { id, home: org, credentials: credentials(name) });
            id
        };
        let (robin, _, kim) = (admin(here, "robin"), admin(here, "sam"), admin(there, "kim"));
        let mut medic = |org, name: &'static str| {
            let medic = server.add_medic(org, profile(name));
            people.push(Character { id: medic.person_id, home: org, credentials: credentials(name) });
            medic
        };
        let (ada, ben, lou) = (medic(here, "ada"), medic(here, "ben"), medic(there, "lou"));
        // She has no conversation yet: somebody will open one, perhaps several people at once.
        medic(here, "cara");
        for (org, by, of) in [(here, robin, ada), (here, robin, ben), (there, kim, lou)] {
            let conversation = server.open_direct(org, of.medic_id, by);
            let texts: Vec<_> = (0..narrow.welcomes())
                .map(|number| narrow.text(format!("welcome {number} {conversation}"), number * STRIDE))
                .collect();
            server.insert_messages(conversation, by, &texts);
        }
        for (org, by) in [(here, robin), (there, kim)] {
            let notices = server.open_broadcast(org, Some("Notices"), by);
            server.insert_message(notices, by, &format!("first notice {notices}"));
        }
        let roster = Self { people, orgs: [here, there] };
        if let Some((number, admin)) = setup.two_orgs {
            roster.join_the_other_org(server, number, admin);
        }
        roster
    }

    /// Makes somebody a member of both orgs. As a medic she has a conversation there too.
    fn join_the_other_org(&self, server: &ReferenceServer, number: u8, admin: bool) {
        let person = self.person(number);
        let name = &person.credentials.email;
        let Some(org) = self.orgs.into_iter().find(|org| *org != person.home) else { return };
        // The roster first: whoever joins finds her row there.
        let medic = (!admin).then(|| server.enlist_again(person.id, org, name, "Test"));
        let role = if admin { Role::OrgAdmin } else { Role::Medic };
        server.add_member(person.id, org, role, name, "Test");
        let opener = self.people.iter().find(|other| other.home == org);
        if let (Some(medic), Some(opener)) = (medic, opener) {
            let conversation = server.open_direct(org, medic, opener.id);
            server.insert_message(conversation, opener.id, &format!("welcome here too {conversation}"));
        }
    }

    pub(crate) fn person(&self, number: u8) -> Character {
        self.people[usize::from(number) % self.people.len()].clone()
    }

    pub(crate) fn of_org(&self, server: &ReferenceServer, conversation: ConversationId) -> Vec<PersonId> {
        let org = server.conversation(conversation).map(|row| row.org_id);
        self.people.iter().filter(|person| Some(person.home) == org).map(|person| person.id).collect()
    }
}

const fn profile(name: &str) -> Profile<'_> {
    Profile { first_name: name, last_name: "Test", email: name, password: PASSWORD }
}

fn credentials(name: &str) -> Credentials {
    Credentials { email: name.to_owned(), password: PASSWORD.into() }
}
