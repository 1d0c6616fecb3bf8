//! The world of `fieldpost demo`: two medics, an admin, a few messages.

use super::{Profile, ReferenceServer};

/// The org of [`ReferenceServer::demo`].
pub const DEMO_ORG: &str = "Fieldpost Demo";
/// The admin's address.
pub const DEMO_ADMIN: &str = "admin@fieldpost.test";
/// The address of Ada Moss, a medic.
pub const DEMO_ADA: &str = "ada@fieldpost.test";
/// The address of Ben Okafor, a medic.
pub const DEMO_BEN: &str = "ben@fieldpost.test";
/// Everybody's password.
pub const DEMO_PASSWORD: &str = "fieldpost-demo";

impl ReferenceServer {
    /// A server with the demo world in it.
    #[must_use]
    pub fn demo() -> Self {
        let server = Self::new();
        server.add_demo();
        server
    }

    /// Adds the demo world to this server.
    pub fn add_demo(&self) {
        #[cfg(feature = "records")]
        self.offer_clinical_tables();
        let org = self.add_org(DEMO_ORG);
        let admin = self.add_admin(org, profile("Robin", "Hale", DEMO_ADMIN));
        let ada = self.add_medic(org, profile("Ada", "Moss", DEMO_ADA));
        let ben = self.add_medic(org, profile("Ben", "Okafor", DEMO_BEN));

        let with_ada = self.open_direct(org, ada.medic_id, admin);
        self.insert_message(with_ada, admin, "Morning Ada. You are on the north tower today.");
        self.insert_message(with_ada, ada.person_id, "On my way. The lift is out again, taking the stairs.");
        self.insert_message(with_ada, admin, "Thanks, I will tell the site manager.");

        let with_ben = self.open_direct(org, ben.medic_id, admin);
        self.insert_message(with_ben, ben.person_id, "First-aid kit 4 is short of burn dressings.");
        self.insert_message(with_ben, admin, "Ordered. They arrive with the noon delivery.");

        let notices = self.open_broadcast(org, Some("Site notices"), admin);
        self.insert_message(notices, admin, "Crane 3 is out of service until Thursday. Keep the east gate clear.");
    }
}

const fn profile<'a>(first_name: &'a str, last_name: &'a str, email: &'a str) -> Profile<'a> {
    Profile { first_name, last_name, email, password: DEMO_PASSWORD }
}
