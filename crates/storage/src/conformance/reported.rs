//! A store that is compared before and after each of its commits: every difference must have been reported.
//!
//! Run the whole suite on it, and every story checks that [`Store::changes`] is complete:
//!
//! ```
//! # use fieldpost_storage::{Store, conformance::{Device, reported::Reported}, memory::MemoryStore};
//! # use std::sync::Arc;
//! # struct InMemory(MemoryStore);
//! # #[async_trait::async_trait]
//! # impl Device for InMemory {
//! #     async fn open(&self) -> Arc<dyn Store> { Arc::new(self.0.reopen()) }
//! # }
//! fieldpost_storage::storage_conformance!(Reported(InMemory(MemoryStore::new())));
//! # fn main() {}
//! ```

use super::Device;
use crate::{
    ApplyReport, BatchLimits, BootstrapReason, ChangeReceiver, ChangeSet, Checkable, ConversationFilter,
    ConversationSummary, Conversations, Drafts, EntryState, ImportReport, Inspection, Keep, Messages, MissingRange,
    NewBroadcast, NewDirect, Outbox, OutboxCounts, OutboxEntry, OutgoingMessage, People, Replica, Search, SearchPage,
    SearchQuery, Section, Sessions, SettleReport, StorageResult, Store, StoredDraft, SyncMemory, SyncState,
    ThreadMessage, ThreadSection, ThreadWindow, Trimmed, Turn, Turns, Window,
};
use async_trait::async_trait;
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, MedicId, MessageContent, MessageId, Mutation,
    MutationId, Person, PersonId, PullPage, PushResult, ReadMarker, Seq, Session, SettingsChange, Time,
};
use std::{
    collections::{BTreeMap, HashSet},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Mutex;

/// A device whose stores are watched.
#[derive(Debug)]
pub struct Reported<D>(pub D);

#[async_trait]
impl<D: Device> Device for Reported<D> {
    async fn open(&self) -> Arc<dyn Store> {
        let store = self.0.open().await;
        let heard = Mutex::new(store.changes());
        Arc::new(Watched { store, heard, large: AtomicBool::new(false) })
    }
}

struct Watched {
    store: Arc<dyn Store>,
    /// Held for the length of a commit.
    heard: Mutex<ChangeReceiver>,
    /// It has many conversations, and is no longer looked at.
    large: AtomicBool,
}

/// Everything that a person can see.
#[derive(PartialEq)]
struct View {
    lines: BTreeMap<ConversationId, ConversationSummary>,
    threads: BTreeMap<ConversationId, ThreadWindow>,
    unread: u64,
    mentions: u64,
    outbox: Vec<OutboxEntry>,
    counts: OutboxCounts,
}

/// Stories with more than that are about speed, and looking at all of it takes long.
const FEW: u32 = 20;
const MANY: u32 = 1_000;
const MANY_WAITING: u64 = 100;

impl View {
    /// None of a store that cannot be read now, or that has too much in it.
    async fn of(store: &dyn Store) -> Option<Self> {
        let waiting = store.counts().await.ok()?;
        if waiting.pending + waiting.failed > MANY_WAITING {
            return None;
        }
        let list = store.conversations(FEW).await.ok()?;
        let mut threads = BTreeMap::new();
        for line in &list {
            threads.insert(line.id, store.messages(line.id, Window::newest(MANY)).await.ok()?);
        }
        let lines = list.into_iter().map(|line| (line.id, line)).collect();
        let (unread, outbox) = (store.total_unread().await.ok()?, store.entries(MANY).await.ok()?);
        let mentions = store.total_unread_mentions().await.ok()?;
        Some(Self { lines, threads, unread, mentions, outbox, counts: waiting })
    }

    fn unread_of(&self, conversation: ConversationId) -> (u64, u64) {
        self.lines.get(&conversation).map_or((0, 0), |line| (line.unread, line.unread_mentions))
    }

    /// Counts that a store may keep up to date equal a recount.
    fn assert_counted(&self) {
        assert_eq!(self.unread, self.lines.values().map(|line| line.unread).sum::<u64>(), "the badge is wrong");
        let mentions = self.lines.values().map(|line| line.unread_mentions).sum::<u64>();
        assert_eq!(self.mentions, mentions, "the badge of mentions is wrong");
        let failed = self.outbox.iter().filter(|entry| matches!(entry.state, EntryState::Failed(_))).count() as u64;
        let recount = OutboxCounts { pending: self.outbox.len() as u64 - failed, failed };
        assert_eq!(self.counts, recount, "the counts of the outbox are wrong");
    }

    fn assert_reported(&self, after: &Self, reported: &ChangeSet) {
        for id in self.lines.keys().chain(after.lines.keys()) {
            let (before, now) = (self.lines.get(id), after.lines.get(id));
            let differs = before != now || self.threads.get(id) != after.threads.get(id);
            assert!(!differs || reported.conversations.contains(*id), "{id} changed unreported: {before:?} to {now:?}");
            let recounted = self.unread_of(*id) != after.unread_of(*id);
            assert!(!recounted || reported.unread, "an unread count changed unreported");
        }
        let same = (self.unread, self.mentions) == (after.unread, after.mentions);
        assert!(same || reported.unread, "an unread count changed unreported");
        assert!(self.outbox == after.outbox || reported.outbox, "the outbox changed unreported");
    }
}

impl Watched {
    async fn view(&self) -> Option<View> {
        if self.large.load(Ordering::Relaxed) {
            return None;
        }
        let few = self.store.conversations(FEW + 1).await.ok()?.len() <= FEW as usize;
        self.large.store(!few, Ordering::Relaxed);
        if few { View::of(&*self.store).await } else { None }
    }

    async fn commit<T>(&self, call: impl Future<Output = StorageResult<T>> + Send) -> StorageResult<T> {
        let mut heard = self.heard.lock().await;
        let before = self.view().await;
        heard.take();
        let result = call.await;
        let reported = heard.take();
        if let (Some(before), Some(after)) = (before, self.view().await) {
            before.assert_reported(&after, &reported);
            after.assert_counted();
        }
        result
    }
}

#[async_trait]
impl Conversations for Watched {
    async fn conversations(&self, limit: u32) -> StorageResult<Vec<ConversationSummary>> {
        self.store.conversations(limit).await
    }

    async fn conversation(&self, id: ConversationId) -> StorageResult<Option<ConversationSummary>> {
        self.store.conversation(id).await
    }

    async fn total_unread(&self) -> StorageResult<u64> {
        self.store.total_unread().await
    }

    async fn total_unread_mentions(&self) -> StorageResult<u64> {
        self.store.total_unread_mentions().await
    }

    async fn conversations_matching(&self, filter: &ConversationFilter) -> StorageResult<Vec<ConversationSummary>> {
        self.store.conversations_matching(filter).await
    }

    async fn unread_for_badge(&self, now: Time) -> StorageResult<u64> {
        self.store.unread_for_badge(now).await
    }

    async fn next_unmute(&self, now: Time) -> StorageResult<Option<Time>> {
        self.store.next_unmute(now).await
    }
}

#[async_trait]
impl Drafts for Watched {
    async fn draft(&self, conversation: ConversationId) -> StorageResult<Option<StoredDraft>> {
        self.store.draft(conversation).await
    }

    async fn drafts(&self) -> StorageResult<Vec<StoredDraft>> {
        self.store.drafts().await
    }

    async fn set_draft(&self, draft: StoredDraft) -> StorageResult<()> {
        self.commit(self.store.set_draft(draft)).await
    }

    async fn clear_draft(&self, conversation: ConversationId) -> StorageResult<()> {
        self.commit(self.store.clear_draft(conversation)).await
    }

    async fn send_draft(
        &self,
        mutation: MutationId,
        message: MessageId,
        conversation: ConversationId,
        at: Time,
    ) -> StorageResult<ThreadMessage> {
        self.commit(self.store.send_draft(mutation, message, conversation, at)).await
    }
}

#[async_trait]
impl Messages for Watched {
    async fn messages(&self, conversation: ConversationId, window: Window) -> StorageResult<ThreadWindow> {
        self.store.messages(conversation, window).await
    }

    async fn section(&self, conversation: ConversationId, section: Section) -> StorageResult<ThreadSection> {
        self.store.section(conversation, section).await
    }

    async fn markers(&self, conversation: ConversationId) -> StorageResult<Vec<ReadMarker>> {
        self.store.markers(conversation).await
    }

    async fn stored_below(&self, conversation: ConversationId, below: Seq) -> StorageResult<Option<Seq>> {
        self.store.stored_below(conversation, below).await
    }

    async fn message(&self, id: MessageId) -> StorageResult<Option<ThreadMessage>> {
        self.store.message(id).await
    }
}

#[async_trait]
impl People for Watched {
    async fn people(&self) -> StorageResult<Vec<Person>> {
        self.store.people().await
    }

    async fn person(&self, id: PersonId) -> StorageResult<Option<Person>> {
        self.store.person(id).await
    }

    async fn medic(&self, id: MedicId) -> StorageResult<Option<Person>> {
        self.store.medic(id).await
    }
}

#[async_trait]
impl Search for Watched {
    async fn search(&self, query: &SearchQuery) -> StorageResult<SearchPage> {
        self.store.search(query).await
    }

    async fn index(&self) -> StorageResult<u64> {
        self.commit(self.store.index()).await
    }
}

#[async_trait]
impl Outbox for Watched {
    async fn send(&self, mutation: MutationId, message: OutgoingMessage) -> StorageResult<ThreadMessage> {
        self.commit(self.store.send(mutation, message)).await
    }

    async fn open_direct(&self, mutation: MutationId, new: NewDirect) -> StorageResult<ConversationSummary> {
        self.commit(self.store.open_direct(mutation, new)).await
    }

    async fn open_broadcast(&self, mutation: MutationId, new: NewBroadcast) -> StorageResult<ConversationSummary> {
        self.commit(self.store.open_broadcast(mutation, new)).await
    }

    async fn mark_read(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq> {
        self.commit(self.store.mark_read(mutation, conversation, up_to, at)).await
    }

    async fn set_conversation(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        change: SettingsChange,
        at: Time,
    ) -> StorageResult<ConversationSummary> {
        self.commit(self.store.set_conversation(mutation, conversation, change, at)).await
    }

    async fn next_batch(&self, limits: BatchLimits, held: &HashSet<ConversationId>) -> StorageResult<Vec<Mutation>> {
        self.commit(self.store.next_batch(limits, held)).await
    }

    async fn settle(&self, results: Vec<PushResult>) -> StorageResult<SettleReport> {
        self.commit(self.store.settle(results)).await
    }

    async fn settle_quiet(&self, results: Vec<PushResult>, from: &Cursor, to: &Cursor) -> StorageResult<SettleReport> {
        self.commit(self.store.settle_quiet(results, from, to)).await
    }

    async fn withdraw(&self, mutations: &[MutationId]) -> StorageResult<()> {
        self.commit(self.store.withdraw(mutations)).await
    }

    async fn expire(&self, before: Time) -> StorageResult<u64> {
        self.commit(self.store.expire(before)).await
    }

    async fn retry(&self, mutation: MutationId, at: Time) -> StorageResult<OutboxEntry> {
        self.commit(self.store.retry(mutation, at)).await
    }

    async fn edit(&self, mutation: MutationId, content: MessageContent, at: Time) -> StorageResult<OutboxEntry> {
        self.commit(self.store.edit(mutation, content, at)).await
    }

    async fn cancel(&self, mutation: MutationId) -> StorageResult<Vec<OutboxEntry>> {
        self.commit(self.store.cancel(mutation)).await
    }

    async fn change(&self, mutation: Mutation, at: Time) -> StorageResult<ThreadMessage> {
        self.commit(self.store.change(mutation, at)).await
    }

    async fn changes_of(&self, message: MessageId) -> StorageResult<Vec<OutboxEntry>> {
        self.store.changes_of(message).await
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
impl Replica for Watched {
    async fn sync_state(&self) -> StorageResult<SyncState> {
        self.store.sync_state().await
    }

    async fn memberships(&self) -> StorageResult<Vec<Person>> {
        self.store.memberships().await
    }

    async fn begin_bootstrap(&self, reason: BootstrapReason) -> StorageResult<()> {
        self.commit(self.store.begin_bootstrap(reason)).await
    }

    async fn apply_first_screen(&self, page: BootstrapPage) -> StorageResult<ApplyReport> {
        self.commit(self.store.apply_first_screen(page)).await
    }

    async fn apply_bootstrap<'a>(
        &self,
        after: Option<&'a Continuation>,
        page: BootstrapPage,
    ) -> StorageResult<ApplyReport> {
        self.commit(self.store.apply_bootstrap(after, page)).await
    }

    async fn apply_pull(&self, from: &Cursor, page: PullPage) -> StorageResult<ApplyReport> {
        self.commit(self.store.apply_pull(from, page)).await
    }

    async fn apply_history(&self, generation: u64, page: HistoryPage) -> StorageResult<ApplyReport> {
        self.commit(self.store.apply_history(generation, page)).await
    }

    async fn missing_ranges(&self, limit: u32) -> StorageResult<Vec<MissingRange>> {
        self.store.missing_ranges(limit).await
    }

    async fn next_check(&self, after: Option<ConversationId>) -> StorageResult<Option<Checkable>> {
        self.store.next_check(after).await
    }

    async fn check_digest(&self) -> StorageResult<bool> {
        self.commit(self.store.check_digest()).await
    }

    async fn remember(&self, memory: &SyncMemory, succeeded_at: Option<Time>) -> StorageResult<()> {
        self.commit(self.store.remember(memory, succeeded_at)).await
    }

    async fn trim(&self, keep: Keep, from: Option<ConversationId>, limit: u32) -> StorageResult<Trimmed> {
        self.commit(self.store.trim(keep, from, limit)).await
    }
}

#[async_trait]
impl Sessions for Watched {
    async fn session(&self) -> StorageResult<Option<Session>> {
        self.store.session().await
    }

    async fn save_session(&self, session: &Session) -> StorageResult<()> {
        self.commit(self.store.save_session(session)).await
    }

    async fn claim(&self, person: PersonId) -> StorageResult<()> {
        self.commit(self.store.claim(person)).await
    }

    async fn forget_former_sessions(&self) -> StorageResult<()> {
        self.store.forget_former_sessions().await
    }

    async fn clear_session(&self) -> StorageResult<()> {
        self.commit(self.store.clear_session()).await
    }

    async fn account(&self) -> StorageResult<Option<PersonId>> {
        self.store.account().await
    }
}

#[async_trait]
impl Turns for Watched {
    async fn try_turn(&self) -> StorageResult<Option<Turn>> {
        self.store.try_turn().await
    }
}

#[async_trait]
impl Store for Watched {
    async fn pause(&self) -> StorageResult<()> {
        self.store.pause().await
    }

    async fn resume(&self) -> StorageResult<()> {
        self.store.resume().await
    }

    fn changes(&self) -> ChangeReceiver {
        self.store.changes()
    }

    fn look_again(&self) {
        self.store.look_again();
    }

    async fn inspect(&self) -> StorageResult<Inspection> {
        self.store.inspect().await
    }

    async fn imported(&self) -> StorageResult<Option<ImportReport>> {
        self.store.imported().await
    }

    async fn wipe(&self) -> StorageResult<()> {
        self.commit(self.store.wipe()).await
    }

    async fn close(&self) -> StorageResult<()> {
        self.store.close().await
    }
}
