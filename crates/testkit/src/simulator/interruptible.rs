//! A store that allows an app to be killed around each call: it pauses before and after each commit.

use super::{
    Breach, Invariant,
    network::{Beside, Hub},
    troubles::Troubles,
};
use async_trait::async_trait;
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, MessageContent, MessageId, Mutation, MutationId,
    Person, PersonId, PullPage, PushResult, RefusalCode, Seq, Session, SettingsChange, Time,
};
use fieldpost_storage::{
    ApplyReport, BatchLimits, BootstrapReason, Checkable, ConversationSummary, EntryState, Keep, MissingRange,
    NewBroadcast, NewDirect, Outbox, OutboxCounts, OutboxEntry, OutgoingMessage, Replica, Sessions, SettleReport,
    StorageResult, Store, SyncMemory, SyncState, ThreadMessage, Trimmed,
};
use std::{collections::HashSet, future::Future, sync::Arc};
use tokio::task::yield_now;

/// The store's roles that the engine writes through.
pub(super) struct Interruptible {
    pub(super) store: Arc<dyn Store>,
    pub(super) troubles: Arc<Troubles>,
    pub(super) hub: Arc<Hub>,
    pub(super) beside: Arc<Beside>,
}

impl Interruptible {
    /// Pauses before and after the commit; or fails before it.
    async fn slowly<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = StorageResult<T>>,
    ) -> StorageResult<T> {
        yield_now().await;
        if let Err(error) = self.troubles.next(operation) {
            self.hub.observer.say(|| format!("the store fails at {operation}: {:?}", error.kind()));
            self.beside.trouble();
            return Err(error);
        }
        let answer = work.await;
        yield_now().await;
        answer
    }

    /// Whoever reads a conversation takes back that it was marked unread.
    async fn is_no_longer_marked(&self, conversation: ConversationId) {
        if let Ok(Some(shown)) = self.store.conversation(conversation).await
            && shown.is_marked_unread()
        {
            let what = format!("{conversation} was read and is still marked unread");
            self.hub.observer.report(Breach::new(Invariant::UnreadExact, what));
        }
    }

    /// Checks that messages just reported as expired were not sent.
    async fn none_of_them_is_there(&self) {
        for entry in self.store.entries(u32::MAX).await.unwrap_or_default() {
            let expired = matches!(&entry.state, EntryState::Failed(refusal) if refusal.code == RefusalCode::Expired);
            if let Some(message) = entry.message_id.filter(|id| expired && self.hub.server.message(*id).is_some()) {
                let what = format!("{message} has expired and is on the server");
                self.hub.observer.report(Breach::new(Invariant::NoLoss, what));
            }
        }
    }
}

#[async_trait]
impl Outbox for Interruptible {
    async fn send(&self, mutation: MutationId, message: OutgoingMessage) -> StorageResult<ThreadMessage> {
        self.slowly("send", self.store.send(mutation, message)).await
    }

    async fn open_direct(&self, mutation: MutationId, new: NewDirect) -> StorageResult<ConversationSummary> {
        self.slowly("open_direct", self.store.open_direct(mutation, new)).await
    }

    async fn open_broadcast(&self, mutation: MutationId, new: NewBroadcast) -> StorageResult<ConversationSummary> {
        self.slowly("open_broadcast", self.store.open_broadcast(mutation, new)).await
    }

