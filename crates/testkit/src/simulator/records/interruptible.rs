//! A store of records that allows an app to be killed around each call, fails on command, and tells the truth what it
//! has accepted.

use super::{
    link::Shared,
    truth::{Audited, Writing},
    urgent::Urgent,
};
use crate::simulator::{Breach, Invariant, troubles::Troubles};
use async_trait::async_trait;
use fieldpost_domain::{
    AuditId, Cursor, MutationId, PersonId, Time, Version,
    records::{
        AuditEntry, ClockId, DeviceTime, NewAuditEntry, NewRecord, Record, RecordChange, RecordConflict, RecordId,
        RecordMutation, RecordPage, RecordQuery, RecordResult, RecordTable, TableName,
    },
};
use fieldpost_storage::{
    StorageResult, Turn, Turns,
    memory::MemoryStore,
    records::{
        AuditCounts, AuditLog, CarriedItem, RecordApplyReport, RecordBatch, RecordCounts, RecordMemory, RecordQueue,
        RecordQueueEntry, RecordReplica, RecordSettleReport, RecordStore, RecordSyncState, Records,
    },
};
use std::{future::Future, sync::Arc};
use tokio::task::yield_now;

/// The roles of records that a process uses.
pub(super) struct InterruptibleRecords {
    pub(super) device: usize,
    pub(super) owner: PersonId,
    pub(super) store: Arc<MemoryStore>,
    pub(super) troubles: Arc<Troubles>,
    pub(super) shared: Arc<Shared>,
    pub(super) urgent: Arc<Urgent>,
}

impl InterruptibleRecords {
    /// Pauses before and after the commit; or fails before it.
    async fn slowly<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = StorageResult<T>>,
    ) -> StorageResult<T> {
        yield_now().await;
        self.fails(operation)?;
        let answer = work.await;
        yield_now().await;
        answer
    }

    fn fails(&self, operation: &'static str) -> StorageResult<()> {
        self.troubles.next(operation).inspect_err(|error| {
            self.shared.observer().say(|| format!("the store fails at {operation}: {:?}", error.kind()));
            self.urgent.trouble();
        })
    }

    async fn queue(&self) -> Vec<RecordQueueEntry> {
        self.store.record_queue(u32::MAX).await.unwrap_or_default()
    }

    /// A write of a person: what it has done is noted before anybody else can see it.
    async fn writes<T>(
        &self,
        operation: &'static str,
        at: DeviceTime,
        work: impl Future<Output = StorageResult<T>>,
    ) -> StorageResult<T> {
        yield_now().await;
        self.fails(operation)?;
        let before = self.queue().await;
        let answer = work.await;
        let after = self.queue().await;
        let now = self.shared.observer().micros();
        let writing = Writing { device: self.device, at: now, clock: at.clock };
        self.shared.truth.lock().wrote(writing, &before, &after);
        yield_now().await;
        answer
    }

    /// A person's decision that may take changes out of the queue.
    async fn takes_back<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = StorageResult<T>>,
    ) -> StorageResult<T> {
        yield_now().await;
        self.fails(operation)?;
        let before = self.queue().await;
        let answer = work.await;
        let after = self.queue().await;
        self.shared.truth.lock().left(&before, &after);
        yield_now().await;
        answer
    }

    fn dealt_with(&self, lost: MutationId) {
        if let Some(made) = self.shared.truth.lock().made.get_mut(&lost) {
            made.dealt_with = true;
        }
    }

    /// The versions of the records that a page names, as they are here.
    async fn versions(&self, page: &RecordPage) -> Vec<(TableName, RecordId, Version)> {
        let declared = self.store.declared().await.unwrap_or_default();
        let mut versions = Vec::new();
        for row in &page.rows {
            let Some(table) = declared.iter().find(|table| table.server_name == row.table) else { continue };
            if let Ok(Some(record)) = self.store.record(&table.name, row.id).await {
                versions.push((table.name.clone(), row.id, record.version));
            }
        }
        versions
    }

    /// A record never goes back to an older version of the same history.
    async fn never_goes_back(&self, before: Vec<(TableName, RecordId, Version)>) {
        for (table, id, version) in before {
            if let Ok(Some(record)) = self.store.record(&table, id).await
                && record.version < version
            {
                let what = format!("device {}: {id} of {table} goes back to an older version", self.device);
                let breach = Breach::new(Invariant::RecordsConvergence, what);
                let (was, is) = (version.get().to_string(), record.version.get().to_string());
                self.shared.observer().report(breach.with_views(was, is));
            }
        }
    }
}

