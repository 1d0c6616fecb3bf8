//! What a successful pass must have brought: everything committed before it started (gap_free), and, if nothing was
//! written meanwhile, exactly the server's state (unread_exact, convergence).

use super::{unreadable, visibility};
use crate::simulator::{
    Breach, Invariant,
    network::{Hub, Tracks},
    world::{Process, ReadUpTo},
};
use fieldpost_domain::{ConversationId, Message, MessageId, MutationKind, PersonId, Seq};
use fieldpost_storage::{ConversationSummary, Older, StorageResult, SyncPosition, ThreadMessage, Window};
use fieldpost_sync::SyncReport;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, atomic::Ordering},
};

/// The state before a pass.
pub(crate) struct Before {
    reader: PersonId,
    read: ReadUpTo,
    breaks: u64,
    sights: u64,
    threads: BTreeMap<ConversationId, Vec<Message>>,
    /// The messages on the device, for each conversation with a queued read mark.
    marked: BTreeMap<ConversationId, BTreeSet<MessageId>>,
    /// A first load was under way.
    loading: bool,
    loads_anew: u64,
}

impl Before {
    pub(crate) async fn new(hub: &Hub, process: &Process, reader: PersonId, read: ReadUpTo) -> Self {
        let all = hub.server.conversations_of(reader);
        let threads = all.into_iter().map(|row| (row.id, hub.messages_for(reader, row.id))).collect();
        let (breaks, sights) = (hub.uplink.breaks(), hub.sights.load(Ordering::SeqCst));
        let mut marked = BTreeMap::new();
        for conversation in marks(process).await.unwrap_or_default() {
            let window = process.store.messages(conversation, Window::newest(u32::MAX)).await;
            let here = window.into_iter().flat_map(|window| window.messages).map(|message| message.id);
            marked.insert(conversation, here.collect());
        }
        let state = process.store.sync_state().await;
        let loading = state.is_ok_and(|state| !matches!(state.position, SyncPosition::Following(_)));
        let loads_anew = process.loads_anew();
        Self { reader, read, breaks, sights, threads, marked, loading, loads_anew }
    }

    /// A pass that continues from a cursor begins a first load only if the server says that the cursor has expired,
    /// or if the store was wiped.
    pub(crate) fn loads_only_what_it_must(&self, process: &Process, report: &SyncReport) -> Result<(), Breach> {
        if self.loading || report.bootstraps == 0 || process.loads_anew() > self.loads_anew {
            return Ok(());
        }
        Err(Breach::new(Invariant::Bounded, format!("{} loads everything anew for no reason", process.name)))
    }

    /// Call this right after a successful pass.
    pub(crate) async fn judge(self, hub: &Hub, process: &Process, tracks: &Tracks) -> Result<(), Breach> {
        no_tokens_beside_the_keychain(process).await?;
        if hub.uplink.breaks() != self.breaks {
            // The history may be another one.
            return Ok(());
        }
        let visible = hub.server.conversations_of(self.reader);
        // A conversation that was hidden for a moment in between may be missing from every page.
        let always_seen = hub.sights.load(Ordering::SeqCst) == self.sights;
        for row in visible.iter().filter(|_| always_seen) {
            if let Some(messages) = self.threads.get(&row.id) {
                all_are_here(hub, process, row.id, messages).await?;
            }
        }
        let marked = self.marks_hold(hub, process, true).await?;
        let here = visibility::shown(process.store.as_ref()).await?;
        if tracks.commits_at_end(process.who) != Some(hub.server.commits()) {
            return Ok(());
        }
        let setting = queued(process, MutationKind::SetConversation).await.map_err(unreadable)?;
        for row in visible.iter().filter(|row| !marked.contains(&row.id) && !setting.contains(&row.id)) {
            let shown = here.get(&row.id);
            let shown = shown.ok_or_else(|| gap(process, format!("{} is not listed after a pass", row.id)))?;
            visibility::same(&process.name, row, shown)?;
        }
        Ok(())
    }

