//! The role that shows records and takes a person's changes.

use super::{change, conflicts, declare, query, tables::Tables, views};
use crate::{SqliteStore, db::Durability};
use async_trait::async_trait;
use fieldpost_domain::{
    MutationId, Time,
    records::{
        DeviceTime, NewRecord, Record, RecordChange, RecordConflict, RecordId, RecordQuery, RecordTable, TableName,
    },
};
use fieldpost_storage::{StorageResult, records::Records};

#[async_trait]
impl Records for SqliteStore {
    async fn declare(&self, tables: &[RecordTable]) -> StorageResult<()> {
        let write = self.db.write("declare", Durability::PowerCut).await?;
        let declared = declare::declare(write.tx(), tables).await;
        write.finish(declared).await
    }

    async fn declared(&self) -> StorageResult<Vec<RecordTable>> {
        let read = self.db.read("declared").await?;
        let tables = Tables::read(read.tx()).await;
        let declared = tables.map(|tables| tables.declared().map(|(_, table)| table.clone()).collect());
        read.finish(declared).await
    }

    async fn create_record(&self, mutation: MutationId, new: NewRecord) -> StorageResult<Record> {
        let write = self.db.write("create_record", Durability::PowerCut).await?;
        let created = change::create(write.tx(), mutation, new).await;
        write.finish(created).await
    }

    async fn update_record(&self, mutation: MutationId, change: RecordChange) -> StorageResult<Record> {
        let write = self.db.write("update_record", Durability::PowerCut).await?;
        let updated = change::update(write.tx(), mutation, change).await;
        write.finish(updated).await
    }

    async fn delete_record(
        &self,
        mutation: MutationId,
        table: TableName,
        record: RecordId,
        at: DeviceTime,
    ) -> StorageResult<()> {
        let write = self.db.write("delete_record", Durability::PowerCut).await?;
        let deleted = change::delete(write.tx(), mutation, &table, record, at).await;
        write.finish(deleted).await
    }

    async fn record(&self, table: &TableName, record: RecordId) -> StorageResult<Option<Record>> {
        let read = self.db.read("record").await?;
        let found = query::one(read.tx(), table, record).await;
        read.finish(found).await
    }

    async fn records(&self, query: &RecordQuery) -> StorageResult<Vec<Record>> {
        let read = self.db.read("records").await?;
        let found = query::find(read.tx(), query).await;
        read.finish(found).await
    }

    async fn record_conflicts(&self) -> StorageResult<Vec<RecordConflict>> {
        let read = self.db.look("record_conflicts")?;
        let conflicts = conflicts::all(read.tx()).await;
        read.finish(conflicts).await
    }

    async fn dismiss_record_conflict(&self, mutation: MutationId) -> StorageResult<bool> {
        let write = self.db.write("dismiss_record_conflict", Durability::PowerCut).await?;
        let dismissed = conflicts::dismiss(write.tx(), mutation).await;
        write.finish(dismissed).await
    }

    async fn reapply_record_conflict(
        &self,
        lost: MutationId,
        mutation: MutationId,
        at: DeviceTime,
    ) -> StorageResult<Record> {
        let write = self.db.write("reapply_record_conflict", Durability::PowerCut).await?;
        let applied = conflicts::reapply(write.tx(), lost, mutation, at).await;
        write.finish(applied).await
    }

    async fn count_records(&self, table: &TableName) -> StorageResult<u64> {
        let read = self.db.read("count_records").await?;
        let count = query::count(read.tx(), table).await;
        read.finish(count).await
    }

    async fn last_record_change(&self) -> StorageResult<Option<Time>> {
        let read = self.db.look("last_record_change")?;
        let last = views::last_change(read.tx()).await;
        read.finish(last).await
    }
}
