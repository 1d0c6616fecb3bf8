//! The role that keeps the copy of the server's records.

use super::{apply, state};
use crate::{SqliteStore, db::Durability};
use async_trait::async_trait;
use fieldpost_domain::{Cursor, Time, records::RecordPage};
use fieldpost_storage::{
    StorageResult,
    records::{RecordApplyReport, RecordMemory, RecordReplica, RecordSyncState},
};

#[async_trait]
impl RecordReplica for SqliteStore {
    async fn record_state(&self) -> StorageResult<RecordSyncState> {
        let read = self.db.look("record_state")?;
        let state = state::view(read.tx()).await;
        read.finish(state).await
    }

    async fn apply_records(&self, from: Option<Cursor>, page: &RecordPage) -> StorageResult<RecordApplyReport> {
        let write = self.db.write("apply_records", Durability::Process).await?;
        let applied = apply::apply(write.tx(), from, page).await;
        write.finish(applied).await
    }

    async fn begin_record_load(&self) -> StorageResult<()> {
        let write = self.db.write("begin_record_load", Durability::Process).await?;
        let begun = state::begin_load(write.tx()).await;
        write.finish(begun).await
    }

    async fn remember_records(&self, memory: &RecordMemory, success_at: Option<Time>) -> StorageResult<()> {
        let write = self.db.write("remember_records", Durability::Process).await?;
        let remembered = state::remember(write.tx(), memory, success_at).await;
        write.finish(remembered).await
    }
}