    /// Call this after a failed pass. It may have failed while pushing, after it had pulled everything.
    pub(crate) async fn judge_failed(self, hub: &Hub, process: &Process, tracks: &Tracks) -> Result<(), Breach> {
        let same_history = hub.uplink.breaks() == self.breaks;
        // A released store cannot be read.
        let can_be_read = marks(process).await.is_ok();
        if can_be_read && same_history && tracks.commits_at_end(process.who) == Some(hub.server.commits()) {
            self.marks_hold(hub, process, false).await?;
        }
        Ok(())
    }

    /// Returns the conversations with a queued read mark.
    async fn marks_hold(&self, hub: &Hub, process: &Process, ended_well: bool) -> Result<Vec<ConversationId>, Breach> {
        let marked = marks(process).await.map_err(unreadable)?;
        let here = visibility::shown(process.store.as_ref()).await?;
        for shown in here.values().filter(|shown| marked.contains(&shown.id)) {
            self.stays_read(hub, process, shown, ended_well).await?;
        }
        Ok(marked)
    }

    /// What was read must not become unread again before the server knows about it. If part of the messages above the
    /// marker is only on the server, the device cannot know who sent them, so all of them may count as unread. The
    /// exception: the device has everything that was read, so it knows how much of the server's count that is.
    async fn stays_read(
        &self,
        hub: &Hub,
        process: &Process,
        shown: &ConversationSummary,
        ended_well: bool,
    ) -> Result<(), Breach> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&shown.id).copied();
        // What she has marked as unread since is unread.
        let Some(read) = read.filter(|_| !shown.is_marked_unread()) else { return Ok(()) };
        // A first load of another history lowers a mark that was made meanwhile below the first message that was not here: it
        // may be one that an edit has made visible, or one that took the place of another.
        if self.loading && !self.marked.contains_key(&shown.id) {
            return Ok(());
        }
        let now = hub.messages_for(self.reader, shown.id);
        let both = self.threads.get(&shown.id).into_iter().flatten().chain(&now);
        let newer = both.filter(|message| message.seq > read && message.sender_id != self.reader);
        let newer: BTreeSet<_> = newer.map(|message| message.id).collect();
        let window = process.store.messages(shown.id, Window::newest(u32::MAX)).await.map_err(unreadable)?;
        let lowest = window.messages.iter().find_map(|message| message.seq);
        // A failed pass may not have pulled the newest messages. One that ended well may only know that there are some: a
        // page of history has named them after the last pull, and when it asked for them, the conversation was hidden.
        let to_its_end = (ended_well && self.is_seen_throughout(hub, shown.id))
            || window.messages.iter().filter_map(|message| message.seq).max() >= Some(shown.last_seq);
        let down_to_the_marker =
            matches!(window.older, Older::Nothing) || lowest.is_some_and(|lowest| lowest <= read.next());
        let whole = to_its_end && down_to_the_marker;
        let unchanged = self.threads.get(&shown.id) == Some(&now);
        let known = self.marked.get(&shown.id).is_some_and(|known| {
            let read = now.iter().filter(|message| message.seq <= read && message.sender_id != self.reader);
            read.filter(|message| message.deleted_at.is_none()).all(|message| known.contains(&message.id))
        });
        let most = if whole || (unchanged && known) {
            newer.len() as u64
        } else {
            shown.last_seq.get().saturating_sub(read.get())
        };
        if shown.unread <= most {
            return Ok(());
        }
        let what = format!("{}: what was read of {} is unread again", process.name, shown.id);
        let breach = Breach::new(Invariant::UnreadExact, what);
        Err(breach.with_views(format!("at most {most} unread"), format!("{} unread", shown.unread)))
    }
}

impl Before {
    /// Whether the reader could see the conversation from the beginning of the pass until now. What is seen at both ends was
    /// hidden in between only if two transactions have changed who sees what.
    fn is_seen_throughout(&self, hub: &Hub, conversation: ConversationId) -> bool {
        let now = hub.server.conversations_of(self.reader);
        let at_both_ends = self.threads.contains_key(&conversation) && now.iter().any(|row| row.id == conversation);
        at_both_ends && hub.sights.load(Ordering::SeqCst) - self.sights < 2
    }
}

