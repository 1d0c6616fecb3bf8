//! Results of changes.

use super::build::{field, record_id, refusal, result, row_with, won};
use super::given::{
    answered, batch, conflicts, counts, created, failure, loaded, place, pulled, queue, queued, seen, settled, stored,
    updated, visit,
};
use crate::StorageErrorKind;
use crate::conformance::{
    build::{at, mutation_id},
    given::mutations,
};
use crate::records::{RecordSettleReport, RecordStore};
use fieldpost_domain::records::{Fields, RecordConflict, RecordOutcome, RecordRefusalCode, RecordState};

/// `RecordQueue::settle_records`, rule 1.
pub async fn a_won_create_writes_the_server_id_back(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    let report = answered(store, 1, won(1, 4)).await;

    assert_eq!(report, RecordSettleReport { won: 1, ..RecordSettleReport::default() });
    let stored = visit(store, 1).await;
    assert_eq!((stored.server_id, stored.version.get()), (Some(record_id(1)), 4));
    assert_eq!((stored.created_at, stored.modified_at), (at(1), at(300)), "the time is the server's");
    assert_eq!((stored.state, &stored.fields), (RecordState::Synced, &field("place", "Gate 1")));
    assert!(queue(store).await.is_empty());
    assert_eq!(counts(store, 600).await, crate::records::RecordCounts::default());
}

/// A won update is the server's row from now on; what is queued behind it stays visible.
pub async fn a_won_update_stays_when_a_later_one_is_taken_back(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, field("place", "Roof")).await;
    batch(store).await;
    updated(store, 3, 1, field("place", "Cellar")).await;
    answered(store, 2, won(1, 2)).await;

    assert_eq!(place(store, 1).await, Some("Cellar".into()));
    assert_eq!(visit(store, 1).await.state, RecordState::Queued);
    store.cancel_record(mutation_id(3)).await.unwrap();
    assert_eq!(place(store, 1).await, Some("Roof".into()));
    assert_eq!((visit(store, 1).await.version.get(), visit(store, 1).await.state), (2, RecordState::Synced));
}

/// `RecordQueue::settle_records`, rule 1: a pulled row that is as new or newer.
pub async fn a_late_answer_does_not_undo_a_pulled_row(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, field("place", "Roof")).await;
    batch(store).await;
    pulled(store, vec![row_with(1, 3, field("place", "Theirs"))]).await;
    assert_eq!(place(store, 1).await, Some("Roof".into()), "the queued change is shown until it is answered");
    answered(store, 2, won(1, 2)).await;
    assert_eq!(place(store, 1).await, Some("Theirs".into()), "theirs was written after ours");
    assert_eq!((visit(store, 1).await.version.get(), visit(store, 1).await.modified_at), (3, at(203)));
}

/// `RecordQueue::settle_records`, rule 3.
pub async fn a_lost_update_shows_the_winner_and_is_kept(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, Fields::new().with("place", "Ours").with("count", 1)).await;
    batch(store).await;
    updated(store, 3, 1, field("count", 7)).await;
    let winner = Box::new(row_with(1, 5, field("place", "Theirs").with("share", 0.5)));
    let report = answered(store, 2, RecordOutcome::Lost { winner }).await;

    assert_eq!(report, RecordSettleReport { lost: 1, ..RecordSettleReport::default() });
    let shown = visit(store, 1).await;
    assert_eq!(
        shown.fields,
        field("place", "Theirs").with("share", 0.5).with("count", 7),
        "what is queued lies over it"
    );
    let conflict = RecordConflict {
        mutation_id: mutation_id(2),
        table: super::build::table("visits"),
        record_id: record_id(1),
        lost: Fields::new().with("place", "Ours").with("count", 1),
        lost_modified_at: at(2),
        won: Fields::new().with("place", "Theirs").with("count", serde_json::Value::Null),
        won_modified_at: at(205),
        noticed_at: at(500),
    };
    assert_eq!(conflicts(store).await, [conflict]);
    assert_eq!((counts(store, 600).await.conflicts, counts(store, 600).await.pending), (1, 1));
    assert_eq!(batch(store).await, mutations([3]));
}

/// `RecordQueue::settle_records`, rule 3: nothing was lost.
pub async fn a_lost_change_to_the_same_values_is_no_conflict(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, Fields::new().with("place", "Roof").with("share", 2)).await;
    batch(store).await;
    let winner = Box::new(row_with(1, 5, field("place", "Roof").with("share", 2)));
    assert_eq!(answered(store, 2, RecordOutcome::Lost { winner }).await.lost, 1);
    assert!(conflicts(store).await.is_empty());
    assert_eq!(visit(store, 1).await.version.get(), 5);
}

/// The winner is older than what was pulled since: the newer row stays.
pub async fn a_late_winner_does_not_undo_a_pulled_row(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, field("place", "Ours")).await;
    batch(store).await;
    pulled(store, vec![row_with(1, 6, field("place", "Newest"))]).await;
    let winner = Box::new(row_with(1, 5, field("place", "Theirs")));
    answered(store, 2, RecordOutcome::Lost { winner }).await;
    assert_eq!(place(store, 1).await, Some("Newest".into()));
    assert_eq!(conflicts(store).await[0].won, field("place", "Theirs"));
}

