//! A store of records that is compared before and after each of its commits: every difference must have been reported.
//!
//! As [`crate::conformance::reported`]: run the whole suite on `Reported(device)`.

use super::{Phone, RecordDevice};
use crate::records::{
    AuditCounts, AuditLog, CarriedItem, RecordApplyReport, RecordBatch, RecordCounts, RecordMemory, RecordQueue,
    RecordQueueEntry, RecordReplica, RecordSettleReport, RecordStore, RecordSyncState, Records,
};
use crate::{ChangeReceiver, ChangeSet, StorageResult, Turn};
use async_trait::async_trait;
use fieldpost_domain::{
    AuditId, Cursor, MutationId, Time,
    records::{
        AuditEntry, ClockId, DeviceTime, NewAuditEntry, NewRecord, Record, RecordChange, RecordConflict, RecordId,
        RecordMutation, RecordPage, RecordQuery, RecordResult, RecordTable, TableName,
    },
};
use std::{collections::BTreeMap, future::Future, sync::Arc};
use tokio::sync::Mutex;

/// A device whose records are watched.
#[derive(Debug)]
pub struct Reported<D>(pub D);

#[async_trait]
impl<D: RecordDevice> RecordDevice for Reported<D> {
    async fn open(&self) -> Phone {
        let Phone { store, records } = self.0.open().await;
        let heard = Mutex::new(records.record_changes());
        Phone { store, records: Arc::new(Watched { records, heard }) }
    }
}

struct Watched {
    records: Arc<dyn RecordStore>,
    /// Held for the length of a commit.
    heard: Mutex<ChangeReceiver>,
}

/// Everything that a person can see.
#[derive(PartialEq)]
struct View {
    tables: BTreeMap<TableName, Vec<Record>>,
    queue: Vec<RecordQueueEntry>,
    conflicts: Vec<RecordConflict>,
    carried: Vec<CarriedItem>,
    audit: AuditCounts,
    counts: RecordCounts,
}

const MANY: u32 = 1_000;

impl View {
    /// None of a store that cannot be read now.
    async fn of(records: &dyn RecordStore) -> Option<Self> {
        let mut tables = BTreeMap::new();
        for table in records.declared().await.ok()? {
            let shown = records.records(&RecordQuery::new(table.name.clone())).await.ok()?;
            let counted = records.count_records(&table.name).await.ok()?;
            assert_eq!(counted, shown.len() as u64, "the count of `{}` is wrong", table.name);
            tables.insert(table.name, shown);
        }
        Some(Self {
            tables,
            queue: records.record_queue(MANY).await.ok()?,
            conflicts: records.record_conflicts().await.ok()?,
            carried: records.carried_items().await.ok()?,
            audit: records.audit_counts().await.ok()?,
            counts: records.record_counts(Time::UNIX_EPOCH).await.ok()?,
        })
    }

    /// Counts that a store may keep up to date equal a recount.
    fn assert_counted(&self) {
        let failed = |entry: &&RecordQueueEntry| matches!(entry.state, crate::records::RecordEntryState::Failed(_));
        let urgent = |entry: &&RecordQueueEntry| entry.priority == fieldpost_domain::records::Priority::Immediate;
        let waiting = || self.queue.iter().filter(|entry| !failed(entry));
        let recount = RecordCounts {
            pending: waiting().count() as u64,
            immediate: waiting().filter(urgent).count() as u64,
            failed: self.queue.iter().filter(failed).count() as u64,
            conflicts: self.conflicts.len() as u64,
            carried: self.carried.len() as u64,
            next_at: self.counts.next_at,
        };
        assert_eq!(self.counts, recount, "the counts of the queue are wrong");
    }

    fn assert_reported(&self, after: &Self, reported: &ChangeSet) {
        for table in self.tables.keys().chain(after.tables.keys()) {
            let shown = |view: &'_ Self| view.tables.get(table).cloned().unwrap_or_default();
            let differs = shown(self) != shown(after);
            assert!(!differs || reported.records.contains(table), "`{table}` changed unreported");
        }
        let same_queue = self.queue == after.queue && self.conflicts == after.conflicts;
        let same_log = self.audit == after.audit && self.carried == after.carried;
        assert!((same_queue && same_log) || reported.record_queue, "the queue changed unreported");
    }
}

impl Watched {
    async fn commit<T>(&self, call: impl Future<Output = StorageResult<T>> + Send) -> StorageResult<T> {
        let mut heard = self.heard.lock().await;
        let before = View::of(&*self.records).await;
        heard.take();
        let result = call.await;
        let reported = heard.take();
        if let (Some(before), Some(after)) = (before, View::of(&*self.records).await) {
            before.assert_reported(&after, &reported);
            after.assert_counted();
        }
        result
    }
}

#[async_trait]
impl Records for Watched {
    async fn declare(&self, tables: &[RecordTable]) -> StorageResult<()> {
        self.commit(self.records.declare(tables)).await
    }

    async fn declared(&self) -> StorageResult<Vec<RecordTable>> {
        self.records.declared().await
    }

