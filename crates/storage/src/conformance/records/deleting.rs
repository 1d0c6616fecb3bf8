//! Deleting records.

use super::build::{everything, field, immediate, moment, record_id, row_with, table, won, won_deleted};
use super::given::{
    all_places, answered, batch, conflicts, created, deleted, loaded, place, pulled, queue, queued, seen, stored,
    taken, updated,
};
use crate::StorageErrorKind;
use crate::conformance::{
    build::{at, mutation_id},
    given::mutations,
};
use crate::records::RecordStore;
use fieldpost_domain::records::{Fields, RecordOperation, RecordOutcome};

/// `Records::delete_record`.
pub async fn a_deleted_record_is_no_longer_shown(store: &dyn RecordStore) {
    stored(store, 1).await;
    deleted(store, 2, 1).await;

    assert_eq!(seen(store, 1).await, None);
    assert!(all_places(store).await.is_empty());
    assert_eq!(store.count_records(&table("visits")).await.unwrap(), 0);
    let sent = taken(store, everything()).await.remove(0);
    assert_eq!((sent.id, sent.operation, sent.fields), (mutation_id(2), RecordOperation::Delete, Fields::new()));
    assert_eq!(sent.modified_at, moment(2));
    let change = super::build::change(1, field("place", "Roof"), moment(3));
    let error = store.update_record(mutation_id(3), change).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
}

/// `Records::delete_record`, rule 1.
pub async fn deleting_what_was_never_sent_leaves_nothing(store: &dyn RecordStore) {
    created(store, 1).await;
    updated(store, 2, 1, field("count", 2)).await;
    deleted(store, 3, 1).await;
    assert!(queue(store).await.is_empty() && all_places(store).await.is_empty());

    created(store, 4).await;
    batch(store).await;
    answered(store, 4, RecordOutcome::Refused(super::build::refusal())).await;
    updated(store, 5, 4, field("count", 2)).await;
    deleted(store, 6, 4).await;
    assert!(queue(store).await.is_empty() && all_places(store).await.is_empty(), "a refused create never was");
    created(store, 4).await;
    assert_eq!(place(store, 4).await, Some("Gate 4".into()), "nothing of it is remembered");
}

/// What may have arrived must be deleted there.
pub async fn deleting_what_may_have_arrived_is_sent(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    deleted(store, 2, 1).await;
    assert_eq!(queued(store).await, mutations([1, 2]));
    answered(store, 1, won(1, 1)).await;
    assert_eq!(seen(store, 1).await, None, "it stays deleted here");
    assert_eq!(batch(store).await, mutations([2]));
}

/// `Records::delete_record`, rule 2.
pub async fn deleting_twice_is_one_delete(store: &dyn RecordStore) {
    stored(store, 1).await;
    deleted(store, 2, 1).await;
    deleted(store, 3, 1).await;
    deleted(store, 4, 9).await;
    assert_eq!(queued(store).await, mutations([2]));
}

/// `Records::delete_record`, rule 3.
pub async fn a_delete_replaces_what_was_never_sent(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, field("count", 2)).await;
    batch(store).await;
    updated(store, 3, 1, field("count", 3)).await;
    deleted(store, 4, 1).await;
    assert_eq!(queued(store).await, mutations([2, 4]), "what is under way stays before it");

    stored(store, 5).await;
    updated(store, 6, 5, field("count", 2)).await;
    batch(store).await;
    answered(store, 6, RecordOutcome::Refused(super::build::refusal())).await;
    deleted(store, 7, 5).await;
    assert_eq!(queued(store).await, mutations([2, 4, 7]));
    assert_eq!(batch(store).await, mutations([7]), "no dead letter holds it");
}

/// `Records::delete_record`, rule 4.
pub async fn deleting_an_immediate_record_is_immediate(store: &dyn RecordStore) {
    loaded(store, vec![row_with(1, 1, field("urgent", true))]).await;
    deleted(store, 2, 1).await;
    assert_eq!(taken(store, immediate()).await.len(), 1);
}

/// `RecordQueue::settle_records`, rule 1: without a version.
pub async fn a_won_delete_is_final(store: &dyn RecordStore) {
    stored(store, 1).await;
    deleted(store, 2, 1).await;
    batch(store).await;
    assert_eq!(answered(store, 2, won_deleted(1)).await.won, 1);

    assert_eq!(seen(store, 1).await, None);
    assert!(queue(store).await.is_empty() && conflicts(store).await.is_empty());
    pulled(store, vec![super::build::row(1, 1)]).await;
    assert_eq!(seen(store, 1).await, None, "a page from before does not bring it back");
    pulled(store, vec![super::build::row(1, 3)]).await;
    assert_eq!(place(store, 1).await, Some("Place 1".into()), "somebody brought it back");
}

/// A deleted record stays deleted while a newer row is pulled.
pub async fn a_queued_delete_hides_a_pulled_row(store: &dyn RecordStore) {
    stored(store, 1).await;
    deleted(store, 2, 1).await;
    pulled(store, vec![super::build::row(1, 5)]).await;
    assert_eq!(seen(store, 1).await, None);
    store.cancel_record(mutation_id(2)).await.unwrap();
    assert_eq!(place(store, 1).await, Some("Place 1".into()), "taken back, the newest row is shown");
}

/// The record was created here, and deleted by somebody before the answer came.
pub async fn a_create_of_what_was_deleted_since_leaves(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    answered(store, 1, won_deleted(1)).await;
    assert_eq!(seen(store, 1).await, None);
    assert!(queue(store).await.is_empty());
    let error =
        store.delete_record(mutation_id(2), table("tools"), record_id(1), super::build::moment(1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
    assert_eq!(store.last_record_change().await.unwrap(), None);
    assert_eq!(store.record_counts(at(1)).await.unwrap().pending, 0);
}
