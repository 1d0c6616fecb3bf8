//! Taking changes from the queue.

use super::build::{everything, field, immediate, new_visit, urgent, won};
use super::given::{answered, batch, create, created, ids, loaded, queue, queued, stored, taken, turn, updated, visit};
use super::{RecordDevice, given::ready};
use crate::BatchLimits;
use crate::conformance::{
    build::{at, mutation_id, wide},
    given::mutations,
};
use crate::records::{RecordBatch, RecordEntryState, RecordStore};
use fieldpost_domain::records::{NewRecord, RecordOutcome, RecordTable};

/// `RecordQueue::next_records`, rule 1.
pub async fn a_batch_is_by_priority_then_by_age(store: &dyn RecordStore) {
    let low = RecordTable::new(super::build::table("tools")).priority(fieldpost_domain::records::Priority::Low);
    store.declare(&[super::build::visits(), super::build::sites(), low]).await.unwrap();
    let tool = NewRecord { table: super::build::table("tools"), fields: Default::default(), ..new_visit(1) };
    create(store, 1, tool).await;
    created(store, 2).await;
    create(store, 3, urgent(new_visit(3))).await;
    // A clock that was set back changes no order.
    create(store, 4, NewRecord { at: super::build::moment(0), ..new_visit(4) }).await;
    create(store, 5, urgent(new_visit(5))).await;

    assert_eq!(queued(store).await, mutations([3, 5, 2, 4, 1]));
    assert_eq!(ids(taken(store, immediate()).await), mutations([3, 5]));
    assert_eq!(batch(store).await, mutations([2, 4, 1]));
    assert!(batch(store).await.is_empty(), "what is under way is not taken twice");
}

/// `RecordQueue::next_records`, rule 2.
pub async fn changes_of_a_record_stay_in_order(store: &dyn RecordStore) {
    loaded(store, vec![super::build::row(1, 1)]).await;
    updated(store, 1, 1, field("count", 1)).await;
    assert_eq!(batch(store).await, mutations([1]));
    updated(store, 2, 1, field("count", 2)).await;
    assert!(batch(store).await.is_empty(), "one is under way");
    store.postpone_records(&mutations([1]), at(10)).await.unwrap();
    let soon = super::build::due(at(11));
    assert!(taken(store, soon).await.is_empty(), "one waits");
    assert_eq!(batch(store).await, mutations([1, 2]), "both in one batch are in order");
    answered(store, 1, RecordOutcome::Refused(super::build::refusal())).await;
    assert!(batch(store).await.is_empty(), "one is refused");
}

/// `RecordQueue::next_records`, rule 3.
pub async fn a_waiting_record_holds_no_other(store: &dyn RecordStore) {
    for n in 1..=3 {
        created(store, n).await;
    }
    batch(store).await;
    answered(store, 1, RecordOutcome::Refused(super::build::refusal())).await;
    store.postpone_records(&mutations([2]), at(10)).await.unwrap();
    store.withdraw_records(&mutations([3])).await.unwrap();
    assert_eq!(ids(taken(store, super::build::due(at(11))).await), mutations([3]));
}

/// `RecordQueue::next_records`, rule 5: a restart.
pub async fn what_was_under_way_is_sent_again(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    created(&*phone.records, 1).await;
    create(&*phone.records, 2, urgent(new_visit(2))).await;
    let first = taken(&*phone.records, everything()).await;
    phone.store.close().await.unwrap();

    let again = device.open().await.records;
    assert_eq!(queue(&*again).await[0].state, RecordEntryState::Sending, "its outcome is unknown");
    assert_eq!(taken(&*again, everything()).await, first, "unchanged, with the same ids");
    assert!(batch(&*again).await.is_empty());
    assert_eq!(answered(&*again, 1, won(1, 1)).await.won, 1);
}

/// `RecordQueue::next_records`, rule 5: a pass that was given up, here or in another process.
pub async fn a_new_turn_finds_nothing_under_way(store: &dyn RecordStore) {
    created(store, 1).await;
    let first = turn(store).await.unwrap();
    batch(store).await;
    assert!(turn(store).await.is_none(), "the turn is one");
    assert!(batch(store).await.is_empty(), "to ask for it changes nothing");
    drop(first);

    let second = turn(store).await.unwrap();
    assert_eq!(batch(store).await, mutations([1]));
    drop(second);
}

