//! A person decides about dead letters and queued changes.

use super::build::{field, refusal, won};
use super::given::{
    all_places, answered, batch, counts, created, failure, loaded, place, queued, seen, state, stored, updated, visit,
};
use crate::StorageErrorKind;
use crate::conformance::{
    build::{at, mutation_id},
    given::mutations,
};
use crate::records::{RecordEntryState, RecordStore};
use fieldpost_domain::records::{RecordOutcome, RecordRefusalCode, RecordState};

/// Visit 1 is stored; changes 2, 3 and 4 of it are refused and parked behind that.
async fn parked(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, field("place", "Roof")).await;
    batch(store).await;
    updated(store, 3, 1, field("count", 3)).await;
    answered(store, 2, RecordOutcome::Refused(refusal())).await;
    updated(store, 4, 1, field("share", 0.5)).await;
}

/// `RecordQueue::retry_record`.
pub async fn a_dead_letter_is_sent_again_with_its_followers(store: &dyn RecordStore) {
    parked(store).await;
    store.retry_record(mutation_id(2)).await.unwrap();
    let waiting = RecordEntryState::Queued { failures: 0, next_at: None, last_retry: None };
    assert_eq!(state(store, 2).await, waiting);
    assert_eq!(visit(store, 1).await.state, RecordState::Queued);
    assert_eq!(batch(store).await, mutations([2, 3, 4]));
    assert_eq!(answered(store, 2, won(1, 2)).await.won, 1);
}

/// A parked change alone could not be sent.
pub async fn a_parked_change_is_retried_with_what_holds_it(store: &dyn RecordStore) {
    parked(store).await;
    store.retry_record(mutation_id(4)).await.unwrap();
    assert_eq!(batch(store).await, mutations([2, 3, 4]));
}

/// `RecordQueue::retry_record` and `RecordQueue::cancel_record`: the errors.
pub async fn only_a_dead_letter_is_retried(store: &dyn RecordStore) {
    created(store, 1).await;
    for n in [1, 77] {
        let error = store.retry_record(mutation_id(n)).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (StorageErrorKind::NotFound, "retry_record"));
    }
    let error = store.cancel_record(mutation_id(77)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::NotFound, "cancel_record"));
}

/// `RecordQueue::cancel_record`.
pub async fn a_cancelled_change_is_taken_back(store: &dyn RecordStore) {
    let before = stored(store, 1).await;
    updated(store, 2, 1, field("place", "Roof")).await;
    store.cancel_record(mutation_id(2)).await.unwrap();
    assert_eq!(visit(store, 1).await, before);

    super::given::deleted(store, 3, 1).await;
    store.cancel_record(mutation_id(3)).await.unwrap();
    assert_eq!(visit(store, 1).await, before, "a delete too");

    created(store, 4).await;
    updated(store, 5, 4, field("count", 1)).await;
    store.cancel_record(mutation_id(4)).await.unwrap();
    assert_eq!(seen(store, 4).await, None, "a create leaves with its record");
    assert!(queued(store).await.is_empty());
    assert_eq!(counts(store, 600).await, crate::records::RecordCounts::default());
}

/// One of several changes is given up: the others stay.
pub async fn a_cancelled_change_takes_no_other_along(store: &dyn RecordStore) {
    parked(store).await;
    store.cancel_record(mutation_id(3)).await.unwrap();
    assert_eq!(queued(store).await, mutations([2, 4]));
    assert_eq!(visit(store, 1).await.fields, field("place", "Roof").with("share", 0.5));
    assert_eq!(failure(store, 2).await, Some(RecordRefusalCode::Refused));
    assert_eq!(failure(store, 4).await, Some(RecordRefusalCode::AfterRefused), "what holds it is still there");
}

/// `RecordQueue::cancel_record`: what was parked behind it.
pub async fn cancelling_a_dead_letter_frees_its_followers(store: &dyn RecordStore) {
    parked(store).await;
    store.cancel_record(mutation_id(2)).await.unwrap();
    assert_eq!(place(store, 1).await, Some("Gate 1".into()));
    assert_eq!((failure(store, 3).await, failure(store, 4).await), (None, None));
    assert_eq!(batch(store).await, mutations([3, 4]));
}

/// A refused create leaves with its record and all that follows it.
pub async fn a_cancelled_create_leaves_with_its_record(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    updated(store, 2, 1, field("count", 1)).await;
    answered(store, 1, RecordOutcome::Refused(refusal())).await;
    assert_eq!(visit(store, 1).await.state, RecordState::Failed, "until then it is shown");
    store.cancel_record(mutation_id(1)).await.unwrap();
    assert!(all_places(store).await.is_empty() && queued(store).await.is_empty());
}

/// `RecordQueue::cancel_record`: what may have been carried out.
pub async fn what_may_have_been_carried_out_is_not_cancelled(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, field("place", "Roof")).await;
    batch(store).await;
    let refused = || async { store.cancel_record(mutation_id(2)).await.unwrap_err().kind() };
    assert_eq!(refused().await, StorageErrorKind::OutcomeUnknown, "under way");
    store.postpone_records(&mutations([2]), at(10)).await.unwrap();
    assert_eq!(refused().await, StorageErrorKind::OutcomeUnknown, "the answer was lost");
    store.stop_waiting().await.unwrap();
    assert_eq!(refused().await, StorageErrorKind::OutcomeUnknown);
    assert_eq!(place(store, 1).await, Some("Roof".into()));
}

/// A create whose echo was pulled, while its answer was lost, is only a change over a row.
pub async fn a_row_of_the_server_stays_when_its_create_is_cancelled(store: &dyn RecordStore) {
    loaded(store, vec![]).await;
    created(store, 1).await;
    batch(store).await;
    super::given::pulled(store, vec![super::build::row(1, 1)]).await;
    updated(store, 2, 1, field("count", 2)).await;
    answered(store, 1, RecordOutcome::Refused(refusal())).await;
    store.cancel_record(mutation_id(1)).await.unwrap();
    assert_eq!(visit(store, 1).await.fields, field("place", "Place 1").with("count", 2));
    assert_eq!(batch(store).await, mutations([2]), "what follows it stays");
}
