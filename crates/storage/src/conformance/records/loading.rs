//! First loads.

use super::build::{field, load_page, row, row_with, site_row, table, won};
use super::given::{
    all_places, answered, batch, created, deleted, failure, loaded, place, pulled, queued, seen, stored, updated, visit,
};
use super::{RecordDevice, given::ready};
use crate::StorageErrorKind;
use crate::conformance::{
    build::{cursor, mutation_id},
    given::mutations,
};
use crate::records::{RecordApplyReport, RecordStore};
use fieldpost_domain::{
    ServerEpoch,
    records::{RecordOutcome, RecordPage, RecordRefusalCode, RecordState},
};

/// `RecordReplica::begin_record_load`.
pub async fn rows_stay_while_a_load_runs(store: &dyn RecordStore) {
    loaded(store, vec![row(1, 1), row(2, 1), row(3, 1)]).await;
    store.begin_record_load().await.unwrap();
    assert_eq!(store.record_state().await.unwrap().cursor, None);
    assert_eq!(all_places(store).await.len(), 3);

    let first = RecordPage { more: true, ..load_page("10", vec![row(1, 1)]) };
    store.apply_records(None, &first).await.unwrap();
    assert_eq!(all_places(store).await.len(), 3, "the load has not ended");
    let report = store.apply_records(Some(cursor("10")), &load_page("11", vec![row(4, 1)])).await.unwrap();

    assert_eq!(report, RecordApplyReport { changed: 1, removed: 2 });
    assert_eq!(all_places(store).await, ["Place 4", "Place 1"]);
    assert_eq!(store.record_state().await.unwrap().cursor, Some(cursor("11")));
    pulled_at(store, "11").await;
    assert_eq!(all_places(store).await.len(), 2, "a page of changes removes nothing");
}

async fn pulled_at(store: &dyn RecordStore, from: &str) {
    store.apply_records(Some(cursor(from)), &super::build::page("12", vec![])).await.unwrap();
}

/// `RecordReplica::apply_records`, rule 4.
pub async fn a_load_removes_what_it_did_not_name(store: &dyn RecordStore) {
    loaded(store, (1..=4).map(|n| row(n, 1)).collect()).await;
    updated(store, 5, 2, field("place", "Roof")).await;
    batch(store).await;
    updated(store, 6, 2, field("count", 1)).await;
    deleted(store, 7, 3).await;
    created(store, 8).await;
    updated(store, 9, 4, field("count", 1)).await;
    let report = loaded(store, vec![row(4, 1)]).await;

    assert_eq!(report, RecordApplyReport { changed: 1, removed: 1 }, "2 looks different, 1 has left");
    assert_eq!(seen(store, 1).await, None);
    assert_eq!((visit(store, 2).await.state, place(store, 2).await), (RecordState::Failed, Some("Roof".into())));
    assert_eq!(failure(store, 5).await, Some(RecordRefusalCode::AccessLost));
    assert_eq!(failure(store, 6).await, Some(RecordRefusalCode::AccessLost));
    assert_eq!(queued(store).await, mutations([5, 6, 8, 9]), "a delete of what is gone is done");
    assert_eq!((visit(store, 8).await.state, visit(store, 4).await.state), (RecordState::Queued, RecordState::Queued));
    assert_eq!(batch(store).await, mutations([8, 9]));
}

/// `RecordReplica::apply_records`, rule 4: a record that is kept for its dead letters leaves with them.
pub async fn an_unnamed_record_leaves_with_its_dead_letters(store: &dyn RecordStore) {
    loaded(store, vec![row(1, 1), row(2, 1)]).await;
    updated(store, 5, 1, field("place", "Roof")).await;
    batch(store).await;
    updated(store, 6, 1, field("count", 1)).await;
    updated(store, 7, 2, field("count", 1)).await;
    loaded(store, vec![]).await;

    store.cancel_record(mutation_id(5)).await.unwrap();
    assert_eq!(place(store, 1).await, Some("Place 1".into()), "one is left");
    store.cancel_record(mutation_id(6)).await.unwrap();
    assert_eq!(seen(store, 1).await, None);
    store.retry_record(mutation_id(7)).await.unwrap();
    assert_eq!(batch(store).await, mutations([7]));
    assert_eq!(answered(store, 7, won(2, 2)).await.won, 1);
    assert_eq!(visit(store, 2).await.state, RecordState::Synced, "the server has it after all");
}

/// The server's data was restored while a load ran: an answer of the history before confirms nothing.
pub async fn a_load_after_a_restore_does_not_name_what_was_won_before(store: &dyn RecordStore) {
    let of = |epoch: &str| RecordPage { epoch: Some(ServerEpoch::new(epoch)), ..load_page("0", vec![row(2, 1)]) };
    store.apply_records(None, &of("a")).await.unwrap();
    store.begin_record_load().await.unwrap();
    stored(store, 1).await;
    store.apply_records(None, &of("b")).await.unwrap();
    assert_eq!(all_places(store).await, ["Place 2"]);
}