/// `RecordQueue::next_records`, rule 7.
pub async fn a_batch_keeps_its_limits(store: &dyn RecordStore) {
    for n in 1..=3 {
        created(store, n).await;
    }
    let mut large = new_visit(4);
    large.fields.set("notes", "x".repeat(10_000));
    create(store, 4, large).await;
    created(store, 5).await;
    let limited = |rows, bytes| RecordBatch { limits: BatchLimits { rows, bytes }, ..everything() };

    assert_eq!(ids(taken(store, limited(2, wide().bytes)).await), mutations([1, 2]));
    assert_eq!(ids(taken(store, limited(9, 5_000)).await), mutations([3]));
    assert_eq!(ids(taken(store, limited(9, 5_000)).await), mutations([4]), "the first is taken however large");
    assert_eq!(ids(taken(store, limited(0, 0)).await), mutations([5]));
}

/// An immediate change is taken while a batch of others is under way.
pub async fn an_immediate_change_waits_for_no_batch(store: &dyn RecordStore) {
    for n in 1..=3 {
        created(store, n).await;
    }
    batch(store).await;
    create(store, 4, urgent(new_visit(4))).await;
    assert_eq!(ids(taken(store, immediate()).await), mutations([4]));
    answered(store, 4, won(4, 1)).await;
    for n in 1..=3 {
        assert_eq!(answered(store, n, won(n, 1)).await.won, 1);
    }
}

/// `RecordQueue::withdraw_records`.
pub async fn a_withdrawn_change_was_never_sent(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    assert_eq!(queue(store).await[0].state, RecordEntryState::Sending);
    store.withdraw_records(&mutations([1, 77])).await.unwrap();

    let waiting = RecordEntryState::Queued { failures: 0, next_at: None, last_retry: None };
    assert_eq!(queue(store).await[0].state, waiting);
    assert_eq!(batch(store).await, mutations([1]));
    answered(store, 1, RecordOutcome::Retry(fieldpost_domain::RetryCode::Busy)).await;
    assert_eq!(batch(store).await, mutations([1]));
    store.withdraw_records(&mutations([1])).await.unwrap();
    assert_eq!(ids(taken(store, super::build::due(at(501))).await), mutations([1]), "it waits for nothing");
    store.withdraw_records(&mutations([1])).await.unwrap();
    store.cancel_record(mutation_id(1)).await.unwrap();
}

/// One attempt was withdrawn; the one before may have arrived.
pub async fn a_withdrawn_attempt_says_nothing_of_an_earlier_one(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, field("count", 2)).await;
    batch(store).await;
    store.postpone_records(&mutations([2]), at(10)).await.unwrap();
    batch(store).await;
    store.withdraw_records(&mutations([2])).await.unwrap();
    assert_eq!(queue(store).await[0].state, RecordEntryState::Sending);
    let error = store.cancel_record(mutation_id(2)).await.unwrap_err();
    assert_eq!(error.kind(), crate::StorageErrorKind::OutcomeUnknown);
}

/// A number is sent, settled and shown as it was written, to the last bit.
pub async fn a_number_keeps_all_its_digits(store: &dyn RecordStore) {
    // Numbers that a hasty parser reads one off, sums that are no round numbers, and twenty numbers of random bits.
    let mut numbers =
        vec![117.633_311_394_000_17, 94.958_862_831_581_03, 0.1 + 0.2, 0.1 + 0.7, 1.1 * 1.1, 1e23, f64::MIN_POSITIVE];
    let mut bits = 0x0198_c0de_u64;
    while numbers.len() < 27 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        numbers.extend(Some(f64::from_bits(bits)).filter(|number| number.is_finite()));
    }
    for (n, number) in (1..).zip(numbers) {
        let written = new_visit(n).fields.with("share", number).with("notes", serde_json::json!({ "at": [number] }));
        create(store, n, NewRecord { fields: written.clone(), ..new_visit(n) }).await;
        let sent = taken(store, everything()).await.remove(0);
        assert_eq!(sent.fields, written, "as it is sent");
        answered(store, n, won(n, 1)).await;
        assert_eq!(visit(store, n).await.fields, written, "as it is shown");
    }
}