    async fn mark_read(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq> {
        let marked = async {
            let read = self.store.mark_read(mutation, conversation, up_to, at).await?;
            self.is_no_longer_marked(conversation).await;
            Ok(read)
        };
        self.slowly("mark_read", marked).await
    }

    async fn set_conversation(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        change: SettingsChange,
        at: Time,
    ) -> StorageResult<ConversationSummary> {
        self.slowly("set_conversation", self.store.set_conversation(mutation, conversation, change, at)).await
    }

    async fn next_batch(&self, limits: BatchLimits, held: &HashSet<ConversationId>) -> StorageResult<Vec<Mutation>> {
        self.slowly("next_batch", self.store.next_batch(limits, held)).await
    }

    async fn settle(&self, results: Vec<PushResult>) -> StorageResult<SettleReport> {
        self.slowly("settle", self.store.settle(results)).await
    }

    async fn settle_quiet(&self, results: Vec<PushResult>, from: &Cursor, to: &Cursor) -> StorageResult<SettleReport> {
        self.slowly("settle", self.store.settle_quiet(results, from, to)).await
    }

    async fn withdraw(&self, mutations: &[MutationId]) -> StorageResult<()> {
        self.slowly("withdraw", self.store.withdraw(mutations)).await
    }

    async fn expire(&self, before: Time) -> StorageResult<u64> {
        let expired = self.slowly("expire", self.store.expire(before)).await?;
        if expired > 0 {
            self.none_of_them_is_there().await;
        }
        Ok(expired)
    }

    async fn retry(&self, mutation: MutationId, at: Time) -> StorageResult<OutboxEntry> {
        self.slowly("retry", self.store.retry(mutation, at)).await
    }

    async fn change(&self, mutation: Mutation, at: Time) -> StorageResult<ThreadMessage> {
        self.slowly("change", self.store.change(mutation, at)).await
    }

    async fn changes_of(&self, message: MessageId) -> StorageResult<Vec<OutboxEntry>> {
        self.store.changes_of(message).await
    }

    async fn edit(&self, mutation: MutationId, content: MessageContent, at: Time) -> StorageResult<OutboxEntry> {
        self.slowly("edit", self.store.edit(mutation, content, at)).await
    }

    async fn cancel(&self, mutation: MutationId) -> StorageResult<Vec<OutboxEntry>> {
        self.slowly("cancel", self.store.cancel(mutation)).await
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
        self.slowly("sync_state", self.store.sync_state()).await
    }

    async fn memberships(&self) -> StorageResult<Vec<Person>> {
        self.slowly("memberships", self.store.memberships()).await
    }

    async fn begin_bootstrap(&self, reason: BootstrapReason) -> StorageResult<()> {
        self.slowly("begin_bootstrap", self.store.begin_bootstrap(reason)).await
    }

    async fn apply_bootstrap<'a>(
        &self,
        after: Option<&'a Continuation>,
        page: BootstrapPage,
    ) -> StorageResult<ApplyReport> {
        self.slowly("apply_bootstrap", self.store.apply_bootstrap(after, page)).await
    }

    async fn apply_first_screen(&self, page: BootstrapPage) -> StorageResult<ApplyReport> {
        self.slowly("apply_first_screen", self.store.apply_first_screen(page)).await
    }

    async fn apply_pull(&self, from: &Cursor, page: PullPage) -> StorageResult<ApplyReport> {
        self.slowly("apply_pull", self.store.apply_pull(from, page)).await
    }

    async fn apply_history(&self, generation: u64, page: HistoryPage) -> StorageResult<ApplyReport> {
        self.slowly("apply_history", self.store.apply_history(generation, page)).await
    }

    async fn missing_ranges(&self, limit: u32) -> StorageResult<Vec<MissingRange>> {
        self.slowly("missing_ranges", self.store.missing_ranges(limit)).await
    }

    async fn next_check(&self, after: Option<ConversationId>) -> StorageResult<Option<Checkable>> {
        self.store.next_check(after).await
    }

    async fn check_digest(&self) -> StorageResult<bool> {
        self.slowly("check_digest", self.store.check_digest()).await
    }

    async fn remember(&self, memory: &SyncMemory, succeeded_at: Option<Time>) -> StorageResult<()> {
        self.slowly("remember", self.store.remember(memory, succeeded_at)).await
    }

    async fn trim(&self, keep: Keep, from: Option<ConversationId>, limit: u32) -> StorageResult<Trimmed> {
        self.slowly("trim", self.store.trim(keep, from, limit)).await
    }
}

#[async_trait]
impl Sessions for Interruptible {
    async fn session(&self) -> StorageResult<Option<Session>> {
        self.slowly("session", self.store.session()).await
    }

    async fn save_session(&self, session: &Session) -> StorageResult<()> {
        self.slowly("save_session", self.store.save_session(session)).await
    }

    async fn claim(&self, person: PersonId) -> StorageResult<()> {
        self.slowly("claim", self.store.claim(person)).await
    }

    async fn forget_former_sessions(&self) -> StorageResult<()> {
        self.slowly("forget_former_sessions", self.store.forget_former_sessions()).await
    }

    async fn clear_session(&self) -> StorageResult<()> {
        self.slowly("clear_session", self.store.clear_session()).await
    }

    async fn account(&self) -> StorageResult<Option<PersonId>> {
        self.store.account().await
    }
}