/// What was won during the load is known to be there.
pub async fn what_was_won_during_a_load_stays(store: &dyn RecordStore) {
    loaded(store, vec![row(1, 1)]).await;
    created(store, 2).await;
    updated(store, 3, 1, field("count", 3)).await;
    store.begin_record_load().await.unwrap();
    let first = RecordPage { more: true, ..load_page("10", vec![]) };
    store.apply_records(None, &first).await.unwrap();
    batch(store).await;
    answered(store, 2, won(2, 1)).await;
    answered(store, 3, won(1, 2)).await;
    store.apply_records(Some(cursor("10")), &load_page("11", vec![])).await.unwrap();
    assert_eq!(all_places(store).await, ["Place 1", "Gate 2"]);
}

/// An older row that a load names confirms the newer one.
pub async fn an_older_row_of_a_load_confirms(store: &dyn RecordStore) {
    stored(store, 1).await;
    pulled(store, vec![row(1, 5)]).await;
    loaded(store, vec![row_with(1, 4, field("place", "Old"))]).await;
    assert_eq!(place(store, 1).await, Some("Place 1".into()));
}

/// `RecordReplica::apply_records`, rule 4: other tables.
pub async fn a_load_leaves_other_tables_alone(store: &dyn RecordStore) {
    loaded(store, vec![row(1, 1), site_row(2, 1)]).await;
    store.begin_record_load().await.unwrap();
    let page = RecordPage { unknown_tables: vec![table("crew_visits")], ..load_page("1", vec![]) };
    store.apply_records(None, &page).await.unwrap();
    assert_eq!(all_places(store).await, ["Place 1"], "the server does not offer the table now");
    assert_eq!(store.count_records(&table("sites")).await.unwrap(), 0);

    store.declare(&[super::build::sites()]).await.unwrap();
    loaded(store, vec![]).await;
    store.declare(&super::build::tables()).await.unwrap();
    assert_eq!(all_places(store).await, ["Place 1"], "the table was not declared");
}

/// A page of a load that nobody has begun begins it.
pub async fn the_first_page_begins_a_load(store: &dyn RecordStore) {
    created(store, 1).await;
    let first = RecordPage { more: true, ..load_page("10", vec![row(2, 1)]) };
    store.apply_records(None, &first).await.unwrap();
    store.apply_records(Some(cursor("10")), &load_page("11", vec![])).await.unwrap();
    assert_eq!(all_places(store).await, ["Place 2", "Gate 1"]);
}

/// A load goes on after a restart, and beside another process only one moves on.
pub async fn a_load_survives_a_restart(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    loaded(&*phone.records, vec![row(1, 1), row(2, 1)]).await;
    phone.records.begin_record_load().await.unwrap();
    let first = RecordPage { more: true, ..load_page("10", vec![row(1, 1)]) };
    phone.records.apply_records(None, &first).await.unwrap();
    let other = device.open().await;
    let again = other.records.apply_records(None, &first).await.unwrap_err();
    assert_eq!(again.kind(), StorageErrorKind::Superseded);
    phone.store.close().await.unwrap();

    other.records.apply_records(Some(cursor("10")), &load_page("11", vec![])).await.unwrap();
    assert_eq!(all_places(&*other.records).await, ["Place 1"]);
}

/// A load that was begun again counts only what it names itself.
pub async fn a_load_that_begins_again_forgets_the_one_before(store: &dyn RecordStore) {
    loaded(store, vec![row(1, 1), row(2, 1)]).await;
    store.begin_record_load().await.unwrap();
    let first = RecordPage { more: true, ..load_page("10", vec![row(1, 1)]) };
    store.apply_records(None, &first).await.unwrap();
    let report = loaded(store, vec![row(2, 1)]).await;
    assert_eq!(report.removed, 1);
    assert_eq!(all_places(store).await, ["Place 2"]);
}

/// The server had the record, and has not now: what was written here may still be sent.
pub async fn a_load_keeps_a_create_that_it_does_not_name(store: &dyn RecordStore) {
    loaded(store, vec![]).await;
    created(store, 1).await;
    batch(store).await;
    pulled(store, vec![row(1, 1)]).await;
    updated(store, 2, 1, field("count", 2)).await;
    loaded(store, vec![]).await;
    assert_eq!(visit(store, 1).await.state, RecordState::Queued);
    assert_eq!(answered(store, 1, won(1, 1)).await.won, 1);
    assert_eq!(batch(store).await, mutations([2]));
}

/// A record whose create was refused is nobody's business but this device's.
pub async fn a_load_keeps_what_only_this_device_has(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    answered(store, 1, RecordOutcome::Refused(super::build::refusal())).await;
    loaded(store, vec![]).await;
    assert_eq!(visit(store, 1).await.state, RecordState::Failed);
    assert_eq!(failure(store, 1).await, Some(RecordRefusalCode::Refused));
}
