//! The roles of the contract. Each method reads the state or replaces it.

use super::{CLOSED, MemoryStore, OPEN, PAUSED, state::State};
use crate::{
    ApplyReport, BatchLimits, BootstrapReason, ChangeReceiver, Checkable, ConversationFilter, ConversationSummary,
    Conversations, Drafts, ImportReport, Inspection, Keep, Messages, MissingRange, NewBroadcast, NewDirect, Outbox,
    OutboxCounts, OutboxEntry, OutgoingMessage, People, Replica, Search, SearchPage, SearchQuery, Section, Sessions,
    SettleReport, StorageError, StorageErrorKind, StorageResult, Store, StoredDraft, SyncMemory, SyncPosition,
    SyncState, ThreadMessage, ThreadSection, ThreadWindow, Trimmed, Turn, Turns, Window,
};
use async_trait::async_trait;
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, MedicId, MessageContent, MessageId, Mutation,
    MutationId, Person, PersonId, PullPage, PushResult, ReadMarker, Seq, Session, SettingsChange, Time,
    planted::{self, PlantedBug, planted},
};
use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
};

#[async_trait]
impl Conversations for MemoryStore {
    async fn conversations(&self, limit: u32) -> StorageResult<Vec<ConversationSummary>> {
        let all = ConversationFilter { limit, ..ConversationFilter::all(Time::UNIX_EPOCH) };
        self.read("conversations", |state| Ok(state.listed(&all)))
    }

    async fn conversations_matching(&self, filter: &ConversationFilter) -> StorageResult<Vec<ConversationSummary>> {
        self.read("conversations_matching", |state| Ok(state.listed(filter)))
    }

    async fn conversation(&self, id: ConversationId) -> StorageResult<Option<ConversationSummary>> {
        self.read("conversation", |state| Ok(state.threads.get(&state.resolve(id)).map(|thread| state.summary(thread))))
    }

    async fn total_unread(&self) -> StorageResult<u64> {
        self.read("total_unread", |state| Ok(state.threads.keys().map(|id| state.unread(*id)).sum()))
    }

    async fn total_unread_mentions(&self) -> StorageResult<u64> {
        let total = |state: &State| state.threads.keys().map(|id| state.unread_mentions(*id)).sum();
        self.read("total_unread_mentions", |state| Ok(total(state)))
    }

    async fn unread_for_badge(&self, now: Time) -> StorageResult<u64> {
        self.read("unread_for_badge", |state| Ok(state.unread_for_badge(now)))
    }

    async fn next_unmute(&self, now: Time) -> StorageResult<Option<Time>> {
        self.read("next_unmute", |state| Ok(state.next_unmute(now)))
    }
}

#[async_trait]
impl Drafts for MemoryStore {
    async fn draft(&self, conversation: ConversationId) -> StorageResult<Option<StoredDraft>> {
        self.read("draft", |state| Ok(state.drafts.get(&state.resolve(conversation)).cloned()))
    }

    async fn drafts(&self) -> StorageResult<Vec<StoredDraft>> {
        self.read("drafts", |state| Ok(state.all_drafts()))
    }

    async fn set_draft(&self, draft: StoredDraft) -> StorageResult<()> {
        self.write("set_draft", |state| state.set_draft(draft))
    }

    async fn clear_draft(&self, conversation: ConversationId) -> StorageResult<()> {
        self.write("clear_draft", |state| {
            let conversation = state.resolve(conversation);
            state.drafts.remove(&conversation);
            Ok(())
        })
    }

    async fn send_draft(
        &self,
        mutation: MutationId,
        message: MessageId,
        conversation: ConversationId,
        at: Time,
    ) -> StorageResult<ThreadMessage> {
        self.write("send_draft", |state| state.send_draft(mutation, message, conversation, at))
    }
}

#[async_trait]
impl Messages for MemoryStore {
    async fn messages(&self, conversation: ConversationId, window: Window) -> StorageResult<ThreadWindow> {
        self.read("messages", |state| state.window(conversation, window))
    }

    async fn section(&self, conversation: ConversationId, section: Section) -> StorageResult<ThreadSection> {
        self.read("section", |state| state.section(conversation, section))
    }

    async fn markers(&self, conversation: ConversationId) -> StorageResult<Vec<ReadMarker>> {
        self.read("markers", |state| {
            let id = state.resolve(conversation);
            Ok(state.markers.values().filter(|marker| marker.conversation_id == id).cloned().collect())
        })
    }

    async fn stored_below(&self, conversation: ConversationId, below: Seq) -> StorageResult<Option<Seq>> {
        self.read("stored_below", |state| {
            let stored = state.server_messages(state.resolve(conversation)).map(|message| message.seq);
            Ok(stored.filter(|seq| *seq < below).max())
        })
    }

    async fn message(&self, id: MessageId) -> StorageResult<Option<ThreadMessage>> {
        self.read("message", |state| Ok(state.messages.get(&id).map(|row| state.thread_message(row))))
    }
}

