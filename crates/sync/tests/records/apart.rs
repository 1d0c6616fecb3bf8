//! Whatever happens to messages, the outcome of the records is the same as without them, and the other way round.

use crate::{given::table, phones::*};
use fieldpost_domain::{
    MessageId, RecordId,
    records::{Fields, RecordChange, RecordConflict},
};
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::records::Records;
use fieldpost_testkit::{Fault, Network};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

/// Something that happens to one side.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A person writes.
    Write(u8),
    /// She changes what she wrote.
    Change(u8),
    /// She deletes it. Messages are not deleted here.
    Delete(u8),
    /// Somebody else changes it on the server.
    Meanwhile(u8),
    /// A later call fails in this way.
    Fault(u32, Fault),
    /// This side syncs.
    Sync,
}

/// A step of one of the sides, or of both.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Records(Step),
    Messages(Step),
    /// Both sync at the same time.
    Both,
    /// The app is killed.
    Restart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sides {
    Both,
    Records,
    Messages,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::LoseAnswer),
        Just(Fault::LoseRequest),
        Just(Fault::Unreachable),
        Just(Fault::Garble),
        Just(Fault::Error(RemoteErrorKind::Unavailable)),
        Just(Fault::Error(RemoteErrorKind::TimedOut)),
        Just(Fault::Error(RemoteErrorKind::Oversized)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6_u8).prop_map(Step::Write),
        2 => (0..6_u8).prop_map(Step::Change),
        1 => (0..6_u8).prop_map(Step::Delete),
        1 => (0..6_u8).prop_map(Step::Meanwhile),
        2 => (0..3_u32, fault()).prop_map(|(after, fault)| Step::Fault(after, fault)),
        2 => Just(Step::Sync),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        5 => step().prop_map(Happening::Records),
        5 => step().prop_map(Happening::Messages),
        2 => Just(Happening::Both),
        1 => Just(Happening::Restart),
    ]
}

/// What is left of the records.
#[derive(Debug, PartialEq)]
struct RecordsOutcome {
    server: Vec<(RecordId, Fields)>,
    shown: Vec<(RecordId, Fields)>,
    conflicts: Vec<(Fields, Fields)>,
    dead_letters: u64,
    pending: u64,
}

/// What is left of the messages.
#[derive(Debug, PartialEq)]
struct MessagesOutcome {
    thread: Vec<(Option<u64>, String)>,
    pending: u64,
}

struct World {
    server: ReferenceServer,
    clock: Arc<fieldpost_testkit::ManualClock>,
    ada: Phone,
    sides: Sides,
    /// Counts what happens, for ids that are the same in every run.
    now: u128,
    restarts: u64,
}

fn record(number: u8) -> RecordId {
    RecordId::from_uuid(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_1000 + u128::from(number)))
}

impl World {
    async fn new(sides: Sides) -> Self {
        let (server, clock) = server();
        let ada = Phone::of(&server, ADA, 1).await;
        Self { server, clock, ada, sides, now: 0, restarts: 0 }
    }

    async fn happens(&mut self, happening: Happening) {
        self.now += 1;
        Phone::pass(&[&self.clock, &self.ada.clock], chrono::TimeDelta::seconds(1));
        match (happening, self.sides) {
            (Happening::Records(step), Sides::Both | Sides::Records) => self.records(step).await,
            (Happening::Messages(step), Sides::Both | Sides::Messages) => self.messages(step).await,
            (Happening::Both, Sides::Both) => drop(tokio::join!(self.sync_records(), self.sync_messages())),
            (Happening::Both, Sides::Records) => self.sync_records().await,
            (Happening::Both, Sides::Messages) => self.sync_messages().await,
            (Happening::Restart, _) => {
                self.restarts += 1;
                self.ada = self.ada.restarted(100 + self.restarts).await;
            }
            _ => {}
        }
    }

