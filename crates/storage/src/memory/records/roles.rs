//! The roles of records. Each method reads the state or replaces it.

use super::state::RecordsState;
use crate::{
    ChangeReceiver, StorageError, StorageErrorKind, StorageResult, Turn,
    memory::{MemoryStore, state::State},
    records::{
        AuditCounts, AuditLog, CarriedItem, RecordApplyReport, RecordBatch, RecordCounts, RecordMemory, RecordQueue,
        RecordQueueEntry, RecordReplica, RecordSettleReport, RecordStore, RecordSyncState, Records,
    },
};
use async_trait::async_trait;
use fieldpost_domain::{
    AuditId, Cursor, MutationId, OrgId, Time,
    records::{
        AuditEntry, ClockId, DeviceTime, NewAuditEntry, NewRecord, Record, RecordChange, RecordConflict, RecordId,
        RecordMutation, RecordPage, RecordQuery, RecordResult, RecordTable, TableName,
    },
};
use std::sync::Arc;

impl MemoryStore {
    fn read_records<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&RecordsState) -> StorageResult<T>,
    ) -> StorageResult<T> {
        self.read(operation, |state| read(&state.records))
    }

    fn write_records<T>(
        &self,
        operation: &'static str,
        change: impl FnOnce(&mut RecordsState) -> StorageResult<T>,
    ) -> StorageResult<T> {
        self.write(operation, |state| change(Arc::make_mut(&mut state.records)))
    }

    /// Adds an item of an older app's queue, as an import does.
    pub fn carry(&self, item: CarriedItem) {
        let mut disk = self.disk();
        let mut next = State::clone(&disk);
        Arc::make_mut(&mut next.records).carried.push(item);
        *disk = Arc::new(next);
    }
}

/// The author of a change must have signed in. Returns the org, if the server has said it.
fn author(state: &State, operation: &'static str) -> StorageResult<Option<OrgId>> {
    state.owner().ok_or_else(|| StorageError::new(StorageErrorKind::NoAccount, operation))?;
    Ok(state.me_row().map(|me| me.org_id))
}

#[async_trait]
impl Records for MemoryStore {
    async fn declare(&self, tables: &[RecordTable]) -> StorageResult<()> {
        self.write_records("declare", |records| records.declare(tables))
    }

    async fn declared(&self) -> StorageResult<Vec<RecordTable>> {
        self.read_records("declared", |records| {
            let declared = records.tables.values().filter(|table| table.declared);
            Ok(declared.map(|table| table.declaration.clone()).collect())
        })
    }

    async fn create_record(&self, mutation: MutationId, new: NewRecord) -> StorageResult<Record> {
        self.write("create_record", |state| {
            let org = author(state, "create_record")?;
            let unknown = || StorageError::new(StorageErrorKind::NotSynced, "create_record");
            Arc::make_mut(&mut state.records).create(mutation, new, || org.ok_or_else(unknown))
        })
    }

    async fn update_record(&self, mutation: MutationId, change: RecordChange) -> StorageResult<Record> {
        self.write("update_record", |state| {
            author(state, "update_record")?;
            Arc::make_mut(&mut state.records).update(mutation, change)
        })
    }

    async fn delete_record(
        &self,
        mutation: MutationId,
        table: TableName,
        record: RecordId,
        at: DeviceTime,
    ) -> StorageResult<()> {
        self.write_records("delete_record", |records| records.delete(mutation, table, record, at))
    }

    async fn record(&self, table: &TableName, record: RecordId) -> StorageResult<Option<Record>> {
        self.read_records("record", |records| {
            records.table(table, "record")?;
            Ok(records.shown(&records.resolve(table, record)))
        })
    }

    async fn records(&self, query: &RecordQuery) -> StorageResult<Vec<Record>> {
        self.read_records("records", |records| records.query(query))
    }

    async fn record_conflicts(&self) -> StorageResult<Vec<RecordConflict>> {
        self.read_records("record_conflicts", |records| Ok(records.conflicts.iter().rev().cloned().collect()))
    }

    async fn dismiss_record_conflict(&self, mutation: MutationId) -> StorageResult<bool> {
        self.write_records("dismiss_record_conflict", |records| Ok(records.dismiss(mutation)))
    }

    async fn reapply_record_conflict(
        &self,
        lost: MutationId,
        mutation: MutationId,
        at: DeviceTime,
    ) -> StorageResult<Record> {
        self.write_records("reapply_record_conflict", |records| records.reapply(lost, mutation, at))
    }

    async fn count_records(&self, table: &TableName) -> StorageResult<u64> {
        self.read_records("count_records", |records| {
            records.table(table, "count_records")?;
            Ok(records.all_shown(table).len() as u64)
        })
    }

    async fn last_record_change(&self) -> StorageResult<Option<Time>> {
        self.read_records("last_record_change", |records| {
            Ok(records.queue.iter().map(|entry| entry.modified_at.at).max())
        })
    }
}

