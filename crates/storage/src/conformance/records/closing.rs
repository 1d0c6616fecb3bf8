//! Closing and pausing.

use super::build::{all_visits, audit_entry, audit_id, change, field, moment, new_visit, page, record_id, table};
use super::given::{created, place, ready};
use super::{Phone, RecordDevice};
use crate::conformance::build::{at, mutation_id};
use crate::records::{RecordMemory, RecordStore};
use crate::{StorageErrorKind, StorageResult};

fn failed<T>(operation: &str, kind: StorageErrorKind, result: StorageResult<T>) {
    let error = result.err().unwrap_or_else(|| panic!("{operation} works"));
    assert_eq!((error.kind(), error.operation()), (kind, operation));
}

async fn everything_fails(store: &dyn RecordStore, kind: StorageErrorKind) {
    let (visits, id, m) = (table("visits"), record_id(1), mutation_id(1));
    failed("declare", kind, store.declare(&[]).await);
    failed("declared", kind, store.declared().await);
    failed("create_record", kind, store.create_record(m, new_visit(1)).await);
    failed("update_record", kind, store.update_record(m, change(1, field("count", 1), moment(1))).await);
    failed("delete_record", kind, store.delete_record(m, visits.clone(), id, moment(1)).await);
    failed("record", kind, store.record(&visits, id).await);
    failed("records", kind, store.records(&all_visits()).await);
    failed("record_conflicts", kind, store.record_conflicts().await);
    failed("dismiss_record_conflict", kind, store.dismiss_record_conflict(m).await);
    failed("reapply_record_conflict", kind, store.reapply_record_conflict(m, m, moment(1)).await);
    failed("count_records", kind, store.count_records(&visits).await);
    failed("last_record_change", kind, store.last_record_change().await);
    failed("next_records", kind, store.next_records(super::build::everything()).await);
    failed("settle_records", kind, store.settle_records(&[], at(1)).await);
    failed("withdraw_records", kind, store.withdraw_records(&[m]).await);
    failed("postpone_records", kind, store.postpone_records(&[m], at(1)).await);
    failed("stop_waiting", kind, store.stop_waiting().await);
    failed("clock_measured", kind, store.clock_measured(super::build::clock(1), 1).await);
    failed("record_queue", kind, store.record_queue(1).await);
    failed("record_counts", kind, store.record_counts(at(1)).await);
    failed("retry_record", kind, store.retry_record(m).await);
    failed("cancel_record", kind, store.cancel_record(m).await);
    failed("carried_items", kind, store.carried_items().await);
    failed("remove_carried_item", kind, store.remove_carried_item("1").await);
    failed("record_state", kind, store.record_state().await);
    failed("apply_records", kind, store.apply_records(None, &page("1", vec![])).await);
    failed("begin_record_load", kind, store.begin_record_load().await);
    failed("remember_records", kind, store.remember_records(&RecordMemory::default(), None).await);
    failed("audit", kind, store.audit(vec![audit_entry(1)]).await);
    failed("next_audit", kind, store.next_audit(1).await);
    failed("audited", kind, store.audited(&[audit_id(1)]).await);
    failed("audit_counts", kind, store.audit_counts().await);
    failed("try_record_turn", kind, store.try_record_turn().await);
}

/// `Store::close`.
pub async fn a_closed_file_has_no_records(device: &dyn RecordDevice) {
    let Phone { store, records } = device.open().await;
    ready(&Phone { store: store.clone(), records: records.clone() }).await;
    let mut heard = records.record_changes();
    created(&*records, 1).await;
    store.close().await.unwrap();
    everything_fails(&*records, StorageErrorKind::Closed).await;
    assert!(heard.next().await.is_some(), "earlier commits are received");
    assert_eq!(heard.next().await, None);
}

/// `Store::pause` and `Store::resume`.
pub async fn a_paused_file_has_no_records_until_it_is_resumed(device: &dyn RecordDevice) {
    let Phone { store, records } = device.open().await;
    ready(&Phone { store: store.clone(), records: records.clone() }).await;
    created(&*records, 1).await;
    store.pause().await.unwrap();
    everything_fails(&*records, StorageErrorKind::Paused).await;
    store.resume().await.unwrap();
    assert_eq!(place(&*records, 1).await, Some("Gate 1".into()));
}

/// An error names no content.
pub async fn errors_carry_no_content(store: &dyn RecordStore) {
    let faulty = [field("place", serde_json::json!(["secret words"])), field("count", "secret words")];
    for fields in faulty {
        let new = fieldpost_domain::records::NewRecord { fields, ..new_visit(1) };
        let error = store.create_record(mutation_id(1), new).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}
