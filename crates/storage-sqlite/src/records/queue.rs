//! The role that keeps changes until the server has answered them.

use super::{batch, clocks, decide, settle, views};
use crate::{
    SqliteStore,
    db::Durability,
    entity::carried_items::{Column as I, Entity as Carried},
};
use async_trait::async_trait;
use fieldpost_domain::{
    MutationId, Time,
    records::{ClockId, RecordMutation, RecordResult},
};
use fieldpost_storage::{
    ChangeSet, StorageResult,
    records::{CarriedItem, RecordBatch, RecordCounts, RecordQueue, RecordQueueEntry, RecordSettleReport},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

#[async_trait]
impl RecordQueue for SqliteStore {
    async fn next_records(&self, batch: RecordBatch) -> StorageResult<Vec<RecordMutation>> {
        let read = self.db.look("next_records")?;
        let is_empty = batch::is_empty(read.tx()).await;
        if read.finish(is_empty).await? {
            return Ok(Vec::new());
        }
        let write = self.db.write("next_records", Durability::PowerCut).await?;
        let taken = batch::take(write.tx(), batch, self.records.name()).await;
        write.finish(taken).await
    }

    async fn settle_records(&self, results: &[RecordResult], at: Time) -> StorageResult<RecordSettleReport> {
        let write = self.db.write("settle_records", Durability::PowerCut).await?;
        let settled = settle::settle(write.tx(), results, at).await;
        write.finish(settled).await
    }

    async fn withdraw_records(&self, mutations: &[MutationId]) -> StorageResult<()> {
        let write = self.db.write("withdraw_records", Durability::PowerCut).await?;
        let withdrawn = batch::withdraw(write.tx(), mutations).await;
        write.finish(withdrawn).await
    }

    async fn postpone_records(&self, mutations: &[MutationId], at: Time) -> StorageResult<()> {
        let write = self.db.write("postpone_records", Durability::PowerCut).await?;
        let postponed = batch::postpone(write.tx(), mutations, at).await;
        write.finish(postponed).await
    }

    async fn stop_waiting(&self) -> StorageResult<()> {
        let write = self.db.write("stop_waiting", Durability::PowerCut).await?;
        let stopped = batch::stop_waiting(write.tx()).await;
        write.finish(stopped).await
    }

    async fn clock_measured(&self, clock: ClockId, ahead_micros: i64) -> StorageResult<()> {
        let write = self.db.write("clock_measured", Durability::Process).await?;
        let measured = clocks::measured(write.tx(), clock, ahead_micros).await;
        write.finish(measured).await
    }

    async fn record_queue(&self, limit: u32) -> StorageResult<Vec<RecordQueueEntry>> {
        let read = self.db.read("record_queue").await?;
        let queue = views::queue(read.tx(), limit).await;
        read.finish(queue).await
    }

    async fn record_counts(&self, now: Time) -> StorageResult<RecordCounts> {
        let read = self.db.read("record_counts").await?;
        let counts = views::counts(read.tx(), now, self.records.name()).await;
        read.finish(counts).await
    }

    async fn retry_record(&self, mutation: MutationId) -> StorageResult<()> {
        let write = self.db.write("retry_record", Durability::PowerCut).await?;
        let queued = decide::retry(write.tx(), mutation).await;
        write.finish(queued).await
    }

    async fn cancel_record(&self, mutation: MutationId) -> StorageResult<()> {
        let write = self.db.write("cancel_record", Durability::PowerCut).await?;
        let cancelled = decide::cancel(write.tx(), mutation).await;
        write.finish(cancelled).await
    }

    async fn carried_items(&self) -> StorageResult<Vec<CarriedItem>> {
        let read = self.db.look("carried_items")?;
        let carried = views::carried(read.tx()).await;
        read.finish(carried).await
    }

    async fn remove_carried_item(&self, id: &str) -> StorageResult<bool> {
        let write = self.db.write("remove_carried_item", Durability::PowerCut).await?;
        write.tx().changed(ChangeSet::nothing().and_record_queue()).await;
        let removed = write.tx().execute(&Carried::delete_many().filter(I::Id.eq(id))).await;
        write.finish(removed.map(|removed| removed > 0)).await
    }
}