    async fn create_record(&self, mutation: MutationId, new: NewRecord) -> StorageResult<Record> {
        self.commit(self.records.create_record(mutation, new)).await
    }

    async fn update_record(&self, mutation: MutationId, change: RecordChange) -> StorageResult<Record> {
        self.commit(self.records.update_record(mutation, change)).await
    }

    async fn delete_record(
        &self,
        mutation: MutationId,
        table: TableName,
        record: RecordId,
        at: DeviceTime,
    ) -> StorageResult<()> {
        self.commit(self.records.delete_record(mutation, table, record, at)).await
    }

    async fn record(&self, table: &TableName, record: RecordId) -> StorageResult<Option<Record>> {
        self.records.record(table, record).await
    }

    async fn records(&self, query: &RecordQuery) -> StorageResult<Vec<Record>> {
        self.records.records(query).await
    }

    async fn record_conflicts(&self) -> StorageResult<Vec<RecordConflict>> {
        self.records.record_conflicts().await
    }

    async fn dismiss_record_conflict(&self, mutation: MutationId) -> StorageResult<bool> {
        self.commit(self.records.dismiss_record_conflict(mutation)).await
    }

    async fn reapply_record_conflict(
        &self,
        lost: MutationId,
        mutation: MutationId,
        at: DeviceTime,
    ) -> StorageResult<Record> {
        self.commit(self.records.reapply_record_conflict(lost, mutation, at)).await
    }

    async fn count_records(&self, table: &TableName) -> StorageResult<u64> {
        self.records.count_records(table).await
    }

    async fn last_record_change(&self) -> StorageResult<Option<Time>> {
        self.records.last_record_change().await
    }
}

#[async_trait]
impl RecordQueue for Watched {
    async fn next_records(&self, batch: RecordBatch) -> StorageResult<Vec<RecordMutation>> {
        self.commit(self.records.next_records(batch)).await
    }

    async fn settle_records(&self, results: &[RecordResult], at: Time) -> StorageResult<RecordSettleReport> {
        self.commit(self.records.settle_records(results, at)).await
    }

    async fn withdraw_records(&self, mutations: &[MutationId]) -> StorageResult<()> {
        self.commit(self.records.withdraw_records(mutations)).await
    }

    async fn postpone_records(&self, mutations: &[MutationId], at: Time) -> StorageResult<()> {
        self.commit(self.records.postpone_records(mutations, at)).await
    }

    async fn stop_waiting(&self) -> StorageResult<()> {
        self.commit(self.records.stop_waiting()).await
    }

    async fn clock_measured(&self, clock: ClockId, ahead_micros: i64) -> StorageResult<()> {
        self.commit(self.records.clock_measured(clock, ahead_micros)).await
    }

    async fn record_queue(&self, limit: u32) -> StorageResult<Vec<RecordQueueEntry>> {
        self.records.record_queue(limit).await
    }

    async fn record_counts(&self, now: Time) -> StorageResult<RecordCounts> {
        self.records.record_counts(now).await
    }

    async fn retry_record(&self, mutation: MutationId) -> StorageResult<()> {
        self.commit(self.records.retry_record(mutation)).await
    }

    async fn cancel_record(&self, mutation: MutationId) -> StorageResult<()> {
        self.commit(self.records.cancel_record(mutation)).await
    }

    async fn carried_items(&self) -> StorageResult<Vec<CarriedItem>> {
        self.records.carried_items().await
    }

    async fn remove_carried_item(&self, id: &str) -> StorageResult<bool> {
        self.commit(self.records.remove_carried_item(id)).await
    }
}

#[async_trait]
impl RecordReplica for Watched {
    async fn record_state(&self) -> StorageResult<RecordSyncState> {
        self.records.record_state().await
    }

    async fn apply_records(&self, from: Option<Cursor>, page: &RecordPage) -> StorageResult<RecordApplyReport> {
        self.commit(self.records.apply_records(from, page)).await
    }

    async fn begin_record_load(&self) -> StorageResult<()> {
        self.commit(self.records.begin_record_load()).await
    }

    async fn remember_records(&self, memory: &RecordMemory, success_at: Option<Time>) -> StorageResult<()> {
        self.commit(self.records.remember_records(memory, success_at)).await
    }
}

#[async_trait]
impl AuditLog for Watched {
    async fn audit(&self, entries: Vec<NewAuditEntry>) -> StorageResult<()> {
        self.commit(self.records.audit(entries)).await
    }

    async fn next_audit(&self, limit: u32) -> StorageResult<Vec<AuditEntry>> {
        self.records.next_audit(limit).await
    }

    async fn audited(&self, entries: &[AuditId]) -> StorageResult<()> {
        self.commit(self.records.audited(entries)).await
    }

    async fn audit_counts(&self) -> StorageResult<AuditCounts> {
        self.records.audit_counts().await
    }
}

#[async_trait]
impl RecordStore for Watched {
    fn record_changes(&self) -> ChangeReceiver {
        self.records.record_changes()
    }

    async fn try_record_turn(&self) -> StorageResult<Option<Turn>> {
        self.records.try_record_turn().await
    }
}
