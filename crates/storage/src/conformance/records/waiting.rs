//! Waiting after a failure.

use super::build::{due, field, new_visit, urgent};
use super::given::{answered, batch, counts, create, created, ids, queue, stored, taken, updated};
use super::{RecordDevice, given::ready};
use crate::conformance::{
    build::{at, mutation_id},
    given::mutations,
};
use crate::records::{RecordEntryState, RecordStore};
use fieldpost_domain::{RetryCode, records::RecordOutcome};

async fn is_due(store: &dyn RecordStore, seconds: u64) -> bool {
    let taken = ids(taken(store, due(at(seconds))).await);
    store.withdraw_records(&taken).await.unwrap();
    !taken.is_empty()
}

/// `RecordQueue::postpone_records`: 5 minutes doubling, or 30 seconds doubling.
pub async fn a_postponed_change_waits_by_its_priority(store: &dyn RecordStore) {
    created(store, 1).await;
    create(store, 2, urgent(new_visit(2))).await;
    for (failures, (usual, immediate)) in (1..).zip([(300, 30), (600, 60), (1200, 120), (2400, 240)]) {
        batch(store).await;
        store.postpone_records(&mutations([1, 2]), at(1000)).await.unwrap();
        assert_eq!(counts(store, 1000).await.next_at, Some(at(1000 + immediate)), "after {failures} failures");
        assert!(taken(store, due(at(1000 + immediate - 1))).await.is_empty());
        assert_eq!(ids(taken(store, due(at(1000 + immediate))).await), mutations([2]));
        assert_eq!(
            counts(store, 1000 + immediate).await.next_at,
            Some(at(1000 + usual)),
            "what is under way has no time"
        );
        assert!(taken(store, due(at(1000 + usual - 1))).await.is_empty());
        assert_eq!(ids(taken(store, due(at(1000 + usual))).await), mutations([1]));
    }
}

/// `RecordQueue::settle_records`, rule 6.
pub async fn a_retried_change_waits_by_its_priority(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    let report = answered(store, 1, RecordOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!((report.retrying, report.won), (1, 0));

    let waits = RecordEntryState::Queued { failures: 1, next_at: Some(at(800)), last_retry: Some(RetryCode::Busy) };
    assert_eq!(queue(store).await[0].state, waits);
    assert!(!is_due(store, 799).await);
    batch(store).await;
    answered(store, 1, RecordOutcome::Retry(RetryCode::Conflict)).await;
    let waits =
        RecordEntryState::Queued { failures: 2, next_at: Some(at(1100)), last_retry: Some(RetryCode::Conflict) };
    assert_eq!(queue(store).await[0].state, waits);
    store.cancel_record(mutation_id(1)).await.unwrap();
}

/// `RecordQueue::stop_waiting`.
pub async fn the_network_ends_all_waiting(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    store.postpone_records(&mutations([1]), at(1000)).await.unwrap();
    store.stop_waiting().await.unwrap();
    assert_eq!(counts(store, 1001).await.next_at, None);
    assert_eq!(ids(taken(store, due(at(1001))).await), mutations([1]));
    store.postpone_records(&mutations([1]), at(1001)).await.unwrap();
    assert_eq!(counts(store, 1001).await.next_at, Some(at(1601)), "the failures are still in a row");
}

/// `RecordQueue::next_records`, rule 6.
pub async fn a_clock_that_was_set_back_holds_nothing(store: &dyn RecordStore) {
    created(store, 1).await;
    create(store, 2, urgent(new_visit(2))).await;
    batch(store).await;
    store.postpone_records(&mutations([1, 2]), at(100_000)).await.unwrap();
    // 30 seconds and 5 minutes after; the longest waits are 30 minutes and 4 hours.
    assert_eq!(ids(taken(store, due(at(100_030 - 1_801))).await), mutations([2]));
    store.withdraw_records(&mutations([2])).await.unwrap();
    store.postpone_records(&mutations([2]), at(100_000)).await.unwrap();
    assert!(taken(store, due(at(100_300 - 14_400))).await.iter().all(|it| it.id == mutation_id(2)));
    assert_eq!(counts(store, 100_300 - 14_401).await.next_at, None);
    assert_eq!(ids(taken(store, due(at(100_300 - 14_401))).await), mutations([1]));
}

/// `RecordCounts::next_at`: what waits behind another change has no time of its own.
pub async fn only_what_could_be_taken_has_a_time(store: &dyn RecordStore) {
    assert_eq!(counts(store, 0).await.next_at, None);
    stored(store, 1).await;
    updated(store, 2, 1, field("count", 1)).await;
    batch(store).await;
    store.postpone_records(&mutations([2]), at(1000)).await.unwrap();
    updated(store, 3, 1, field("count", 2)).await;
    assert_eq!(counts(store, 1000).await.next_at, Some(at(1300)));
    created(store, 4).await;
    assert_eq!(counts(store, 1000).await.next_at, None, "one could be taken now");
}

/// Waiting survives a restart.
pub async fn a_restart_ends_no_waiting(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    created(&*phone.records, 1).await;
    batch(&*phone.records).await;
    phone.records.postpone_records(&mutations([1]), at(1000)).await.unwrap();
    phone.store.close().await.unwrap();
    let again = device.open().await.records;
    assert!(!is_due(&*again, 1299).await && is_due(&*again, 1300).await);
}
