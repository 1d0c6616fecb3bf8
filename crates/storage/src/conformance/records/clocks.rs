//! Clocks of a device.

use super::build::{audit_entry, change, clock, everything, field, moment};
use super::given::{created, ready, stored, taken};
use super::{Phone, RecordDevice};
use crate::conformance::build::{at, mutation_id};
use crate::records::RecordStore;
use fieldpost_domain::records::DeviceTime;

async fn aheads(store: &dyn RecordStore) -> Vec<Option<i64>> {
    taken(store, everything()).await.into_iter().map(|mutation| mutation.ahead_micros).collect()
}

/// `RecordQueue::clock_measured`.
pub async fn times_of_a_measured_clock_are_known_in_the_next_process(device: &dyn RecordDevice) {
    let Phone { store, records } = device.open().await;
    ready(&Phone { store: store.clone(), records: records.clone() }).await;
    records.clock_measured(clock(1), 5_000_000).await.unwrap();
    created(&*records, 1).await;
    records.audit(vec![audit_entry(1)]).await.unwrap();
    records.clock_measured(clock(1), -7_000_000).await.unwrap();
    store.close().await.unwrap();

    let next = device.open().await.records;
    let other = DeviceTime { clock: clock(2), at: at(50) };
    next.update_record(mutation_id(2), change(1, field("count", 1), other)).await.unwrap();
    let sent = taken(&*next, everything()).await;
    assert_eq!((sent[0].modified_at, sent[0].ahead_micros), (other, None), "folded into a change of the new clock");
    let entry = next.next_audit(1).await.unwrap().remove(0);
    assert_eq!((entry.at, entry.ahead_micros), (moment(1), Some(-7_000_000)), "the last measurement counts");
}

/// Each change has the clock that it was made by.
pub async fn each_change_has_its_own_clock(store: &dyn RecordStore) {
    stored(store, 1).await;
    stored(store, 2).await;
    for (n, by) in [(1, clock(1)), (2, clock(2))] {
        let at = DeviceTime { clock: by, at: at(50) };
        store.update_record(mutation_id(10 + n), change(n, field("count", 1), at)).await.unwrap();
    }
    store.clock_measured(clock(2), 3).await.unwrap();
    assert_eq!(aheads(store).await, [None, Some(3)]);
}
