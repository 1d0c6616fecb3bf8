//! A random walk: people write, third parties interfere, roles and owners change, while devices pull small pages at
//! random times. At the end every device holds exactly what its owner may see.

use crate::device::Device;
use fieldpost_domain::{ConversationId, MessageId, PersonId, Role, Seq};
use fieldpost_remote::{
    Auth, Credentials,
    reference::{Medic, Profile, ReferenceServer, SeededRandom},
};
use std::collections::BTreeMap;

struct World {
    server: ReferenceServer,
    org: fieldpost_domain::OrgId,
    admin: PersonId,
    medics: Vec<Medic>,
    conversations: Vec<ConversationId>,
    messages: Vec<MessageId>,
}

impl World {
    fn new(seed: u64) -> Self {
        let server = ReferenceServer::builder().seed(seed).build();
        let org = server.add_org("Walk");
        let profile = |email| Profile { first_name: "A", last_name: "B", email, password: "pw" };
        let admin = server.add_admin(org, profile("admin@walk.test"));
        let medics =
            ["m0@walk.test", "m1@walk.test", "m2@walk.test"].map(|email| server.add_medic(org, profile(email)));
        Self { server, org, admin, medics: medics.to_vec(), conversations: Vec::new(), messages: Vec::new() }
    }

    async fn device(&self, email: &str) -> Device {
        let credentials = Credentials { email: email.to_owned(), password: "pw".into() };
        Device::new(&self.server, self.server.sign_in(&credentials).await.unwrap())
    }

    /// Performs one random action on the server.
    fn happen(&mut self, dice: &mut SeededRandom) {
        let medic = *dice.pick(&self.medics).unwrap();
        match dice.below(14) {
            0 => self.conversations.push(self.server.open_direct(self.org, medic.medic_id, self.admin)),
            1 => self.conversations.push(self.server.open_broadcast(self.org, None, self.admin)),
            2..=6 => self.write(dice, medic),
            7 => self.on_message(dice, |server, id| server.edit_message(id, "edited")),
            8 => self.on_message(dice, ReferenceServer::soft_delete),
            9 => self.on_message(dice, ReferenceServer::hard_delete),
            10 => self.on_conversation(dice, |server, id| server.mark(id, medic.person_id, Seq::new(3), Seq::new(2))),
            11 => self.on_conversation(dice, |server, id| {
                let direct = server.conversations_of(server.person_with("admin@walk.test").unwrap());
                if direct.iter().any(|row| row.id == id && row.medic_id.is_some()) {
                    server.reassign_medic(id, Some(medic.medic_id));
                }
            }),
            12 if dice.below(3) == 0 => self.on_conversation(dice, |server, id| {
                server.delete_conversation(id);
            }),
            _ => self.change_membership(dice, medic),
        }
    }

    fn write(&mut self, dice: &mut SeededRandom, medic: Medic) {
        let sender = if dice.below(2) == 0 { self.admin } else { medic.person_id };
        if let Some(conversation) = dice.pick(&self.conversations).copied() {
            self.messages.extend(self.server.insert_message(conversation, sender, "hello").map(|row| row.id));
        }
    }

    fn on_message(&self, dice: &mut SeededRandom, act: impl Fn(&ReferenceServer, MessageId) -> bool) {
        if let Some(id) = dice.pick(&self.messages).copied() {
            act(&self.server, id);
        }
    }

    fn on_conversation(&self, dice: &mut SeededRandom, act: impl Fn(&ReferenceServer, ConversationId)) {
        if let Some(id) = dice.pick(&self.conversations).copied() {
            act(&self.server, id);
        }
    }

    fn change_membership(&self, dice: &mut SeededRandom, medic: Medic) {
        match dice.below(6) {
            0 => drop(self.server.remove_member(medic.person_id)),
            1 | 2 => self.server.add_member(medic.person_id, self.org, Role::Medic, "A", "B"),
            3 => drop(self.server.change_role(medic.person_id, Role::OrgAdmin)),
            4 => drop(self.server.change_role(medic.person_id, Role::Medic)),
            _ if dice.below(8) == 0 => self.server.change_epoch(),
            _ => {}
        }
    }
}

fn assert_same(seed: u64, device: &Device, server: &ReferenceServer, person: PersonId) {
    let truth = server.visible_to(person);
    let conversations: BTreeMap<_, _> = truth.conversations.into_iter().map(|row| (row.id, row)).collect();
    let messages: BTreeMap<_, _> = truth.messages.into_iter().map(|row| (row.id, row)).collect();
    let markers: BTreeMap<_, _> =
        truth.read_markers.into_iter().map(|row| ((row.conversation_id, row.person_id), row)).collect();
    assert_eq!(device.conversations, conversations, "conversations, seed {seed}");
    assert_eq!(device.messages, messages, "messages, seed {seed}");
    assert_eq!(device.markers, markers, "markers, seed {seed}");
    let missing: Vec<_> =
        truth.people.iter().filter(|row| row.id != person && !device.people.contains(&row.id)).collect();
    assert!(missing.is_empty(), "people {missing:?}, seed {seed}");
}

#[tokio::test]
async fn every_device_ends_with_what_its_owner_may_see() {
    for seed in 0..200 {
        let mut dice = SeededRandom::new(seed);
        let mut world = World::new(seed);
        let emails = ["admin@walk.test", "m0@walk.test", "m1@walk.test", "m2@walk.test"];
        let mut devices = Vec::new();
        for email in emails {
            devices.push(world.device(email).await);
        }
        for _ in 0..dice.below(120) {
            world.happen(&mut dice);
            if dice.below(2) == 0 {
                let who = usize::try_from(dice.below(4)).unwrap();
                devices[who].step(u32::try_from(1 + dice.below(4)).unwrap()).await;
            }
        }
        for (device, email) in devices.iter_mut().zip(emails) {
            device.catch_up(2).await;
            assert_same(seed, device, &world.server, world.server.person_with(email).unwrap());
        }
    }
}