#[async_trait]
impl Turns for InterruptibleRecords {
    async fn try_turn(&self) -> StorageResult<Option<Turn>> {
        self.store.try_record_turn().await
    }
}

#[async_trait]
impl Records for InterruptibleRecords {
    async fn declare(&self, tables: &[RecordTable]) -> StorageResult<()> {
        self.store.declare(tables).await
    }

    async fn declared(&self) -> StorageResult<Vec<RecordTable>> {
        self.slowly("declared", self.store.declared()).await
    }

    async fn create_record(&self, mutation: MutationId, new: NewRecord) -> StorageResult<Record> {
        let at = new.at;
        self.writes("create_record", at, self.store.create_record(mutation, new)).await
    }

    async fn update_record(&self, mutation: MutationId, change: RecordChange) -> StorageResult<Record> {
        let at = change.at;
        self.writes("update_record", at, self.store.update_record(mutation, change)).await
    }

    async fn delete_record(
        &self,
        mutation: MutationId,
        table: TableName,
        record: RecordId,
        at: DeviceTime,
    ) -> StorageResult<()> {
        let work = self.store.delete_record(mutation, table, record, at);
        self.writes("delete_record", at, work).await
    }

    async fn record(&self, table: &TableName, record: RecordId) -> StorageResult<Option<Record>> {
        self.store.record(table, record).await
    }

    async fn records(&self, query: &RecordQuery) -> StorageResult<Vec<Record>> {
        self.store.records(query).await
    }

    async fn record_conflicts(&self) -> StorageResult<Vec<RecordConflict>> {
        self.store.record_conflicts().await
    }

    async fn dismiss_record_conflict(&self, mutation: MutationId) -> StorageResult<bool> {
        yield_now().await;
        self.fails("dismiss_record_conflict")?;
        let done = self.store.dismiss_record_conflict(mutation).await;
        if matches!(done, Ok(true)) {
            self.dealt_with(mutation);
        }
        done
    }

    async fn reapply_record_conflict(
        &self,
        lost: MutationId,
        mutation: MutationId,
        at: DeviceTime,
    ) -> StorageResult<Record> {
        let work = async {
            let record = self.store.reapply_record_conflict(lost, mutation, at).await?;
            self.dealt_with(lost);
            Ok(record)
        };
        self.writes("reapply_record_conflict", at, work).await
    }

    async fn count_records(&self, table: &TableName) -> StorageResult<u64> {
        self.store.count_records(table).await
    }

    async fn last_record_change(&self) -> StorageResult<Option<Time>> {
        self.store.last_record_change().await
    }
}

#[async_trait]
impl RecordQueue for InterruptibleRecords {
    async fn next_records(&self, batch: RecordBatch) -> StorageResult<Vec<RecordMutation>> {
        let taken = self.slowly("next_records", self.store.next_records(batch)).await?;
        self.urgent.read(&taken);
        Ok(taken)
    }

    async fn settle_records(&self, results: &[RecordResult], at: Time) -> StorageResult<RecordSettleReport> {
        self.slowly("settle_records", self.store.settle_records(results, at)).await
    }

    async fn withdraw_records(&self, mutations: &[MutationId]) -> StorageResult<()> {
        self.slowly("withdraw_records", self.store.withdraw_records(mutations)).await
    }

    async fn postpone_records(&self, mutations: &[MutationId], at: Time) -> StorageResult<()> {
        self.slowly("postpone_records", self.store.postpone_records(mutations, at)).await
    }

    async fn stop_waiting(&self) -> StorageResult<()> {
        self.slowly("stop_waiting", self.store.stop_waiting()).await
    }

