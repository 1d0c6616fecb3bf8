//! The server has a record under another id.

use super::build::{
    all_visits, audit_entry, change, column, everything, field, moment, new_site, new_visit_of, record_id, row,
    row_with, site_row, table, won,
};
use super::given::{
    all_places, answered, batch, conflicts, create, created, deleted, loaded, places, pulled, queue, seen, taken,
    updated, visit,
};
use super::{RecordDevice, given::ready};
use crate::conformance::{
    build::{at, mutation_id},
    given::mutations,
};
use crate::records::{RecordSettleReport, RecordStore};
use fieldpost_domain::records::{Comparison, RecordOutcome, RecordRow, RecordState};

/// `RecordQueue::settle_records`, rule 2.
pub async fn another_server_id_re_keys_the_record(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    updated(store, 2, 1, field("count", 2)).await;
    let report = answered(store, 1, won(8, 1)).await;

    let rekeyed = vec![(record_id(1), record_id(8))];
    assert_eq!(report, RecordSettleReport { won: 1, rekeyed, ..RecordSettleReport::default() });
    let shown = visit(store, 8).await;
    assert_eq!((shown.id, shown.server_id, shown.state), (record_id(8), Some(record_id(8)), RecordState::Queued));
    assert_eq!(visit(store, 1).await, shown, "the former id still finds it");
    assert_eq!(all_places(store).await, ["Gate 1"]);
    let sent = taken(store, everything()).await.remove(0);
    assert_eq!((sent.id, sent.record_id, sent.fields), (mutation_id(2), record_id(8), field("count", 2)));
}

/// References follow: in rows, in queued changes, and in what comes later with the former id.
pub async fn references_follow_a_re_keyed_record(store: &dyn RecordStore) {
    let of = |n: u64| record_id(n).to_string();
    create(store, 1, new_site(1)).await;
    batch(store).await;
    pulled(store, vec![row_with(2, 1, field("site", of(1)))]).await;
    create(store, 3, new_visit_of(3, 1)).await;
    pulled(store, vec![row(4, 1)]).await;
    updated(store, 5, 4, field("site", of(1))).await;
    answered(store, 1, won(8, 1)).await;

    for n in [2, 3, 4] {
        assert_eq!(visit(store, n).await.fields.get("site"), Some(&of(8).into()), "visit {n}");
    }
    let sent: Vec<_> = taken(store, everything()).await.into_iter().map(|it| it.fields).collect();
    assert!(sent.iter().all(|fields| fields.get("site") == Some(&of(8).into())), "{sent:?}");
    create(store, 6, new_visit_of(6, 1)).await;
    assert_eq!(visit(store, 6).await.fields.get("site"), Some(&of(8).into()));
    for id in [1, 8] {
        let query = all_visits().filter(column("site"), Comparison::Is, of(id));
        assert_eq!(places(store, &query).await.len(), 4, "asked by id {id}");
    }
    assert!(updated(store, 7, 6, field("site", of(1))).await.fields == visit(store, 6).await.fields);
    assert_eq!(queue(store).await.len(), 3, "the former id is the same record");
}

/// Every method takes the former id.
pub async fn the_former_id_works_everywhere(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    answered(store, 1, won(8, 1)).await;
    updated(store, 2, 1, field("place", "Roof")).await;
    assert_eq!(visit(store, 8).await.fields, field("place", "Roof"));
    let query = all_visits().filter(column("id"), Comparison::Is, record_id(1).to_string());
    assert_eq!(places(store, &query).await, ["Roof"]);
    store.audit(vec![audit_entry(1)]).await.unwrap();
    assert_eq!(store.next_audit(9).await.unwrap()[0].record_id, record_id(8));
    assert_eq!(create(store, 3, super::build::new_visit(1)).await.id, record_id(8), "it is not created again");
    deleted(store, 4, 1).await;
    assert_eq!(seen(store, 8).await, None);
}

/// What waits in the audit log, and what was lost, belong to the record.
pub async fn conflicts_and_audit_entries_follow_a_re_keyed_record(store: &dyn RecordStore) {
    created(store, 1).await;
    store.audit(vec![audit_entry(1)]).await.unwrap();
    batch(store).await;
    updated(store, 2, 1, field("place", "Ours")).await;
    store.postpone_records(&mutations([1]), at(1)).await.unwrap();
    batch(store).await;
    let winner = Box::new(RecordRow { client_id: Some(record_id(1)), ..row(8, 4) });
    let report = answered(store, 2, RecordOutcome::Lost { winner }).await;
    assert_eq!(report.rekeyed, [(record_id(1), record_id(8))]);
    assert_eq!(conflicts(store).await[0].record_id, record_id(8));
    assert_eq!(store.next_audit(9).await.unwrap()[0].record_id, record_id(8));
    assert_eq!(answered(store, 1, won(8, 4)).await.rekeyed, []);
    pulled(store, vec![RecordRow { client_id: Some(record_id(8)), ..row(9, 5) }]).await;
    assert_eq!(conflicts(store).await[0].record_id, record_id(9), "also one that was there before");
}

/// Both were here: the row that was pulled under the server's id, and the record that was made here.
pub async fn a_re_keyed_record_and_its_row_become_one(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    pulled(store, vec![row(8, 3)]).await;
    assert_eq!(all_places(store).await.len(), 2);
    updated(store, 2, 1, field("count", 2)).await;
    answered(store, 1, won(8, 3)).await;

    assert_eq!(all_places(store).await, ["Place 8"], "the row is the newer one");
    assert_eq!(visit(store, 1).await.fields, field("place", "Place 8").with("count", 2));
}

/// An id that was re-keyed twice leads to the last one.
pub async fn a_chain_of_ids_leads_to_the_last_one(store: &dyn RecordStore) {
    create(store, 1, new_site(1)).await;
    batch(store).await;
    answered(store, 1, won(8, 1)).await;
    create(store, 2, new_visit_of(2, 8)).await;
    pulled(store, vec![RecordRow { client_id: Some(record_id(8)), ..site_row(9, 2) }]).await;

    for id in [1, 8, 9] {
        let site = store.record(&table("sites"), record_id(id)).await.unwrap().unwrap();
        assert_eq!(site.id, record_id(9), "asked by id {id}");
    }
    assert_eq!(visit(store, 2).await.fields.get("site"), Some(&record_id(9).to_string().into()));
    assert_eq!(store.count_records(&table("sites")).await.unwrap(), 1);
}

/// A re-keyed id survives a restart, and another process knows it at once.
pub async fn a_former_id_survives_a_restart(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    let other = device.open().await;
    loaded(&*phone.records, vec![]).await;
    created(&*phone.records, 1).await;
    batch(&*phone.records).await;
    answered(&*phone.records, 1, won(8, 1)).await;
    let changed = change(1, field("place", "Roof"), moment(5));
    assert_eq!(other.records.update_record(mutation_id(5), changed).await.unwrap().id, record_id(8));
    phone.store.close().await.unwrap();
    other.store.close().await.unwrap();
    assert_eq!(visit(&*device.open().await.records, 1).await.id, record_id(8));
}
