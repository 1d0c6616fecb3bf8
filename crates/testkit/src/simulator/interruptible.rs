//! A store between whose calls an app can be killed: each takes a moment before it commits, and one after.

use async_trait::async_trait;
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, MessageContent, MessageId, Mutation, MutationId,
    NewMessage, PersonId, PullPage, PushResult, Seq, Session, Time,
};
use fieldpost_storage::{
    ApplyReport, BatchLimits, BootstrapReason, Checkable, ConversationSummary, MissingRange, NewDirect, Outbox,
    OutboxCounts, OutboxEntry, Replica, Sessions, SettleReport, StorageResult, Store, SyncState, ThreadMessage,
};
use std::{collections::HashSet, future::Future, sync::Arc};
use tokio::task::yield_now;

/// The roles of a store that the engine writes through.
pub(super) struct Interruptible {
    pub(super) store: Arc<dyn Store>,
}

async fn slowly<T>(work: impl Future<Output = T>) -> T {
    yield_now().await;
    let answer = work.await;
    yield_now().await;
    answer
}

#[async_trait]
impl Outbox for Interruptible {
    async fn send(&self, mutation: MutationId, message: NewMessage) -> StorageResult<ThreadMessage> {
        slowly(self.store.send(mutation, message)).await
    }

    async fn open_direct(&self, mutation: MutationId, new: NewDirect) -> StorageResult<ConversationSummary> {
        slowly(self.store.open_direct(mutation, new)).await
    }

    async fn mark_read(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq> {
        slowly(self.store.mark_read(mutation, conversation, up_to, at)).await
    }

    async fn next_batch(&self, limits: BatchLimits, held: &HashSet<ConversationId>) -> StorageResult<Vec<Mutation>> {
        slowly(self.store.next_batch(limits, held)).await
    }

    async fn settle(&self, results: Vec<PushResult>) -> StorageResult<SettleReport> {
        slowly(self.store.settle(results)).await
    }

    async fn withdraw(&self, mutations: &[MutationId]) -> StorageResult<()> {
        slowly(self.store.withdraw(mutations)).await
    }

    async fn expire(&self, before: Time) -> StorageResult<u64> {
        slowly(self.store.expire(before)).await
    }

    async fn retry(&self, mutation: MutationId, at: Time) -> StorageResult<OutboxEntry> {
        slowly(self.store.retry(mutation, at)).await
    }

    async fn edit(&self, mutation: MutationId, content: MessageContent, at: Time) -> StorageResult<OutboxEntry> {
        slowly(self.store.edit(mutation, content, at)).await
    }

    async fn cancel(&self, mutation: MutationId) -> StorageResult<Vec<OutboxEntry>> {
        slowly(self.store.cancel(mutation)).await
    }

    async fn entry_of(&self, message: MessageId) -> StorageResult<Option<OutboxEntry>> {
        self.store.entry_of(message).await
    }

    async fn entries(&self, limit: u32) -> StorageResult<Vec<OutboxEntry>> {
        self.store.entries(limit).await
    }

    async fn counts(&self) -> StorageResult<OutboxCounts> {
        self.store.counts().await
    }
}

#[async_trait]
impl Replica for Interruptible {
    async fn sync_state(&self) -> StorageResult<SyncState> {
        slowly(self.store.sync_state()).await
    }

    async fn begin_bootstrap(&self, reason: BootstrapReason) -> StorageResult<()> {
        slowly(self.store.begin_bootstrap(reason)).await
    }

    async fn apply_bootstrap<'a>(
        &self,
        after: Option<&'a Continuation>,
        page: BootstrapPage,
    ) -> StorageResult<ApplyReport> {
        slowly(self.store.apply_bootstrap(after, page)).await
    }

    async fn apply_pull(&self, from: &Cursor, page: PullPage) -> StorageResult<ApplyReport> {
        slowly(self.store.apply_pull(from, page)).await
    }

    async fn apply_history(&self, generation: u64, page: HistoryPage) -> StorageResult<ApplyReport> {
        slowly(self.store.apply_history(generation, page)).await
    }

    async fn missing_ranges(&self, limit: u32) -> StorageResult<Vec<MissingRange>> {
        slowly(self.store.missing_ranges(limit)).await
    }

    async fn next_check(&self, after: Option<ConversationId>) -> StorageResult<Option<Checkable>> {
        self.store.next_check(after).await
    }

    async fn record_success(&self, at: Time) -> StorageResult<()> {
        slowly(self.store.record_success(at)).await
    }
}

#[async_trait]
impl Sessions for Interruptible {
    async fn session(&self) -> StorageResult<Option<Session>> {
        slowly(self.store.session()).await
    }

    async fn save_session(&self, session: &Session) -> StorageResult<()> {
        slowly(self.store.save_session(session)).await
    }

    async fn claim(&self, person: PersonId) -> StorageResult<()> {
        slowly(self.store.claim(person)).await
    }

    async fn clear_session(&self) -> StorageResult<()> {
        slowly(self.store.clear_session()).await
    }

    async fn account(&self) -> StorageResult<Option<PersonId>> {
        self.store.account().await
    }
}
