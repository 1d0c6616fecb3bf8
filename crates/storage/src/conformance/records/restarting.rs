//! Restarts, two processes, a wipe, and another account.

use super::build::{everything, field, row, table, won};
use super::given::{
    all_places, answered, batch, conflicts, created, deleted, loaded, place, pulled, queue, queued, ready, seen,
    stored, taken, turn, updated, visit,
};
use super::{Phone, RecordDevice};
use crate::StorageErrorKind;
use crate::conformance::{
    build::{ada, cursor, direct, iris, mutation_id, session},
    given::{mutations, sent},
};
use crate::records::{RecordCounts, RecordSyncState};
use fieldpost_domain::{
    Changes,
    records::{RecordOutcome, RecordState},
};

async fn two_processes(device: &dyn RecordDevice) -> (Phone, Phone) {
    let app = device.open().await;
    ready(&app).await;
    let extension = device.open().await;
    (app, extension)
}

/// Everything survives: records, queue, conflicts, position, and what was sent.
pub async fn everything_survives_a_restart(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    let store = &*phone.records;
    loaded(store, vec![row(1, 1), row(2, 1), row(3, 1)]).await;
    updated(store, 4, 1, field("place", "Lost")).await;
    updated(store, 5, 2, field("place", "Refused")).await;
    batch(store).await;
    answered(store, 4, RecordOutcome::Lost { winner: Box::new(row(1, 2)) }).await;
    answered(store, 5, RecordOutcome::Refused(super::build::refusal())).await;
    deleted(store, 6, 3).await;
    created(store, 7).await;
    let before = (
        all_places(store).await,
        queue(store).await,
        conflicts(store).await,
        store.record_state().await.unwrap(),
        visit(store, 2).await,
        store.last_record_change().await.unwrap(),
    );
    phone.store.close().await.unwrap();

    let again = device.open().await;
    let store = &*again.records;
    let after = (
        all_places(store).await,
        queue(store).await,
        conflicts(store).await,
        store.record_state().await.unwrap(),
        visit(store, 2).await,
        store.last_record_change().await.unwrap(),
    );
    assert_eq!(after, before);
    assert_eq!(batch(store).await, mutations([6, 7]));
}

/// Two processes see each other's changes.
pub async fn two_processes_share_the_records(device: &dyn RecordDevice) {
    let (app, extension) = two_processes(device).await;
    created(&*app.records, 1).await;
    updated(&*extension.records, 2, 1, field("place", "Roof")).await;
    assert_eq!(place(&*app.records, 1).await, Some("Roof".into()));
    assert_eq!(queued(&*app.records).await, mutations([1]), "folded by the other process");
    batch(&*app.records).await;
    updated(&*extension.records, 3, 1, field("place", "Cellar")).await;
    assert_eq!(queued(&*app.records).await, mutations([1, 3]), "what is under way there is not touched");
    answered(&*app.records, 1, won(1, 1)).await;
    deleted(&*extension.records, 4, 1).await;
    assert_eq!(seen(&*app.records, 1).await, None);
}

/// One process at a time syncs records; the messages have a turn of their own.
pub async fn the_turn_of_records_is_its_own(device: &dyn RecordDevice) {
    let (app, extension) = two_processes(device).await;
    let held = turn(&*app.records).await.unwrap();
    assert!(turn(&*extension.records).await.is_none() && turn(&*app.records).await.is_none());
    let messages = extension.store.try_turn().await.unwrap();
    assert!(messages.is_some(), "messages do not wait for records");
    drop(held);
    assert!(turn(&*extension.records).await.is_some(), "nor records for messages");
    drop(messages);
}

/// A process that died during a batch: the next one with the turn sends the same again.
pub async fn the_next_process_sends_what_one_left_behind(device: &dyn RecordDevice) {
    let (app, extension) = two_processes(device).await;
    created(&*app.records, 1).await;
    let held = turn(&*app.records).await.unwrap();
    let first = taken(&*app.records, everything()).await;
    drop(held);
    let _held = turn(&*extension.records).await.unwrap();
    assert_eq!(taken(&*extension.records, everything()).await, first);
    answered(&*extension.records, 1, won(1, 1)).await;
    assert_eq!(answered(&*app.records, 1, won(1, 1)).await.unknown, 1, "the late answer changes nothing");
    assert_eq!(visit(&*app.records, 1).await.state, RecordState::Synced);
}

/// `Store::wipe`.
pub async fn a_wiped_file_has_no_records(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    let store = &*phone.records;
    stored(store, 1).await;
    loaded(store, vec![row(1, 1), row(2, 1)]).await;
    updated(store, 3, 2, field("place", "Lost")).await;
    batch(store).await;
    answered(store, 3, RecordOutcome::Lost { winner: Box::new(row(2, 2)) }).await;
    created(store, 4).await;
    store.remember_records(&Default::default(), Some(super::build::moment(1).at)).await.unwrap();
    phone.store.wipe().await.unwrap();

    assert!(store.declared().await.unwrap().is_empty());
    assert_eq!(store.record_state().await.unwrap(), RecordSyncState::default());
    assert_eq!(super::given::counts(store, 600).await, RecordCounts::default());
    assert!(conflicts(store).await.is_empty() && queue(store).await.is_empty());
    ready(&phone).await;
    assert!(all_places(store).await.is_empty());
    created(store, 1).await;
    assert_eq!(batch(store).await, mutations([1]), "the id is free again");
}

/// Another person cannot sign in to the file, and gets it after a wipe.
pub async fn another_account_needs_another_file(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    created(&*phone.records, 1).await;
    let error = phone.store.save_session(&session(&ada(), 1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::WrongAccount);
    assert_eq!(all_places(&*phone.records).await, ["Gate 1"]);
    phone.store.save_session(&session(&iris(), 2)).await.unwrap();
    phone.store.wipe().await.unwrap();
    phone.store.save_session(&session(&ada(), 1)).await.unwrap();
    phone.records.declare(&super::build::tables()).await.unwrap();
    assert_eq!(phone.records.count_records(&table("visits")).await.unwrap(), 0);
    assert!(queue(&*phone.records).await.is_empty());
}

/// Messages and records do not touch each other.
pub async fn messages_and_records_do_not_touch_each_other(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    let (store, records) = (&*phone.store, &*phone.records);
    loaded(records, vec![row(1, 1)]).await;
    let changes = Changes { conversations: vec![direct(1, 0)], ..Changes::default() };
    crate::conformance::given::pulled(store, changes).await;
    sent(store, 1, direct(1, 0).id).await;
    created(records, 2).await;

    assert_eq!(crate::conformance::given::batch(store).await, mutations([1]));
    assert_eq!(batch(records).await, mutations([2]));
    store.begin_bootstrap(crate::BootstrapReason::Reconcile).await.unwrap();
    assert_eq!(records.record_state().await.unwrap().cursor, Some(cursor("0")));
    answered(records, 2, RecordOutcome::Refused(super::build::refusal())).await;
    assert_eq!(store.counts().await.unwrap().failed, 0);
    store.cancel(mutation_id(1)).await.unwrap_err();
    assert_eq!(queued(records).await, mutations([2]));
    pulled(records, vec![row(3, 1)]).await;
    assert_eq!(all_places(records).await, ["Place 3", "Place 1", "Gate 2"]);
}