#[async_trait]
impl RecordQueue for MemoryStore {
    async fn next_records(&self, batch: RecordBatch) -> StorageResult<Vec<RecordMutation>> {
        self.write_records("next_records", |records| Ok(records.next(batch, self.record_pass.number())))
    }

    async fn settle_records(&self, results: &[RecordResult], at: Time) -> StorageResult<RecordSettleReport> {
        self.write_records("settle_records", |records| Ok(records.settle(results, at)))
    }

    async fn withdraw_records(&self, mutations: &[MutationId]) -> StorageResult<()> {
        self.write_records("withdraw_records", |records| {
            records.withdraw(mutations);
            Ok(())
        })
    }

    async fn postpone_records(&self, mutations: &[MutationId], at: Time) -> StorageResult<()> {
        self.write_records("postpone_records", |records| {
            records.postpone(mutations, at);
            Ok(())
        })
    }

    async fn stop_waiting(&self) -> StorageResult<()> {
        self.write_records("stop_waiting", |records| {
            records.stop_waiting();
            Ok(())
        })
    }

    async fn clock_measured(&self, clock: ClockId, ahead_micros: i64) -> StorageResult<()> {
        self.write_records("clock_measured", |records| {
            records.clocks.insert(clock, ahead_micros);
            Ok(())
        })
    }

    async fn record_queue(&self, limit: u32) -> StorageResult<Vec<RecordQueueEntry>> {
        self.read_records("record_queue", |records| Ok(records.entries(limit)))
    }

    async fn record_counts(&self, now: Time) -> StorageResult<RecordCounts> {
        self.read_records("record_counts", |records| Ok(records.counts(now, self.record_pass.number())))
    }

    async fn retry_record(&self, mutation: MutationId) -> StorageResult<()> {
        self.write_records("retry_record", |records| records.retry(mutation))
    }

    async fn cancel_record(&self, mutation: MutationId) -> StorageResult<()> {
        self.write_records("cancel_record", |records| records.cancel(mutation))
    }

    async fn carried_items(&self) -> StorageResult<Vec<CarriedItem>> {
        self.read_records("carried_items", |records| Ok(records.carried.clone()))
    }

    async fn remove_carried_item(&self, id: &str) -> StorageResult<bool> {
        self.write_records("remove_carried_item", |records| {
            let before = records.carried.len();
            records.carried.retain(|item| item.id != id);
            Ok(records.carried.len() < before)
        })
    }
}

#[async_trait]
impl RecordReplica for MemoryStore {
    async fn record_state(&self) -> StorageResult<RecordSyncState> {
        self.read_records("record_state", |records| {
            Ok(RecordSyncState {
                cursor: records.cursor.clone(),
                last_success_at: records.last_success_at,
                memory: records.memory,
            })
        })
    }

    async fn apply_records(&self, from: Option<Cursor>, page: &RecordPage) -> StorageResult<RecordApplyReport> {
        self.write_records("apply_records", |records| records.apply(from, page))
    }

    async fn begin_record_load(&self) -> StorageResult<()> {
        self.write_records("begin_record_load", |records| {
            records.begin_load();
            Ok(())
        })
    }

    async fn remember_records(&self, memory: &RecordMemory, success_at: Option<Time>) -> StorageResult<()> {
        self.write_records("remember_records", |records| {
            records.memory = *memory;
            records.last_success_at = success_at.or(records.last_success_at);
            Ok(())
        })
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn audit(&self, entries: Vec<NewAuditEntry>) -> StorageResult<()> {
        self.write("audit", |state| {
            let Some(person_id) = state.owner() else { return Ok(()) };
            Arc::make_mut(&mut state.records).audit(person_id, entries)
        })
    }

    async fn next_audit(&self, limit: u32) -> StorageResult<Vec<AuditEntry>> {
        self.read_records("next_audit", |records| Ok(records.next_audit(limit)))
    }

    async fn audited(&self, entries: &[AuditId]) -> StorageResult<()> {
        self.write_records("audited", |records| {
            records.audited(entries);
            Ok(())
        })
    }

    async fn audit_counts(&self) -> StorageResult<AuditCounts> {
        self.read_records("audit_counts", |records| Ok(records.audit_counts()))
    }
}

#[async_trait]
impl RecordStore for MemoryStore {
    fn record_changes(&self) -> ChangeReceiver {
        self.changes.subscribe()
    }

    async fn try_record_turn(&self) -> StorageResult<Option<Turn>> {
        self.check_open("try_record_turn")?;
        self.report(&self.disk());
        let turn = Arc::clone(&self.record_turn).try_lock_owned().ok();
        if turn.is_some() {
            self.record_pass.begin();
        }
        Ok(turn.map(Turn::new))
    }
}
