//! Steps that stories share. A failing step fails the story.

use super::Phone;
use super::build::{
    all_visits, change, everything, load_page, moment, new_visit, page, record_id, result, table, tables,
};
use crate::conformance::build::{at, mutation_id};
use crate::records::{
    RecordApplyReport, RecordBatch, RecordCounts, RecordEntryState, RecordQueueEntry, RecordSettleReport, RecordStore,
};
use crate::{ChangeSet, StorageError, Turn};
use fieldpost_domain::{
    Changes, MutationId,
    records::{
        FieldError, Fields, NewRecord, Record, RecordConflict, RecordMutation, RecordOutcome, RecordPage, RecordQuery,
        RecordRefusalCode, RecordResult, RecordRow, RecordTombstone,
    },
};

/// Iris has signed in and synced her messages, so that her org is known; both tables are declared.
pub async fn ready(phone: &Phone) {
    crate::conformance::given::loaded(&*phone.store, Changes::default()).await;
    phone.records.declare(&tables()).await.unwrap();
}

/// The error says what is wrong with which field, so that an app can show it.
pub fn names_the_field(error: &StorageError) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<FieldError>())
}

/// Iris creates visit number `n` with mutation number `n`.
pub async fn created(store: &dyn RecordStore, n: u64) -> Record {
    create(store, n, new_visit(n)).await
}

/// Iris creates a record with mutation number `mutation`.
pub async fn create(store: &dyn RecordStore, mutation: u64, new: NewRecord) -> Record {
    store.create_record(mutation_id(mutation), new).await.unwrap()
}

/// Iris changes visit number `n` with mutation number `mutation`, at the second `mutation`.
pub async fn updated(store: &dyn RecordStore, mutation: u64, n: u64, fields: Fields) -> Record {
    store.update_record(mutation_id(mutation), change(n, fields, moment(mutation))).await.unwrap()
}

/// Iris deletes visit number `n` with mutation number `mutation`.
pub async fn deleted(store: &dyn RecordStore, mutation: u64, n: u64) {
    store.delete_record(mutation_id(mutation), table("visits"), record_id(n), moment(mutation)).await.unwrap();
}

/// The changes of the next batch.
pub async fn taken(store: &dyn RecordStore, batch: RecordBatch) -> Vec<RecordMutation> {
    store.next_records(batch).await.unwrap()
}

/// The ids of the next batch with everything.
pub async fn batch(store: &dyn RecordStore) -> Vec<MutationId> {
    ids(taken(store, everything()).await)
}

/// Only the ids.
#[must_use]
pub fn ids(mutations: Vec<RecordMutation>) -> Vec<MutationId> {
    mutations.into_iter().map(|mutation| mutation.id).collect()
}

/// The server answers mutation number `n`, at the second 500.
pub async fn answered(store: &dyn RecordStore, n: u64, outcome: RecordOutcome) -> RecordSettleReport {
    settled(store, &[result(n, outcome)]).await
}

/// The server answers, at the second 500.
pub async fn settled(store: &dyn RecordStore, results: &[RecordResult]) -> RecordSettleReport {
    store.settle_records(results, at(500)).await.unwrap()
}

/// Visit number `n` was created here, with mutation number `n`, and the server has it at version 1.
pub async fn stored(store: &dyn RecordStore, n: u64) -> Record {
    created(store, n).await;
    batch(store).await;
    answered(store, n, super::build::won(n, 1)).await;
    visit(store, n).await
}

/// A first load of one page; the cursor is `0` then.
pub async fn loaded(store: &dyn RecordStore, rows: Vec<RecordRow>) -> RecordApplyReport {
    store.begin_record_load().await.unwrap();
    store.apply_records(None, &load_page("0", rows)).await.unwrap()
}

/// Pulls a page at the store's cursor; the next cursor is one higher.
pub async fn pulled(store: &dyn RecordStore, rows: Vec<RecordRow>) -> RecordApplyReport {
    pulled_page(store, page("0", rows)).await
}

/// Pulls a page with tombstones.
pub async fn buried(store: &dyn RecordStore, tombstones: Vec<RecordTombstone>) -> RecordApplyReport {
    pulled_page(store, RecordPage { tombstones, ..page("0", vec![]) }).await
}

/// Pulls this page, but with the next cursor.
pub async fn pulled_page(store: &dyn RecordStore, page: RecordPage) -> RecordApplyReport {
    let from = store.record_state().await.unwrap().cursor;
    let next = from.as_ref().map_or(0, |cursor| cursor.as_str().parse::<u64>().unwrap() + 1);
    let page = RecordPage { cursor: crate::conformance::build::cursor(&next.to_string()), ..page };
    store.apply_records(from, &page).await.unwrap()
}

/// Visit number `n`, which is there.
pub async fn visit(store: &dyn RecordStore, n: u64) -> Record {
    seen(store, n).await.unwrap()
}

/// Visit number `n`, if it is there.
pub async fn seen(store: &dyn RecordStore, n: u64) -> Option<Record> {
    store.record(&table("visits"), record_id(n)).await.unwrap()
}

/// The place of visit number `n`; none if the visit is not there.
pub async fn place(store: &dyn RecordStore, n: u64) -> Option<String> {
    seen(store, n).await.and_then(|visit| Some(visit.fields.get("place")?.as_str()?.to_owned()))
}

/// The places of the visits that a query asks for.
pub async fn places(store: &dyn RecordStore, query: &RecordQuery) -> Vec<String> {
    let found = store.records(query).await.unwrap();
    found.into_iter().filter_map(|visit| Some(visit.fields.get("place")?.as_str()?.to_owned())).collect()
}

/// The places of all visits, the newest first.
pub async fn all_places(store: &dyn RecordStore) -> Vec<String> {
    places(store, &all_visits()).await
}

/// The whole queue.
pub async fn queue(store: &dyn RecordStore) -> Vec<RecordQueueEntry> {
    store.record_queue(10_000).await.unwrap()
}

/// The ids of the queue, in the order of sending.
pub async fn queued(store: &dyn RecordStore) -> Vec<MutationId> {
    queue(store).await.into_iter().map(|entry| entry.mutation_id).collect()
}

/// The state of mutation number `n`, which is in the queue.
pub async fn state(store: &dyn RecordStore, n: u64) -> RecordEntryState {
    let queue = queue(store).await;
    queue.into_iter().find(|entry| entry.mutation_id == mutation_id(n)).unwrap().state
}

/// Why mutation number `n` is a dead letter; none if it is not.
pub async fn failure(store: &dyn RecordStore, n: u64) -> Option<RecordRefusalCode> {
    match state(store, n).await {
        RecordEntryState::Failed(refusal) => Some(refusal.code),
        _ => None,
    }
}

/// The sizes of the queue at the second `seconds`.
pub async fn counts(store: &dyn RecordStore, seconds: u64) -> RecordCounts {
    store.record_counts(at(seconds)).await.unwrap()
}

/// The conflicts, the newest first.
pub async fn conflicts(store: &dyn RecordStore) -> Vec<RecordConflict> {
    store.record_conflicts().await.unwrap()
}

/// The turn to sync records, if it is free.
pub async fn turn(store: &dyn RecordStore) -> Option<Turn> {
    store.try_record_turn().await.unwrap()
}

/// What a call reports as changed.
pub async fn changes_of<T>(store: &dyn RecordStore, call: impl Future<Output = T>) -> ChangeSet {
    let mut heard = store.record_changes();
    call.await;
    heard.take()
}
