//! The audit log.

use super::build::{audit_entry, audit_id, moment, record_id, table};
use super::given::{changes_of, counts, ready};
use super::{Phone, RecordDevice};
use crate::conformance::build::iris;
use crate::records::{AUDIT_LIMIT, AuditCounts, CONTEXT_LIMIT, RecordStore};
use crate::{ChangeSet, StorageErrorKind};
use fieldpost_domain::{
    Changes,
    records::{AuditEntry, AuditOperation, NewAuditEntry},
};

async fn read(store: &dyn RecordStore, n: u64) {
    store.audit(vec![audit_entry(n)]).await.unwrap();
}

async fn ids(store: &dyn RecordStore, limit: u32) -> Vec<fieldpost_domain::AuditId> {
    store.next_audit(limit).await.unwrap().into_iter().map(|entry| entry.id).collect()
}

/// `AuditLog::audit`, rule 1.
pub async fn nothing_is_audited_without_an_owner(device: &dyn RecordDevice) {
    let Phone { store, records } = device.open().await;
    records.declare(&super::build::tables()).await.unwrap();
    read(&*records, 1).await;
    assert_eq!(records.audit_counts().await.unwrap(), AuditCounts::default());
    store.claim(iris().id).await.unwrap();
    read(&*records, 2).await;
    assert_eq!(ids(&*records, 9).await, [audit_id(2)], "an app that keeps its session itself has an owner");
}

/// `AuditLog::audit`, rule 2.
pub async fn an_entry_has_the_names_of_the_server(store: &dyn RecordStore) {
    read(store, 1).await;
    let entry = AuditEntry {
        id: audit_id(1),
        person_id: iris().id,
        table: table("crew_visits"),
        record_id: record_id(1),
        operation: AuditOperation::Read,
        context: Some("the list".to_owned()),
        at: moment(1),
        ahead_micros: None,
    };
    assert_eq!(store.next_audit(9).await.unwrap(), [entry]);
    let unknown = NewAuditEntry { table: table("tools"), ..audit_entry(3) };
    let error = store.audit(vec![audit_entry(2), unknown]).await;
    assert_eq!(error.unwrap_err().kind(), StorageErrorKind::NotFound);
    assert_eq!(ids(store, 9).await, [audit_id(1)], "all entries of a call, or none");
}

/// `AuditLog::next_audit` and `AuditLog::audited`.
pub async fn entries_stay_until_the_server_has_them(store: &dyn RecordStore) {
    for n in [3, 1, 2] {
        read(store, n).await;
    }
    assert_eq!(ids(store, 2).await, [audit_id(3), audit_id(1)], "the oldest first, by the order of recording");
    assert_eq!(ids(store, 2).await, [audit_id(3), audit_id(1)]);
    store.audited(&[audit_id(1), audit_id(77)]).await.unwrap();
    assert_eq!(ids(store, 9).await, [audit_id(3), audit_id(2)]);
    assert!(ids(store, 0).await.is_empty());
    assert_eq!(store.audit_counts().await.unwrap(), AuditCounts { pending: 2, dropped: 0 });
}

/// `AuditLog::audit`, rule 3.
pub async fn a_full_audit_log_drops_the_oldest_and_counts_them(store: &dyn RecordStore) {
    let all = AUDIT_LIMIT as u64 + 2;
    store.audit((1..all).map(audit_entry).collect()).await.unwrap();
    assert_eq!(store.audit_counts().await.unwrap(), AuditCounts { pending: AUDIT_LIMIT as u64, dropped: 1 });
    read(store, all).await;
    assert_eq!(store.audit_counts().await.unwrap(), AuditCounts { pending: AUDIT_LIMIT as u64, dropped: 2 });
    assert_eq!(ids(store, 2).await, [audit_id(3), audit_id(4)]);
    assert_eq!(ids(store, u32::MAX).await.last(), Some(&audit_id(all)));
    assert_eq!(counts(store, 600).await.pending, 0, "it counts for nothing else");
}

/// `AuditLog::audit`, rule 4.
pub async fn an_entry_is_never_refused(store: &dyn RecordStore) {
    let long = "ü".repeat(CONTEXT_LIMIT + 1);
    let audit = |context| async move {
        let entry = NewAuditEntry { operation: AuditOperation::Update, context, ..audit_entry(1) };
        store.audit(vec![entry]).await.unwrap();
    };
    audit(Some(long)).await;
    let again = changes_of(store, audit(None)).await;
    assert_eq!(again, ChangeSet::nothing(), "the same id again adds nothing");
    let entry = store.next_audit(9).await.unwrap().remove(0);
    assert_eq!(entry.context, Some("ü".repeat(CONTEXT_LIMIT)));
    assert_eq!(entry.operation, AuditOperation::Update);
}

/// The log survives a restart and goes with a wipe.
pub async fn entries_survive_a_restart(device: &dyn RecordDevice) {
    let phone = device.open().await;
    ready(&phone).await;
    read(&*phone.records, 1).await;
    phone.store.close().await.unwrap();
    let again = device.open().await;
    assert_eq!(ids(&*again.records, 9).await, [audit_id(1)]);
    again.store.wipe().await.unwrap();
    crate::conformance::given::loaded(&*again.store, Changes::default()).await;
    assert_eq!(again.records.audit_counts().await.unwrap(), AuditCounts::default());
}