/// `RecordQueue::settle_records`, rule 4.
pub async fn a_missing_record_is_skipped_and_said(store: &dyn RecordStore) {
    stored(store, 1).await;
    stored(store, 4).await;
    updated(store, 2, 1, field("place", "Ours")).await;
    updated(store, 5, 4, field("count", 1)).await;
    batch(store).await;
    updated(store, 3, 1, field("count", 7)).await;
    let report = answered(store, 2, RecordOutcome::Missing).await;

    assert_eq!(report, RecordSettleReport { missing: 1, ..RecordSettleReport::default() });
    assert_eq!(seen(store, 1).await, None);
    let kept = conflicts(store).await.remove(0);
    assert_eq!((kept.mutation_id, kept.record_id), (mutation_id(2), record_id(1)));
    assert_eq!((kept.lost, kept.won), (field("place", "Ours"), Fields::new()));
    assert_eq!((kept.won_modified_at, kept.noticed_at, kept.lost_modified_at), (at(500), at(500), at(2)));
    assert_eq!(batch(store).await, mutations([3]), "later changes get answers of their own");
    answered(store, 3, RecordOutcome::Missing).await;
    assert_eq!(conflicts(store).await[0].lost, field("count", 7), "the newest first");
    assert_eq!(queued(store).await, mutations([5]), "no other record is touched");
}

/// `RecordQueue::settle_records`, rule 5.
pub async fn a_refused_change_parks_with_its_followers(store: &dyn RecordStore) {
    stored(store, 1).await;
    stored(store, 4).await;
    updated(store, 2, 1, field("place", "Ours")).await;
    updated(store, 5, 4, field("count", 1)).await;
    batch(store).await;
    updated(store, 3, 1, field("count", 7)).await;
    let report = answered(store, 2, RecordOutcome::Refused(refusal())).await;

    assert_eq!(report, RecordSettleReport { failed: 2, ..RecordSettleReport::default() });
    assert_eq!(failure(store, 2).await, Some(RecordRefusalCode::Refused));
    assert_eq!(failure(store, 3).await, Some(RecordRefusalCode::AfterRefused));
    let shown = visit(store, 1).await;
    assert_eq!((shown.state, shown.fields.get("place")), (RecordState::Failed, Some(&"Ours".into())));
    let sizes = counts(store, 600).await;
    assert_eq!((sizes.failed, sizes.pending, sizes.next_at), (2, 1, None));
    assert_eq!(answered(store, 5, won(4, 2)).await.won, 1, "no other record is touched");
    assert!(batch(store).await.is_empty());
}

/// The server refuses the followers in the same answer: each is counted once.
pub async fn a_batch_that_is_refused_counts_each_change_once(store: &dyn RecordStore) {
    stored(store, 1).await;
    updated(store, 2, 1, field("place", "Ours")).await;
    batch(store).await;
    store.postpone_records(&mutations([2]), at(1)).await.unwrap();
    updated(store, 3, 1, field("count", 7)).await;
    assert_eq!(batch(store).await, mutations([2, 3]));
    let after = fieldpost_domain::records::RecordRefusal { code: RecordRefusalCode::AfterRefused, detail: None };
    let results = [result(2, RecordOutcome::Refused(refusal())), result(3, RecordOutcome::Refused(after))];
    assert_eq!(settled(store, &results).await.failed, 2);
    store.cancel_record(mutation_id(3)).await.unwrap();
    store.cancel_record(mutation_id(2)).await.unwrap();
    assert_eq!(visit(store, 1).await.state, RecordState::Synced);
}

/// `RecordQueue::settle_records`, rule 7.
pub async fn a_late_result_changes_nothing(store: &dyn RecordStore) {
    let before = stored(store, 1).await;
    let winner = Box::new(row_with(1, 9, field("place", "Theirs")));
    let late = [
        result(1, won(1, 7)),
        result(77, RecordOutcome::Missing),
        result(78, RecordOutcome::Lost { winner }),
        result(79, RecordOutcome::Refused(refusal())),
    ];
    let report = settled(store, &late).await;
    assert_eq!(report, RecordSettleReport { unknown: 4, ..RecordSettleReport::default() });
    assert_eq!(visit(store, 1).await, before);
    assert!(conflicts(store).await.is_empty());
}

/// Results of one answer are independent, and come in any order.
pub async fn results_of_a_batch_are_independent(store: &dyn RecordStore) {
    loaded(store, (1..=4).map(|n| super::build::row(n, 1)).collect()).await;
    for n in 1..=4 {
        updated(store, n, n, field("place", "Ours")).await;
    }
    batch(store).await;
    let winner = Box::new(super::build::row(2, 5));
    let results = [
        result(4, RecordOutcome::Retry(fieldpost_domain::RetryCode::Conflict)),
        result(3, RecordOutcome::Refused(refusal())),
        result(2, RecordOutcome::Lost { winner }),
        result(1, won(1, 2)),
    ];
    let report = settled(store, &results).await;
    assert_eq!((report.won, report.lost, report.failed, report.retrying), (1, 1, 1, 1));
    assert_eq!(queued(store).await, mutations([3, 4]));
}

/// The server has no such column: the value stays here.
pub async fn what_the_server_ignored_stays_here(store: &dyn RecordStore) {
    created(store, 1).await;
    updated(store, 2, 1, field("share", 0.5)).await;
    batch(store).await;
    let ignored = vec!["share".to_owned()];
    settled(store, &[fieldpost_domain::records::RecordResult { ignored, ..result(1, won(1, 1)) }]).await;
    assert_eq!(visit(store, 1).await.fields.get("share"), Some(&0.5.into()));
    pulled(store, vec![super::build::row(1, 2)]).await;
    assert_eq!(visit(store, 1).await.fields, field("place", "Place 1").with("share", 0.5), "a row does not name it");
    let error = store.retry_record(mutation_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
}