#[async_trait]
impl People for MemoryStore {
    async fn people(&self) -> StorageResult<Vec<Person>> {
        self.read("people", |state| {
            let mut members: Vec<Person> = state.people.values().filter(|person| !person.removed).cloned().collect();
            members.sort_by(|a, b| {
                (&a.first_name, &a.last_name, a.id, a.org_id).cmp(&(&b.first_name, &b.last_name, b.id, b.org_id))
            });
            Ok(members)
        })
    }

    async fn person(&self, id: PersonId) -> StorageResult<Option<Person>> {
        self.read("person", |state| Ok(state.person_row(id).cloned()))
    }

    async fn medic(&self, id: MedicId) -> StorageResult<Option<Person>> {
        self.read("medic", |state| Ok(state.medic_row(id).cloned()))
    }
}

#[async_trait]
impl Search for MemoryStore {
    async fn search(&self, query: &SearchQuery) -> StorageResult<SearchPage> {
        self.read("search", |state| Ok(state.search(query)))
    }

    /// Nothing is indexed.
    async fn index(&self) -> StorageResult<u64> {
        self.read("index", |_| Ok(0))
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn send(&self, mutation: MutationId, message: OutgoingMessage) -> StorageResult<ThreadMessage> {
        self.write("send", |state| state.send(mutation, message))
    }

    async fn open_direct(&self, mutation: MutationId, new: NewDirect) -> StorageResult<ConversationSummary> {
        self.write("open_direct", |state| state.open_direct(mutation, new))
    }

    async fn open_broadcast(&self, mutation: MutationId, new: NewBroadcast) -> StorageResult<ConversationSummary> {
        self.write("open_broadcast", |state| state.open_broadcast(mutation, new))
    }

    async fn mark_read(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq> {
        self.write("mark_read", |state| state.mark_read(mutation, conversation, up_to, at))
    }

    async fn set_conversation(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        change: SettingsChange,
        at: Time,
    ) -> StorageResult<ConversationSummary> {
        self.write("set_conversation", |state| state.set_conversation(mutation, conversation, change, at))
    }

    async fn next_batch(&self, limits: BatchLimits, held: &HashSet<ConversationId>) -> StorageResult<Vec<Mutation>> {
        self.write("next_batch", |state| Ok(state.next_batch(limits, held)))
    }

    async fn settle(&self, results: Vec<PushResult>) -> StorageResult<SettleReport> {
        self.write("settle", |state| Ok(state.settle(results)))
    }

    async fn settle_quiet(&self, results: Vec<PushResult>, from: &Cursor, to: &Cursor) -> StorageResult<SettleReport> {
        self.write("settle", |state| Ok(state.settle_quiet(results, from, to)))
    }

    async fn withdraw(&self, mutations: &[MutationId]) -> StorageResult<()> {
        self.write("withdraw", |state| {
            state.withdraw(mutations);
            Ok(())
        })
    }

    async fn expire(&self, before: Time) -> StorageResult<u64> {
        self.write("expire", |state| Ok(state.expire(before)))
    }

    async fn retry(&self, mutation: MutationId, at: Time) -> StorageResult<OutboxEntry> {
        self.write("retry", |state| state.retry(mutation, at))
    }

    async fn change(&self, mutation: Mutation, at: Time) -> StorageResult<ThreadMessage> {
        self.write("change", |state| state.change(mutation, at))
    }

    async fn changes_of(&self, message: MessageId) -> StorageResult<Vec<OutboxEntry>> {
        self.read("changes_of", |state| Ok(state.changes_of(message)))
    }

    async fn edit(&self, mutation: MutationId, content: MessageContent, at: Time) -> StorageResult<OutboxEntry> {
        self.write("edit", |state| state.edit(mutation, content, at))
    }

    async fn cancel(&self, mutation: MutationId) -> StorageResult<Vec<OutboxEntry>> {
        self.write("cancel", |state| state.cancel(mutation))
    }

    async fn entry_of(&self, message: MessageId) -> StorageResult<Option<OutboxEntry>> {
        self.read("entry_of", |state| Ok(state.entry_of(message).map(|entry| state.view(entry))))
    }

    async fn entries(&self, limit: u32) -> StorageResult<Vec<OutboxEntry>> {
        self.read("entries", |state| Ok(state.entries(limit)))
    }

    async fn counts(&self) -> StorageResult<OutboxCounts> {
        self.read("counts", |state| Ok(state.counts()))
    }
}

#[async_trait]
impl Replica for MemoryStore {
    async fn sync_state(&self) -> StorageResult<SyncState> {
        self.read("sync_state", |state| {
            Ok(SyncState {
                position: state.position.clone(),
                run_open: state.run_open,
                me: state.me_row().cloned(),
                last_success_at: state.last_success_at,
                unreadable_rows: state.unreadable.len() as u64,
                server: state.server.clone(),
                generation: state.generation,
                memory: state.memory.clone(),
            })
        })
    }

    async fn memberships(&self) -> StorageResult<Vec<Person>> {
        self.read("memberships", |state| {
            let own = state.people.values().filter(|person| Some(person.id) == state.me);
            Ok(own.cloned().collect())
        })
    }

    async fn begin_bootstrap(&self, reason: BootstrapReason) -> StorageResult<()> {
        self.write("begin_bootstrap", |state| {
            state.begin_bootstrap(reason);
            Ok(())
        })
    }

    async fn apply_bootstrap<'a>(
        &self,
        after: Option<&'a Continuation>,
        page: BootstrapPage,
    ) -> StorageResult<ApplyReport> {
        self.write("apply_bootstrap", |state| state.apply_bootstrap(after, page))
    }

    async fn apply_first_screen(&self, page: BootstrapPage) -> StorageResult<ApplyReport> {
        self.write("apply_first_screen", |state| state.apply_first_screen(page))
    }

    async fn apply_pull(&self, from: &Cursor, page: PullPage) -> StorageResult<ApplyReport> {
        if planted(PlantedBug::CursorBeforePage) {
            let next = SyncPosition::Following(page.cursor.clone());
            self.write("apply_pull", |state| {
                state.position = next;
                Ok(())
            })?;
            planted::give_way().await;
            return self.write("apply_pull", |state| state.apply_pull(&page.cursor.clone(), page));
        }
        self.write("apply_pull", |state| state.apply_pull(from, page))
    }

    async fn apply_history(&self, generation: u64, page: HistoryPage) -> StorageResult<ApplyReport> {
        self.write("apply_history", |state| state.apply_history(generation, page))
    }

    async fn missing_ranges(&self, limit: u32) -> StorageResult<Vec<MissingRange>> {
        self.read("missing_ranges", |state| Ok(state.missing_ranges(limit)))
    }

    async fn next_check(&self, after: Option<ConversationId>) -> StorageResult<Option<Checkable>> {
        self.read("next_check", |state| Ok(state.next_check(after)))
    }

    /// Nothing is stored, so nothing can be wrong: the digest is computed at every use.
    async fn check_digest(&self) -> StorageResult<bool> {
        self.read("check_digest", |_| Ok(true))
    }

    async fn remember(&self, memory: &SyncMemory, succeeded_at: Option<Time>) -> StorageResult<()> {
        self.write("remember", |state| {
            state.memory = memory.clone();
            state.last_success_at = succeeded_at.or(state.last_success_at);
            Ok(())
        })
    }

    async fn trim(&self, keep: Keep, from: Option<ConversationId>, limit: u32) -> StorageResult<Trimmed> {
        self.write("trim", |state| Ok(state.trim(keep, from, limit)))
    }
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn session(&self) -> StorageResult<Option<Session>> {
        self.read("session", |state| Ok(state.session.clone()))
    }

    async fn save_session(&self, session: &Session) -> StorageResult<()> {
        self.write("save_session", |state| {
            if *state.account.get_or_insert(session.person_id) != session.person_id {
                return Err(StorageError::new(StorageErrorKind::WrongAccount, "save_session"));
            }
            state.session = Some(session.clone());
            Ok(())
        })
    }

    async fn claim(&self, person: PersonId) -> StorageResult<()> {
        self.write("claim", |state| {
            if *state.account.get_or_insert(person) != person {
                return Err(StorageError::new(StorageErrorKind::WrongAccount, "claim"));
            }
            Ok(())
        })
    }

    async fn forget_former_sessions(&self) -> StorageResult<()> {
        self.read("forget_former_sessions", |_| Ok(()))
    }

    async fn clear_session(&self) -> StorageResult<()> {
        self.write("clear_session", |state| {
            state.session = None;
            Ok(())
        })
    }

    async fn account(&self) -> StorageResult<Option<PersonId>> {
        self.read("account", |state| Ok(state.account))
    }
}

#[async_trait]
impl Turns for MemoryStore {
    async fn try_turn(&self) -> StorageResult<Option<Turn>> {
        self.check_open("try_turn")?;
        self.look_again();
        Ok(Arc::clone(&self.turn).try_lock_owned().ok().map(Turn::new))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn pause(&self) -> StorageResult<()> {
        self.set_lifecycle(PAUSED, "pause")
    }

    async fn resume(&self) -> StorageResult<()> {
        self.set_lifecycle(OPEN, "resume")?;
        self.look_again();
        Ok(())
    }

    fn changes(&self) -> ChangeReceiver {
        self.changes.subscribe()
    }

    fn look_again(&self) {
        self.report(&self.disk());
    }

    async fn inspect(&self) -> StorageResult<Inspection> {
        self.read("inspect", |_| Ok(Inspection::default()))
    }

    async fn imported(&self) -> StorageResult<Option<ImportReport>> {
        self.read("imported", |_| Ok(None))
    }

    async fn wipe(&self) -> StorageResult<()> {
        self.write("wipe", |state| {
            // Requests from before the wipe must not be applied after it, so the generation changes too.
            let ids = Arc::clone(&state.ids);
            *state = State { ids, generation: state.generation + 1, ..State::default() };
            Ok(())
        })
    }

    async fn close(&self) -> StorageResult<()> {
        self.lifecycle.store(CLOSED, Ordering::SeqCst);
        self.changes.close();
        Ok(())
    }
}
