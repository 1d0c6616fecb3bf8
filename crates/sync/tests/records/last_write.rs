//! Who wins when two people change one record, whatever their clocks say.

use crate::{given::table, phones::*};
use chrono::TimeDelta;
use fieldpost_domain::{RecordId, Time};
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_storage::records::Records;
use fieldpost_testkit::ManualClock;
use std::sync::Arc;

struct Scene {
    server: ReferenceServer,
    clock: Arc<ManualClock>,
    ada: Phone,
    admin: Phone,
    gate: RecordId,
}

impl Scene {
    /// A record that both phones have, at ten o'clock.
    async fn new() -> Self {
        let (server, clock) = server();
        let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
        let gate = ada.create("Gate").await;
        ada.sync().await;
        admin.sync().await;
        Self { server, clock, ada, admin, gate }
    }

    fn pass(&self, by: TimeDelta) {
        Phone::pass(&[&self.clock, &self.ada.clock, &self.admin.clock], by);
    }

    async fn sync_all(&self) {
        for phone in [&self.ada, &self.admin, &self.ada] {
            phone.sync().await;
        }
    }

    async fn shown(&self) -> [Vec<String>; 3] {
        [places_on(&self.server), self.ada.places().await, self.admin.places().await]
    }

    /// Ada writes at ten, the admin at eleven; they sync at twelve and at five past.
    async fn ten_and_eleven(&self, ada_first: bool) {
        self.ada.update(self.gate, "Ada at ten").await;
        self.pass(hours(1));
        self.admin.update(self.gate, "Admin at eleven").await;
        self.pass(hours(1));
        if ada_first {
            self.ada.sync().await
        } else {
            self.admin.sync().await
        }
        self.pass(TimeDelta::minutes(5));
        self.sync_all().await;
    }
}

fn everywhere(place: &str) -> [Vec<String>; 3] {
    [vec![place.to_owned()], vec![place.to_owned()], vec![place.to_owned()]]
}

#[tokio::test]
async fn an_edit_made_at_ten_and_synced_at_twelve_loses_to_one_made_at_eleven_and_synced_later() {
    let scene = Scene::new().await;
    scene.ten_and_eleven(true).await;
    assert_eq!(scene.shown().await, everywhere("Admin at eleven"));
    assert_eq!(scene.ada.counts().await.conflicts, 0, "it had won when it was synced");
}

#[tokio::test]
async fn an_edit_that_arrives_late_loses_and_is_kept() {
    let scene = Scene::new().await;
    scene.ten_and_eleven(false).await;
    assert_eq!(scene.shown().await, everywhere("Admin at eleven"));
    let conflicts = scene.ada.store.record_conflicts().await.unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].lost.get("place"), Some(&"Ada at ten".into()));
    assert_eq!(conflicts[0].won.get("place"), Some(&"Admin at eleven".into()));
    assert_eq!(scene.ada.coordinator.state().records.lost, 1);
}

#[tokio::test]
async fn clocks_that_are_wrong_or_set_in_between_decide_nothing() {
    for ada_first in [true, false] {
        for wrong_by in [-30, -2, 2, 30] {
            let scene = Scene::new().await;
            // Ada's clock is wrong from now on. Nobody has restarted her app since.
            scene.ada.clock.set(now_of(&scene.ada.clock) + hours(wrong_by));
            scene.ten_and_eleven(ada_first).await;
            assert_eq!(scene.shown().await, everywhere("Admin at eleven"), "{ada_first} {wrong_by}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_set_while_the_app_is_closed_decides_nothing_either() {
    for wrong_by in [-30, -2, 2, 30] {
        let mut scene = Scene::new().await;
        scene.ada.update(scene.gate, "Ada at ten").await;
        scene.pass(hours(1));
        scene.admin.update(scene.gate, "Admin at eleven").await;
        scene.pass(hours(1));
        scene.admin.sync().await;
        // The app is killed, its clock is set, and it is started again.
        scene.ada.clock.set(now_of(&scene.ada.clock) + hours(wrong_by));
        scene.ada = scene.ada.restarted(3).await;
        scene.sync_all().await;
        assert_eq!(scene.shown().await, everywhere("Admin at eleven"), "{wrong_by}");
    }
}

#[tokio::test]
async fn a_time_in_the_future_beats_nobody_afterwards() {
    let scene = Scene::new().await;
    let row = || scene.server.record(&table("visits"), scene.gate).unwrap();
    scene.ada.update(scene.gate, "Ada").await;
    scene.ada.sync().await;
    assert!(row().modified_at <= now_of(&scene.clock));
    scene.pass(TimeDelta::seconds(1));
    scene.admin.update(scene.gate, "Admin").await;
    scene.sync_all().await;
    assert_eq!(scene.shown().await, everywhere("Admin"));
}

/// A row of the old app's server: its text and the time by which the old app compared.
#[derive(Clone)]
struct OldRow {
    text: &'static str,
    updated_at: Time,
}

/// What the old app did for an update: it read the row, compared, and then wrote, in two requests.
struct OldUpdate {
    text: &'static str,
    at: Time,
    may_write: bool,
}

impl OldUpdate {
    fn read(text: &'static str, at: Time, row: &OldRow) -> Self {
        Self { text, at, may_write: row.updated_at < at }
    }

    fn write(self, row: &mut OldRow) {
        if self.may_write {
            *row = OldRow { text: self.text, updated_at: self.at };
        }
    }
}

#[tokio::test]
async fn defect_13_two_updates_at_once_cannot_overwrite_the_later_one() {
    // The old algorithm: both read before either writes, and the earlier change is the last to be written.
    let ten = Time::from_timestamp(1_800_000_000, 0).unwrap();
    let mut row = OldRow { text: "Gate", updated_at: ten - hours(1) };
    let earlier = OldUpdate::read("Ada at ten", ten, &row);
    let later = OldUpdate::read("Admin at eleven", ten + hours(1), &row);
    later.write(&mut row);
    earlier.write(&mut row);
    assert_eq!(row.text, "Ada at ten", "the defect: the later change is overwritten");

    // Here the server compares and writes in one call, in whichever order the two come.
    for ada_first in [true, false] {
        let scene = Scene::new().await;
        scene.ada.update(scene.gate, "Ada at ten").await;
        scene.pass(hours(1));
        scene.admin.update(scene.gate, "Admin at eleven").await;
        let (ada, admin) = (scene.ada.coordinator.records(), scene.admin.coordinator.records());
        if ada_first {
            let (one, two) = tokio::join!(ada.sync(), admin.sync());
            one.and(two).unwrap();
        } else {
            let (one, two) = tokio::join!(admin.sync(), ada.sync());
            one.and(two).unwrap();
        }
        scene.sync_all().await;
        assert_eq!(scene.shown().await, everywhere("Admin at eleven"));
    }
}