    async fn records(&self, step: Step) {
        let (mutation, visits) = (number(self.now), table("visits"));
        let place = Fields::new().with("place", format!("place {}", self.now));
        match step {
            Step::Write(one) if self.ada.store.record(&visits, record(one)).await.unwrap().is_none() => {
                // It may have been deleted before; then its id is used up.
                let at = self.ada.coordinator.records().now();
                let urgent = one == 0;
                let new = fieldpost_domain::records::NewRecord {
                    id: record(one),
                    table: visits,
                    org_id: None,
                    fields: place.with("urgent", urgent),
                    at,
                };
                let _ = self.ada.store.create_record(mutation, new).await;
            }
            Step::Write(_) => {}
            Step::Change(one) => {
                let at = self.ada.coordinator.records().now();
                let change = RecordChange { table: visits, id: record(one), fields: place, at };
                let _ = self.ada.store.update_record(mutation, change).await;
            }
            Step::Delete(one) => {
                let at = self.ada.coordinator.records().now();
                self.ada.store.delete_record(mutation, visits, record(one), at).await.unwrap();
            }
            Step::Meanwhile(one) => {
                self.server.update_record(&visits, record(one), &Fields::new().with("count", self.now as u64));
            }
            Step::Fault(after, fault) => order(&self.ada.records, after, fault),
            Step::Sync => self.sync_records().await,
        }
    }

    async fn messages(&self, step: Step) {
        match step {
            Step::Write(_) => {
                let id = MessageId::from_uuid(Uuid::from_u128(0x0198_c0de_0000_7000_9000_0000_0000_0000 + self.now));
                self.ada.send_as(number(self.now + (1 << 64)), id, &format!("message {}", self.now)).await;
            }
            Step::Fault(after, fault) => order(&self.ada.messages, after, fault),
            Step::Sync => self.sync_messages().await,
            Step::Change(_) | Step::Delete(_) | Step::Meanwhile(_) => {}
        }
    }

    async fn sync_records(&self) {
        let _ = self.ada.coordinator.records().sync().await;
    }

    async fn sync_messages(&self) {
        let _ = self.ada.coordinator.messages().sync().await;
    }

    /// Everything works again, and both sides sync until nothing is left.
    async fn heal(&mut self) {
        self.ada.records.heal();
        self.ada.messages.heal();
        for _ in 0..20 {
            self.happens(Happening::Both).await;
        }
    }

    async fn records_outcome(&self) -> RecordsOutcome {
        let conflict = |conflict: RecordConflict| (conflict.lost, conflict.won);
        let conflicts = self.ada.store.record_conflicts().await.unwrap().into_iter().map(conflict).collect();
        let rows = self.server.records_of(&table("visits")).into_iter();
        RecordsOutcome {
            server: rows.map(|row| (row.id, row.fields)).collect(),
            shown: self.ada.shown().await.into_iter().map(|record| (record.id, record.fields)).collect(),
            conflicts,
            dead_letters: self.ada.counts().await.failed,
            pending: self.ada.counts().await.pending,
        }
    }

    async fn messages_outcome(&self) -> MessagesOutcome {
        MessagesOutcome { thread: self.ada.texts().await, pending: self.ada.unsent_messages().await }
    }
}

fn order(network: &Network<ReferenceServer>, after: u32, fault: Fault) {
    network.order(after, fault);
}

async fn run(happenings: &[Happening], sides: Sides) -> (RecordsOutcome, MessagesOutcome) {
    let mut world = World::new(sides).await;
    for happening in happenings {
        world.happens(*happening).await;
    }
    world.heal().await;
    (world.records_outcome().await, world.messages_outcome().await)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_side_ends_as_if_it_had_been_alone(happenings in prop::collection::vec(happening(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (both, records, messages) = runtime.block_on(async {
            (
                run(&happenings, Sides::Both).await,
                run(&happenings, Sides::Records).await,
                run(&happenings, Sides::Messages).await,
            )
        });
        prop_assert_eq!(&both.0, &records.0);
        prop_assert_eq!(&both.1, &messages.1);
        prop_assert_eq!(both.0.pending, 0, "everything is sent at the end");
        prop_assert_eq!(both.1.pending, 0);
    }
}