/// The conversations with a queued read mark.
async fn marks(process: &Process) -> StorageResult<Vec<ConversationId>> {
    queued(process, MutationKind::MarkRead).await
}

/// The conversations with a queued mutation of this kind.
async fn queued(process: &Process, kind: MutationKind) -> StorageResult<Vec<ConversationId>> {
    let entries = process.store.entries(u32::MAX).await?;
    Ok(entries.into_iter().filter(|entry| entry.kind == kind).map(|entry| entry.conversation_id).collect())
}

/// More mutations than any conversation of a run has queued when it is removed.
const MARGIN: u64 = 30;

/// A mutation answered with `retry` must wait for a later pass.
pub(crate) async fn patience(process: &Process, report: &SyncReport) -> Result<(), Breach> {
    let counts = process.store.counts().await.map_err(unreadable)?;
    // Mutations that were removed with their conversation are in none of these counts.
    if report.retrying <= counts.pending + counts.failed + report.pushed + MARGIN {
        return Ok(());
    }
    let what = format!("{} was told {} times to come back in one pass", process.name, report.retrying);
    Err(Breach::new(Invariant::Bounded, what))
}

fn gap(process: &Process, what: impl std::fmt::Display) -> Breach {
    Breach::new(Invariant::GapFree, format!("{}: {what}", process.name))
}

/// Everything that existed before the pass is on the device, down to the start of the loaded part of the thread.
async fn all_are_here(
    hub: &Hub,
    process: &Process,
    conversation: ConversationId,
    before: &[Message],
) -> Result<(), Breach> {
    let Ok(window) = process.store.messages(conversation, Window::newest(u32::MAX)).await else {
        return Err(gap(process, format!("{conversation} is not here after a pass")));
    };
    let here: BTreeMap<_, &ThreadMessage> = window.messages.iter().map(|message| (message.id, message)).collect();
    let last_seq = hub.server.conversation(conversation).map_or(Seq::ZERO, |row| row.last_seq);
    let lowest = match window.older {
        Older::Nothing => Seq::ZERO,
        // All loaded messages down to this seq may have been deleted.
        Older::OnServer(lowest) if lowest <= last_seq => lowest,
        // Nothing is loaded although there are messages: then all of them are missing.
        _ => window.messages.iter().find_map(|message| message.seq).unwrap_or(Seq::ZERO),
    };
    for message in before.iter().filter(|message| message.seq >= lowest) {
        // A row that changed after the pass started may come with the next one.
        let Some(now) = hub.server.message(message.id).filter(|now| now.version == message.version) else { continue };
        let Some(found) = here.get(&message.id) else {
            let shown: Vec<_> = here.values().filter_map(|one| one.seq.map(Seq::get)).collect();
            let what = format!("{} (seq {}) of {conversation} is missing after a pass", message.id, message.seq);
            return Err(gap(process, what).with_views(format!("seq {}", message.seq), format!("seqs {shown:?}")));
        };
        let same = found.changing || (found.content == now.content && found.deleted == now.deleted_at.is_some());
        if !same {
            let what = format!("{}: {} of {conversation} is in an old state after a pass", process.name, message.id);
            return Err(Breach::new(Invariant::Convergence, what));
        }
    }
    Ok(())
}

/// An app that keeps its tokens in a keychain leaves none of them in the file.
async fn no_tokens_beside_the_keychain(process: &Process) -> Result<(), Breach> {
    let stored = process.store.session().await.map_err(unreadable)?;
    match stored.filter(|stored| process.keeps_tokens_apart && !stored.access_token.reveal().is_empty()) {
        Some(_) => Err(Breach::new(Invariant::Privacy, format!("{} leaves its tokens in the file", process.name))),
        None => Ok(()),
    }
}
