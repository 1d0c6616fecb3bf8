//! Conflicts: changes that lost.

use super::build::{field, moment, row_with, table, tombstone};
use super::given::{answered, batch, buried, conflicts, counts, loaded, place, queue, queued, stored, updated, visit};
use crate::StorageErrorKind;
use crate::conformance::{build::mutation_id, given::mutations};
use crate::records::RecordStore;
use fieldpost_domain::records::{Fields, RecordOutcome};

/// Iris has changed the place of visit 1 and the count of visit 2, and both lost.
async fn two_lost(store: &dyn RecordStore) {
    loaded(store, vec![super::build::row(1, 1), super::build::row(2, 1)]).await;
    updated(store, 1, 1, field("place", "Ours")).await;
    updated(store, 2, 2, field("count", 2)).await;
    batch(store).await;
    for n in [1, 2] {
        let winner = Box::new(row_with(n, 2, field("place", "Theirs")));
        answered(store, n, RecordOutcome::Lost { winner }).await;
    }
}

/// `Records::record_conflicts` and `Records::dismiss_record_conflict`.
pub async fn a_lost_change_stays_until_a_person_has_decided(store: &dyn RecordStore) {
    two_lost(store).await;
    let ids: Vec<_> = conflicts(store).await.into_iter().map(|it| it.mutation_id).collect();
    assert_eq!(ids, mutations([2, 1]), "the newest first");

    assert!(store.dismiss_record_conflict(mutation_id(2)).await.unwrap());
    assert!(!store.dismiss_record_conflict(mutation_id(2)).await.unwrap());
    assert!(!store.dismiss_record_conflict(mutation_id(77)).await.unwrap());

    assert_eq!((conflicts(store).await.len(), counts(store, 600).await.conflicts), (1, 1));
    assert_eq!(place(store, 2).await, Some("Theirs".into()));
}

/// `Records::reapply_record_conflict`.
pub async fn a_lost_change_can_be_applied_again(store: &dyn RecordStore) {
    two_lost(store).await;
    let record = store.reapply_record_conflict(mutation_id(1), mutation_id(9), moment(600)).await.unwrap();

    assert_eq!(record, visit(store, 1).await);
    assert_eq!(place(store, 1).await, Some("Ours".into()));
    assert_eq!(conflicts(store).await.len(), 1);
    let entry = queue(store).await.remove(0);
    assert_eq!((entry.mutation_id, entry.fields), (mutation_id(9), field("place", "Ours")));
    assert_eq!(entry.recorded_at, moment(600).at, "it was decided now");
}

/// `Records::reapply_record_conflict`: the errors.
pub async fn a_lost_change_of_a_record_that_is_gone_cannot_be_applied(store: &dyn RecordStore) {
    two_lost(store).await;
    buried(store, vec![tombstone(1, 3)]).await;
    for lost in [1, 77] {
        let again = store.reapply_record_conflict(mutation_id(lost), mutation_id(9), moment(600)).await;
        assert_eq!(again.unwrap_err().kind(), StorageErrorKind::NotFound);
    }
    assert_eq!(conflicts(store).await.len(), 2, "the conflict stays");
    assert!(queue(store).await.is_empty());
}

/// What was lost and is what the record says by now needs no change.
pub async fn applying_what_is_shown_already_only_dismisses(store: &dyn RecordStore) {
    two_lost(store).await;
    super::given::pulled(store, vec![row_with(1, 3, field("place", "Ours"))]).await;
    store.reapply_record_conflict(mutation_id(1), mutation_id(9), moment(600)).await.unwrap();
    assert!(queued(store).await.is_empty());
    assert_eq!(conflicts(store).await.len(), 1);
}

/// A column of the lost change may be undeclared by now.
pub async fn a_lost_change_is_applied_as_far_as_it_is_declared(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, Fields::new().with("place", "Ours").with("count", 2)).await;
    batch(store).await;
    let winner = Box::new(super::build::row(1, 5));
    answered(store, 2, RecordOutcome::Lost { winner }).await;
    let mut narrow = super::build::visits();
    narrow.columns.retain(|column| column.name.as_str() != "count");
    store.declare(&[narrow, super::build::sites()]).await.unwrap();
    let record = store.reapply_record_conflict(mutation_id(2), mutation_id(9), moment(600)).await.unwrap();
    assert_eq!(record.fields, field("place", "Ours"));
    assert_eq!(store.count_records(&table("visits")).await.unwrap(), 1);
}
