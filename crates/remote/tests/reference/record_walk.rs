//! A random walk over records: devices and dashboards write, also in transactions that commit late; rows move, policies
//! and roles change, the server is compacted and restored, while devices load and pull small pages at random times. At
//! the end every device holds exactly what its owner may see.

use crate::records::{change, record, workers};
use fieldpost_domain::{
    AccessToken, Cursor, OrgId, PersonId, Role, Version,
    records::{Fields, RecordId, RecordOperation, RecordRefusal, RecordRow, TableName},
};
use fieldpost_remote::{
    Auth, Credentials, RecordPullRequest, RecordsApi, RemoteErrorKind,
    reference::{Backup, OpenTransaction, Profile, Project, ReferenceServer, SeededRandom},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Hides a worker without consent from medics.
struct Hides;

impl Project for Hides {
    fn shows_record(&self, row: &RecordRow, _: PersonId, role: &Role) -> bool {
        *role == Role::OrgAdmin || row.fields.get("phone").and_then(serde_json::Value::as_str) != Some("hidden")
    }

    fn removes_record(&self, _: &RecordRow, _: (PersonId, &Role)) -> Result<(), RecordRefusal> {
        Ok(())
    }
}

/// A device: what it has loaded and pulled, by the rules of docs/protocol.md.
struct Device {
    server: ReferenceServer,
    person: PersonId,
    token: AccessToken,
    cursor: Option<Cursor>,
    rows: BTreeMap<RecordId, RecordRow>,
    gone: BTreeMap<RecordId, Version>,
    /// What the pages of a running load have named.
    named: BTreeSet<RecordId>,
}

impl Device {
    async fn new(server: &ReferenceServer, email: &str) -> Self {
        let credentials = Credentials { email: email.to_owned(), password: "pw".into() };
        let session = server.sign_in(&credentials).await.unwrap();
        let (rows, gone, named) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let (person, token) = (session.person_id, session.access_token);
        Self { server: server.clone(), person, token, cursor: None, rows, gone, named }
    }

    fn tables() -> Vec<TableName> {
        vec![workers(), TableName::new("near_misses").unwrap()]
    }

    /// Fetches and applies a page. Returns whether more follow.
    async fn pull(&mut self, limit: u32) -> bool {
        let request =
            RecordPullRequest { tables: Self::tables(), cursor: self.cursor.clone(), limit: Some(limit), bytes: None };
        let page = match self.server.pull_records(&self.token, request).await {
            Ok(page) => page,
            Err(error) => {
                assert!(matches!(error.kind(), RemoteErrorKind::CursorExpired(_)), "{error}");
                self.restart();
                return true;
            }
        };
        for row in page.rows {
            self.named.insert(row.id);
            if self.gone.get(&row.id).is_some_and(|gone| *gone >= row.version) {
                continue;
            }
            let known = self.rows.get(&row.id).is_some_and(|known| known.version > row.version);
            if !known {
                self.rows.insert(row.id, row);
            }
        }
        for tombstone in page.tombstones {
            if self.rows.get(&tombstone.id).is_none_or(|row| row.version <= tombstone.version) {
                self.rows.remove(&tombstone.id);
                self.gone.insert(tombstone.id, tombstone.version);
            }
        }
        if page.loading && !page.more {
            let named = std::mem::take(&mut self.named);
            self.rows.retain(|id, _| named.contains(id));
        }
        self.cursor = Some(page.cursor);
        page.more
    }

    /// A new load: versions of another history say nothing.
    fn restart(&mut self) {
        self.cursor = None;
        self.named.clear();
        self.gone.clear();
        self.rows.clear();
    }

    async fn catch_up(&mut self) {
        while self.pull(3).await {}
    }
}

struct World {
    server: ReferenceServer,
    orgs: [OrgId; 2],
    medics: Vec<PersonId>,
    open: Vec<OpenTransaction>,
    backup: Option<Backup>,
    made: u128,
}

impl World {
    fn new(seed: u64) -> Self {
        let server = ReferenceServer::builder().seed(seed).project(Hides).build();
        server.offer_clinical_tables();
        let orgs = [server.add_org("Here"), server.add_org("There")];
        let profile = |email| Profile { first_name: "A", last_name: "B", email, password: "pw" };
        server.add_admin(orgs[0], profile("admin@walk.test"));
        server.add_admin(orgs[1], profile("other@walk.test"));
        let medics = ["m0@walk.test", "m1@walk.test"].map(|email| server.add_medic(orgs[0], profile(email)).person_id);
        Self { server, orgs, medics: medics.to_vec(), open: Vec::new(), backup: None, made: 0 }
    }

    fn any(&self, dice: &mut SeededRandom) -> RecordId {
        record(u128::from(dice.below(self.made as u64 + 1)))
    }

    fn fields(dice: &mut SeededRandom) -> Fields {
        let phone = *dice.pick(&["1", "2", "hidden"]).unwrap();
        Fields::new().with("last_name", "Moss").with("phone", phone)
    }

    /// Performs one random action on the server.
    async fn happen(&mut self, dice: &mut SeededRandom, devices: &[Device]) {
        let (id, org) = (self.any(dice), *dice.pick(&self.orgs).unwrap());
        let medic = *dice.pick(&self.medics).unwrap();
        match dice.below(20) {
            0..=3 => self.push(dice, devices).await,
            4 => {
                self.made += 1;
                self.server.insert_record(&workers(), (record(self.made), None), self.orgs[0], &Self::fields(dice));
            }
            5 | 6 => drop(self.server.update_record(&workers(), id, &Self::fields(dice))),
            7 => drop(self.server.delete_record(&workers(), id)),
            8 => drop(self.server.move_record(&workers(), id, org)),
            9..=11 => self.begin(dice),
            12..=14 if !self.open.is_empty() => {
                let at = dice.below(self.open.len() as u64) as usize;
                let _ = self.open.swap_remove(at).commit();
            }
            15 => self.open.truncate(1),
            16 => drop(self.server.remove_member(medic)),
            17 => self.server.add_member(medic, self.orgs[0], Role::Medic, "A", "B"),
            18 => drop(self.server.change_role(medic, if dice.below(2) == 0 { Role::Medic } else { Role::OrgAdmin })),
            _ => self.operate(dice),
        }
    }

    fn operate(&mut self, dice: &mut SeededRandom) {
        match (dice.below(6), &self.backup) {
            (0, _) => self.server.change_record_policies(),
            (1, _) => self.server.compact(),
            (2, _) => self.backup = Some(self.server.backup()),
            (3, Some(backup)) => self.server.restore(backup),
            (4, _) => self.server.restart(),
            _ => self.server.advance_clock(Duration::from_millis(7)),
        }
    }

    fn begin(&mut self, dice: &mut SeededRandom) {
        let open = self.server.begin();
        for _ in 0..=dice.below(3) {
            let id = self.any(dice);
            let _ = match dice.below(4) {
                0 => {
                    self.made += 1;
                    open.insert_record(&workers(), (record(self.made), None), self.orgs[0], Self::fields(dice))
                }
                1 => open.delete_record(&workers(), id),
                2 => open.move_record(&workers(), id, *dice.pick(&self.orgs).unwrap()),
                _ => open.update_record(&workers(), id, Self::fields(dice)),
            };
        }
        self.open.push(open);
    }

    async fn push(&mut self, dice: &mut SeededRandom, devices: &[Device]) {
        let device = dice.pick(devices).unwrap();
        self.made += 1;
        let operation = match dice.below(4) {
            0 => RecordOperation::Create,
            1 => RecordOperation::Delete,
            _ => RecordOperation::Update,
        };
        let id = if operation == RecordOperation::Create { record(self.made) } else { self.any(dice) };
        let mut change = change(self.made, id, operation, self.orgs[0]);
        change.fields.merge(&Self::fields(dice));
        if dice.below(2) == 0 {
            let _ = self.server.begin().push_records(&device.token, &[change]);
        } else {
            let _ = self.server.push_records(&device.token, &[change]).await;
        }
    }
}

#[tokio::test]
async fn every_device_ends_with_what_its_owner_may_see() {
    let mut kept = 0;
    for seed in 0..150 {
        let mut dice = SeededRandom::new(seed);
        let mut world = World::new(seed);
        let mut devices = Vec::new();
        for email in ["admin@walk.test", "other@walk.test", "m0@walk.test", "m1@walk.test"] {
            devices.push(Device::new(&world.server, email).await);
        }
        for _ in 0..120 {
            world.happen(&mut dice, &devices).await;
            for device in &mut devices {
                if dice.below(3) == 0 {
                    let limit = 1 + u32::try_from(dice.below(4)).unwrap();
                    device.pull(limit).await;
                }
            }
        }
        world.open.clear();
        for device in &mut devices {
            device.catch_up().await;
            device.catch_up().await;
            let expected = world.server.records_visible_to(device.person);
            kept += expected.len();
            let held: Vec<_> = device.rows.values().cloned().collect();
            assert_eq!(held, expected, "seed {seed}");
        }
    }
    assert!(kept > 1000, "the walk has met something: {kept}");
}