    async fn clock_measured(&self, clock: ClockId, ahead_micros: i64) -> StorageResult<()> {
        yield_now().await;
        self.fails("clock_measured")?;
        self.store.clock_measured(clock, ahead_micros).await?;
        let now = self.shared.observer().micros();
        let wrong = {
            let mut truth = self.shared.truth.lock();
            truth.runs.get_mut(&clock).and_then(|run| {
                let wrong = run.ahead.abs_diff(ahead_micros);
                let too_little = ahead_micros < run.ahead;
                if run.wrong.is_none() {
                    run.measured_at = now;
                }
                run.wrong = run.wrong.max(Some(wrong));
                // The answer has left when the server's clock showed that time, and no call took longer.
                (too_little || wrong > run.slowest + 1_000).then_some(wrong)
            })
        };
        if let Some(wrong) = wrong {
            let what = format!("device {} is {wrong} µs wrong about its clock", self.device);
            self.shared.observer().report(Breach::new(Invariant::LastWriteWins, what));
        }
        yield_now().await;
        Ok(())
    }

    async fn record_queue(&self, limit: u32) -> StorageResult<Vec<RecordQueueEntry>> {
        self.store.record_queue(limit).await
    }

    async fn record_counts(&self, now: Time) -> StorageResult<RecordCounts> {
        self.store.record_counts(now).await
    }

    async fn retry_record(&self, mutation: MutationId) -> StorageResult<()> {
        self.slowly("retry_record", self.store.retry_record(mutation)).await
    }

    async fn cancel_record(&self, mutation: MutationId) -> StorageResult<()> {
        self.takes_back("cancel_record", self.store.cancel_record(mutation)).await
    }

    async fn carried_items(&self) -> StorageResult<Vec<CarriedItem>> {
        self.store.carried_items().await
    }

    async fn remove_carried_item(&self, id: &str) -> StorageResult<bool> {
        self.store.remove_carried_item(id).await
    }
}

#[async_trait]
impl RecordReplica for InterruptibleRecords {
    async fn record_state(&self) -> StorageResult<RecordSyncState> {
        self.slowly("record_state", self.store.record_state()).await
    }

    async fn apply_records(&self, from: Option<Cursor>, page: &RecordPage) -> StorageResult<RecordApplyReport> {
        yield_now().await;
        self.fails("apply_records")?;
        let before = self.versions(page).await;
        let epochs = self.shared.hub.uplink.breaks();
        let answer = self.store.apply_records(from, page).await;
        // After a restore any row counts. A restore breaks all connections, and this cannot tell which one it was.
        if epochs == 0 {
            self.never_goes_back(before).await;
        }
        yield_now().await;
        answer
    }

    async fn begin_record_load(&self) -> StorageResult<()> {
        self.slowly("begin_record_load", self.store.begin_record_load()).await
    }

    async fn remember_records(&self, memory: &RecordMemory, success_at: Option<Time>) -> StorageResult<()> {
        self.slowly("remember_records", self.store.remember_records(memory, success_at)).await
    }
}

#[async_trait]
impl AuditLog for InterruptibleRecords {
    async fn audit(&self, entries: Vec<NewAuditEntry>) -> StorageResult<()> {
        yield_now().await;
        self.fails("audit")?;
        let declared = self.store.declared().await?;
        self.store.audit(entries.clone()).await?;
        for NewAuditEntry { id, table, record_id: record, .. } in entries {
            if let Some(declared) = declared.iter().find(|declared| declared.name == table) {
                let (device, person, table) = (self.device, self.owner, declared.server_name.clone());
                self.shared.truth.lock().audited.insert(id, Audited { device, person, table, record });
            }
        }
        yield_now().await;
        Ok(())
    }

    async fn next_audit(&self, limit: u32) -> StorageResult<Vec<AuditEntry>> {
        self.slowly("next_audit", self.store.next_audit(limit)).await
    }

    async fn audited(&self, entries: &[AuditId]) -> StorageResult<()> {
        self.slowly("audited", self.store.audited(entries)).await
    }

    async fn audit_counts(&self) -> StorageResult<AuditCounts> {
        self.store.audit_counts().await
    }
}
