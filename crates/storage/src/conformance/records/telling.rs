//! What a commit reports as changed.

use super::build::{
    audit_entry, audit_id, field, moment, new_site, new_visit_of, record_id, row, table, tombstone, visits, won,
};
use super::given::{
    answered, batch, buried, changes_of, create, created, deleted, loaded, pulled, ready, stored, turn, updated,
};
use super::{Phone, RecordDevice};
use crate::conformance::{build::mutation_id, given::mutations};
use crate::records::{RecordMemory, RecordStore};
use crate::{ChangeSet, Touched};
use fieldpost_domain::records::RecordOutcome;

fn tables(changes: &ChangeSet) -> (bool, bool) {
    (changes.records.contains(&table("visits")), changes.records.contains(&table("sites")))
}

/// A change of a record touches its table and the queue, and nothing of the messages.
pub async fn a_change_touches_its_table(store: &dyn RecordStore) {
    for changes in [
        changes_of(store, created(store, 1)).await,
        changes_of(store, updated(store, 2, 1, field("count", 1))).await,
        changes_of(store, deleted(store, 3, 1)).await,
    ] {
        assert_eq!((tables(&changes), changes.record_queue), ((true, false), true));
        assert_eq!((changes.conversations, changes.unread, changes.outbox), (Touched::default(), false, false));
    }
}

/// Results touch what looks different.
pub async fn a_result_touches_what_looks_different(store: &dyn RecordStore) {
    create(store, 1, new_site(1)).await;
    pulled(store, vec![super::build::row_with(2, 1, field("site", record_id(1).to_string()))]).await;
    let sending = changes_of(store, batch(store)).await;
    assert!(sending.record_queue);
    let rekeyed = changes_of(store, answered(store, 1, won(8, 1))).await;
    assert_eq!(tables(&rekeyed), (true, true), "a visit refers to the site");
    stored(store, 3).await;
    updated(store, 4, 3, field("place", "Ours")).await;
    batch(store).await;
    let lost = RecordOutcome::Lost { winner: Box::new(row(3, 2)) };
    let lost = changes_of(store, answered(store, 4, lost)).await;
    assert_eq!((tables(&lost), lost.record_queue), ((true, false), true));
    let dismissed = changes_of(store, store.dismiss_record_conflict(mutation_id(4))).await;
    assert_eq!(dismissed, ChangeSet::nothing().and_record_queue());
}

/// A page touches the tables of what it changes.
pub async fn a_page_touches_what_it_changes(store: &dyn RecordStore) {
    let rows = changes_of(store, loaded(store, vec![row(1, 1)])).await;
    assert_eq!(tables(&rows), (true, false));
    let gone = changes_of(store, buried(store, vec![tombstone(1, 2)])).await;
    assert_eq!(tables(&gone), (true, false));
    pulled(store, vec![row(2, 1)]).await;
    let unnamed = changes_of(store, loaded(store, vec![])).await;
    assert_eq!(tables(&unnamed), (true, false));
}

/// What nobody can see touches nothing.
pub async fn what_changes_nothing_is_not_reported(store: &dyn RecordStore) {
    loaded(store, vec![row(1, 5)]).await;
    stored(store, 2).await;
    for changes in [
        changes_of(store, pulled(store, vec![])).await,
        changes_of(store, pulled(store, vec![row(1, 4)])).await,
        changes_of(store, buried(store, vec![tombstone(9, 1)])).await,
        changes_of(store, batch(store)).await,
        changes_of(store, answered(store, 77, RecordOutcome::Missing)).await,
        changes_of(store, store.remember_records(&RecordMemory::default(), None)).await,
        changes_of(store, store.clock_measured(super::build::clock(1), 1)).await,
        changes_of(store, updated(store, 8, 1, field("place", "Place 1"))).await,
        changes_of(store, created(store, 2)).await,
        changes_of(store, deleted(store, 9, 99)).await,
    ] {
        assert_eq!(changes, ChangeSet::nothing());
    }
}

/// Everything that the queue shows is reported.
pub async fn the_queue_is_reported(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    let calls = [
        changes_of(store, store.postpone_records(&mutations([1]), moment(1).at)).await,
        changes_of(store, store.stop_waiting()).await,
        changes_of(store, answered(store, 1, RecordOutcome::Refused(super::build::refusal()))).await,
        changes_of(store, store.retry_record(mutation_id(1))).await,
        changes_of(store, store.cancel_record(mutation_id(1))).await,
    ];
    assert!(calls.iter().all(|changes| changes.record_queue), "{calls:?}");
    let read = store.audit(vec![audit_entry(1)]);
    assert_eq!(changes_of(store, read).await, ChangeSet::nothing().and_record_queue());
    assert!(changes_of(store, store.audited(&[audit_id(1)])).await.record_queue);
}

/// A declaration shows and hides tables.
pub async fn a_declaration_touches_what_it_shows(store: &dyn RecordStore) {
    loaded(store, vec![row(1, 1)]).await;
    let hidden = changes_of(store, store.declare(&[super::build::sites()])).await;
    assert!(tables(&hidden).0);
    let shown = changes_of(store, store.declare(&[visits(), super::build::sites()])).await;
    assert!(tables(&shown).0);
}

/// What another process has written is reported at the next turn, and on request; one sender serves both sides.
pub async fn commits_of_other_processes_are_reported(device: &dyn RecordDevice) {
    let Phone { store, records } = device.open().await;
    ready(&Phone { store: store.clone(), records: records.clone() }).await;
    let other = device.open().await.records;
    let (mut heard, mut messages) = (records.record_changes(), store.changes());
    created(&*other, 1).await;
    drop(turn(&*records).await);
    let changes = heard.take();
    assert!(changes.record_queue && tables(&changes).0, "{changes:?}");
    create(&*other, 2, new_visit_of(2, 9)).await;
    store.look_again();
    assert!(tables(&heard.take()).0);
    assert!(messages.take().record_queue, "a receiver of messages hears it too");
    store.wipe().await.unwrap();
    assert!(tables(&heard.take()).0);
}
