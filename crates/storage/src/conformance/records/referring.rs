//! Records that refer to others.

use super::build::{due, everything, field, immediate, new_site, new_visit, new_visit_of, record_id, urgent};
use super::given::{answered, batch, create, created, failure, ids, queued, taken, updated};
use crate::conformance::{
    build::{at, mutation_id},
    given::mutations,
};
use crate::records::{RecordBatch, RecordStore};
use fieldpost_domain::records::{NewRecord, Priority, RecordChange, RecordOutcome, RecordRefusalCode};

/// `Records::create_record`, rule 3, over two steps.
pub async fn what_an_immediate_record_refers_to_is_immediate(store: &dyn RecordStore) {
    created(store, 1).await;
    create(store, 2, new_site(2)).await;
    let inner = new_site(3);
    let fields = inner.fields.with("within", record_id(2).to_string());
    create(store, 3, NewRecord { fields, ..new_site(3) }).await;
    create(store, 4, new_site(4)).await;
    create(store, 5, urgent(new_visit_of(5, 3))).await;

    assert_eq!(queued(store).await, mutations([2, 3, 5, 1, 4]));
    assert_eq!(ids(taken(store, immediate()).await), mutations([2, 3, 5]));
}

/// `Records::update_record`, rule 3: a change that refers, and one that makes immediate.
pub async fn an_update_takes_what_it_refers_to_along(store: &dyn RecordStore) {
    create(store, 1, new_site(1)).await;
    create(store, 2, new_site(2)).await;
    create(store, 3, new_visit_of(3, 1)).await;
    updated(store, 4, 3, field("urgent", true)).await;
    assert_eq!(ids(taken(store, immediate()).await), mutations([1, 3]));
    updated(store, 5, 3, field("site", record_id(2).to_string())).await;
    assert_eq!(queued(store).await, mutations([1, 2, 3, 5]));
}

/// `RecordQueue::next_records`, rule 3: the exception.
pub async fn nothing_is_sent_before_what_it_refers_to(store: &dyn RecordStore) {
    create(store, 1, new_site(1)).await;
    assert_eq!(batch(store).await, mutations([1]));
    create(store, 2, new_visit_of(2, 1)).await;
    created(store, 3).await;
    assert_eq!(batch(store).await, mutations([3]), "the site is under way");

    store.postpone_records(&mutations([1]), at(1000)).await.unwrap();
    assert!(taken(store, due(at(1001))).await.is_empty(), "the site waits");
    assert_eq!(store.record_counts(at(1001)).await.unwrap().next_at, Some(at(1300)));
    assert_eq!(ids(taken(store, due(at(1300))).await), mutations([1, 2]), "it may follow in the batch");
    store.withdraw_records(&mutations([1, 2])).await.unwrap();
    let one = RecordBatch { limits: crate::BatchLimits { rows: 1, bytes: 100_000 }, ..everything() };
    assert_eq!(ids(taken(store, one).await), mutations([1]));
    assert!(taken(store, one).await.is_empty());
}

/// `RecordQueue::next_records`, rule 3: the server decides.
pub async fn a_refused_create_holds_no_other_record(store: &dyn RecordStore) {
    create(store, 1, new_site(1)).await;
    create(store, 2, new_visit_of(2, 1)).await;
    let one = RecordBatch { limits: crate::BatchLimits { rows: 1, bytes: 100_000 }, ..everything() };
    taken(store, one).await;
    answered(store, 1, RecordOutcome::Refused(super::build::refusal())).await;
    assert_eq!(batch(store).await, mutations([2]));
    assert_eq!(failure(store, 1).await, Some(RecordRefusalCode::Refused));
}

/// `Records::update_record`, rule 2: order before size.
pub async fn an_update_is_not_folded_past_what_it_refers_to(store: &dyn RecordStore) {
    created(store, 1).await;
    create(store, 2, new_site(2)).await;
    updated(store, 3, 1, field("site", record_id(2).to_string())).await;
    assert_eq!(queued(store).await, mutations([1, 2, 3]));
    updated(store, 4, 1, field("count", 4)).await;
    assert_eq!(queued(store).await, mutations([1, 2, 3]), "this one refers to nothing new");
    assert_eq!(batch(store).await, mutations([1, 2, 3]));
}

/// Two records that refer to each other do not wait for each other.
pub async fn records_that_refer_to_each_other_are_sent(store: &dyn RecordStore) {
    let site = |n| new_site(n);
    let within = |n: u64| field("within", record_id(n).to_string());
    create(store, 1, site(1)).await;
    let mut second = site(2);
    second.fields.merge(&within(1));
    create(store, 2, second).await;
    let change = RecordChange { fields: within(2), ..super::build::change(1, within(2), super::build::moment(3)) };
    let change = RecordChange { table: super::build::table("sites"), ..change };
    store.update_record(mutation_id(3), change).await.unwrap();
    let own = NewRecord { fields: site(4).fields.with("within", record_id(4).to_string()), ..site(4) };
    create(store, 4, own).await;
    let early = NewRecord { fields: site(5).fields.with("within", record_id(6).to_string()), ..site(5) };
    create(store, 5, early).await;
    create(store, 6, site(6)).await;
    assert_eq!(batch(store).await, mutations([1, 2, 3, 4, 5, 6]));
}

/// A reference of low priority does not hold a more urgent record for long: it is raised.
pub async fn a_reference_is_never_less_urgent(store: &dyn RecordStore) {
    let low = super::build::sites().priority(Priority::Low);
    store.declare(&[super::build::visits(), low]).await.unwrap();
    create(store, 1, new_site(1)).await;
    create(store, 2, new_site(2)).await;
    create(store, 3, new_visit(3)).await;
    create(store, 4, new_visit_of(4, 2)).await;
    assert_eq!(queued(store).await, mutations([2, 3, 4, 1]));
}
