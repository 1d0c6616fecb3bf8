//! The role that follows the server.

pub(crate) mod apply;
pub(crate) mod bootstrap;
pub(crate) mod context;
pub(crate) mod digest;
pub(crate) mod history;
pub(crate) mod lost;
pub(crate) mod marks;
mod memory;
pub(crate) mod position;
mod pull;
pub(crate) mod state;
pub(crate) mod trim;

use crate::{SqliteStore, db::Durability};
use async_trait::async_trait;
use fieldpost_domain::{BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, Person, PullPage, Time};
use fieldpost_storage::{
    ApplyReport, BootstrapReason, Checkable, Keep, MissingRange, Replica, StorageResult, SyncMemory, SyncState, Trimmed,
};

#[async_trait]
impl Replica for SqliteStore {
    async fn sync_state(&self) -> StorageResult<SyncState> {
        let read = self.db.look("sync_state")?;
        let state = state::read(read.tx()).await;
        read.finish(state).await
    }

    async fn memberships(&self) -> StorageResult<Vec<Person>> {
        let read = self.db.look("memberships")?;
        let own = state::memberships(read.tx()).await;
        read.finish(own).await
    }

    async fn begin_bootstrap(&self, reason: BootstrapReason) -> StorageResult<()> {
        let write = self.db.write("begin_bootstrap", Durability::Process).await?;
        let begun = position::begin_bootstrap(write.tx(), reason).await;
        write.finish(begun).await
    }

    async fn apply_bootstrap<'a>(
        &self,
        after: Option<&'a Continuation>,
        page: BootstrapPage,
    ) -> StorageResult<ApplyReport> {
        let write = self.db.write("apply_bootstrap", Durability::Process).await?;
        let applied = bootstrap::apply(write.tx(), &*self.ids, after, page).await;
        write.finish(applied).await
    }

    async fn apply_first_screen(&self, page: BootstrapPage) -> StorageResult<ApplyReport> {
        let write = self.db.write("apply_first_screen", Durability::Process).await?;
        let applied = bootstrap::apply_first_screen(write.tx(), &*self.ids, page).await;
        write.finish(applied).await
    }

    async fn apply_pull(&self, from: &Cursor, page: PullPage) -> StorageResult<ApplyReport> {
        let write = self.db.write("apply_pull", Durability::Process).await?;
        let applied = pull::apply(write.tx(), &*self.ids, from, page).await;
        write.finish(applied).await
    }

    async fn apply_history(&self, generation: u64, page: HistoryPage) -> StorageResult<ApplyReport> {
        let write = self.db.write("apply_history", Durability::Process).await?;
        let applied = history::apply(write.tx(), &*self.ids, generation, page).await;
        write.finish(applied).await
    }

    async fn missing_ranges(&self, limit: u32) -> StorageResult<Vec<MissingRange>> {
        let read = self.db.look("missing_ranges")?;
        let missing = state::missing_ranges(read.tx(), limit).await;
        read.finish(missing).await
    }

    async fn next_check(&self, after: Option<ConversationId>) -> StorageResult<Option<Checkable>> {
        let read = self.db.look("next_check")?;
        let next = state::next_check(read.tx(), after).await;
        read.finish(next).await
    }

    async fn check_digest(&self) -> StorageResult<bool> {
        let write = self.db.write("check_digest", Durability::Process).await?;
        let checked = digest::check(write.tx()).await;
        write.finish(checked).await
    }

    async fn remember(&self, memory: &SyncMemory, succeeded_at: Option<Time>) -> StorageResult<()> {
        let write = self.db.write("remember", Durability::Process).await?;
        let remembered = state::remember(write.tx(), memory, succeeded_at).await;
        write.finish(remembered).await?;
        if succeeded_at.is_some() {
            self.index_after_pass().await;
            self.db.tidy().await;
        }
        Ok(())
    }

    async fn trim(&self, keep: Keep, from: Option<ConversationId>, limit: u32) -> StorageResult<Trimmed> {
        let write = self.db.write("trim", Durability::Process).await?;
        let trimmed = trim::trim(write.tx(), keep, from, limit).await;
        write.finish(trimmed).await
    }
}
