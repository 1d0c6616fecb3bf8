//! Builds the views: summaries, messages and windows.

use super::ranges::{FIRST, run_start};
use super::state::{Row, State, Thread};
use crate::{
    ConversationFilter, ConversationSummary, EntryState, Older, Quote, Quoted, ReceiptCounts, StorageError,
    StorageErrorKind, StorageResult, StoredDraft, ThreadMessage, ThreadWindow, Window,
};
use fieldpost_domain::{
    Changeable, ConversationId, ConversationKind, Message, MessageId, MessageStatus, NewMessage, Role, Seq, Time,
    preview,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

impl State {
    /// All conversations, the newest activity first.
    pub(super) fn by_activity(&self) -> Vec<(ConversationId, &Thread)> {
        let mut all: Vec<_> = self.threads.iter().map(|(id, thread)| (*id, thread)).collect();
        all.sort_by_cached_key(|(id, thread)| (Reverse(self.newest(thread).0.unwrap_or(thread.row.created_at)), *id));
        all
    }

    /// The conversations that match, in the order of a list.
    pub(super) fn listed(&self, filter: &ConversationFilter) -> Vec<ConversationSummary> {
        let all = self.threads.values().map(|thread| self.summary(thread));
        let mut shown: Vec<_> = all.filter(|line| filter.matches(line)).collect();
        shown.sort_by_cached_key(ConversationSummary::place);
        shown.truncate(filter.limit as usize);
        shown
    }

    pub(super) fn summary(&self, thread: &Thread) -> ConversationSummary {
        let (last_message_at, last_message_preview) = self.newest(thread);
        ConversationSummary {
            id: thread.row.id,
            org_id: thread.row.org_id,
            kind: thread.row.kind.clone(),
            participant_name: self.participant_name(thread),
            subject: thread.row.subject.clone(),
            omitted: thread.row.omitted.clone(),
            medic_id: thread.row.medic_id,
            created_at: thread.row.created_at,
            last_message_at,
            last_message_preview,
            unread: self.unread(thread.row.id),
            unread_mentions: self.unread_mentions(thread.row.id),
            last_seq: thread.row.last_seq,
            on_server: thread.on_server,
            settings: self.settings_of(thread.row.id),
            revived: self.is_revived(thread.row.id),
            draft: self.drafts.get(&thread.row.id).map(|draft| StoredDraft::first_line(&draft.text)),
        }
    }

    /// The time and preview of the newest message.
    fn newest(&self, thread: &Thread) -> (Option<Time>, Option<String>) {
        if let Some(message) = self.queued_messages(thread.row.id).last() {
            return (Some(message.composed_at), self.preview_of(message.id));
        }
        let up_to_date = |seq: Seq| seq >= thread.counted_to;
        let top = self.server_messages(thread.row.id).max_by_key(|message| message.seq);
        match top {
            Some(top) if up_to_date(top.seq) || thread.range.is_some_and(|range| up_to_date(range.to)) => {
                (Some(top.created_at), self.preview_of(top.id))
            }
            _ => (thread.row.last_message_at, thread.row.last_message_preview.clone()),
        }
    }

    fn preview_of(&self, message: MessageId) -> Option<String> {
        self.messages.get(&message).and_then(|row| self.shown(row).content).as_deref().map(preview)
    }

    /// Messages without a seq, in the order of sending.
    pub(super) fn queued_messages(&self, conversation: ConversationId) -> Vec<&NewMessage> {
        let mut queued_messages: Vec<(u64, &NewMessage)> = self
            .messages
            .values()
            .filter_map(|row| match row {
                Row::Local { message, order } if message.conversation_id == conversation => Some((*order, message)),
                _ => None,
            })
            .collect();
        queued_messages.sort_by_key(|(order, _)| *order);
        queued_messages.into_iter().map(|(_, message)| message).collect()
    }

    pub(super) fn window(&self, conversation: ConversationId, window: Window) -> StorageResult<ThreadWindow> {
        let id = self.resolve(conversation);
        let Some(thread) = self.threads.get(&id) else {
            return Err(StorageError::new(StorageErrorKind::NotFound, "messages"));
        };
        let by_seq: BTreeMap<Seq, &Message> = self.server_messages(id).map(|message| (message.seq, message)).collect();
        let run = self.run_below(thread, &by_seq, window.before);
        let mut rows: Vec<&Message> =
            by_seq.range(run.0..run.1).map(|(_, message)| *message).rev().take(window.limit as usize).collect();
        rows.reverse();
        let shown_from = rows.first().map_or(run.1, |message| message.seq);
        let older = if by_seq.range(run.0..shown_from).next().is_some() {
            Older::Here(shown_from)
        } else if run.0 <= FIRST {
            Older::Nothing
        } else {
            Older::OnServer(run.0)
        };
        let mut messages: Vec<_> = rows.into_iter().filter_map(|message| self.view_of(message.id)).collect();
        if window.before.is_none() {
            messages.extend(self.queued_messages(id).into_iter().filter_map(|message| self.view_of(message.id)));
        }
        Ok(ThreadWindow { messages, older })
    }

    /// The run of known seqs `[from, end)` below `before`.
    fn run_below(&self, thread: &Thread, by_seq: &BTreeMap<Seq, &Message>, before: Option<Seq>) -> (Seq, Seq) {
        let known: BTreeSet<Seq> = by_seq.keys().chain(&thread.deleted_seqs).copied().collect();
        let loaded = thread.range.filter(|range| range.to >= range.from);
        let newest = known.last().copied().max(loaded.map(|range| range.to));
        let Some(newest) = newest else {
            // Nothing is stored here: the part is empty, or it is on the server only.
            let end = thread.row.last_seq.next().min(before.unwrap_or(Seq::new(u64::MAX)));
            return (end, end);
        };
        let end = before.map_or(newest.next(), |before| before.min(newest.next()));
        let top = end.previous();
        match loaded {
            Some(range) if range.from <= top && top <= range.to => (range.from, end),
            _ if known.contains(&top) => (run_start(&known, top), end),
            _ => (end, end),
        }
    }

    pub(super) fn thread_message(&self, row: &Row) -> ThreadMessage {
        let view = self.base_message(row);
        let Changeable { content, mentions, deleted_at, .. } = self.shown(row);
        let mentions_me = self.owner().is_some_and(|own| mentions.contains(&own));
        let reply = view.reply_to.map(|id| self.quoted(view.conversation_id, id));
        let (changing, reactions) = (self.is_changing(row.id()), self.thread_reactions(row));
        let view = ThreadMessage { content, reply, mentions, mentions_me, changing, reactions, ..view };
        if deleted_at.is_some() { view.without_content() } else { view }
    }

    /// The message without its pending changes.
    pub(super) fn base_message(&self, row: &Row) -> ThreadMessage {
        match row {
            Row::Local { message, .. } => self.local_view(message),
            Row::Server(message) => self.server_view(message),
        }
    }

    /// The message that another one of this conversation replies to.
    fn quoted(&self, conversation: ConversationId, id: MessageId) -> Quoted {
        let row = self.messages.get(&id).filter(|row| row.conversation_id() == conversation);
        let Some(row) = row else {
            let deleted = self.message_tombstones.contains_key(&id);
            return if deleted { Quoted::Deleted(id) } else { Quoted::NotHere(id) };
        };
        let Changeable { content, deleted_at, .. } = self.shown(row);
        if deleted_at.is_some() {
            return Quoted::Deleted(id);
        }
        let kind = match row {
            Row::Local { message, .. } => &message.kind,
            Row::Server(message) => &message.kind,
        };
        let sender = row.sender_id();
        let (name, mine) = (self.sender_name(sender, conversation), Some(sender) == self.owner());
        Quoted::Here(Quote::new(id, name, mine, kind.clone(), content.as_deref()))
    }

    pub(super) fn view_of(&self, message: MessageId) -> Option<ThreadMessage> {
        self.messages.get(&message).map(|row| self.thread_message(row))
    }

    fn local_view(&self, message: &NewMessage) -> ThreadMessage {
        let entry = self.entry_of(message.id);
        let failure = entry.and_then(|entry| match &entry.state {
            EntryState::Failed(refusal) => Some(refusal.clone()),
            EntryState::Queued { .. } | EntryState::NeedsServer(_) | EntryState::Sending => None,
        });
        ThreadMessage {
            id: message.id,
            conversation_id: message.conversation_id,
            sender_id: message.sender_id,
            sender_name: self.sender_name(message.sender_id, message.conversation_id),
            mine: Some(message.sender_id) == self.owner(),
            kind: message.kind.clone(),
            content: Some(message.content.as_str().to_owned()),
            metadata: message.metadata.clone(),
            reply_to: message.reply_to,
            reply: None,
            mentions: message.mentions.clone(),
            mentions_me: false,
            reactions: Vec::new(),
            status: if entry.is_some() { MessageStatus::Queued } else { MessageStatus::Sent },
            receipts: None,
            sending: entry.is_some_and(super::state::Entry::is_sending),
            changing: false,
            failure,
            seq: None,
            composed_at: Some(message.composed_at),
            created_at: message.composed_at,
            edited_at: None,
            deleted: false,
            omitted: None,
        }
    }

    fn server_view(&self, message: &Message) -> ThreadMessage {
        let mine = Some(message.sender_id) == self.owner();
        ThreadMessage {
            id: message.id,
            conversation_id: message.conversation_id,
            sender_id: message.sender_id,
            sender_name: self.sender_name(message.sender_id, message.conversation_id),
            mine,
            kind: message.kind.clone(),
            content: message.content.clone(),
            metadata: message.metadata.clone(),
            reply_to: message.reply_to,
            reply: None,
            mentions: message.mentions.clone(),
            mentions_me: false,
            reactions: Vec::new(),
            status: if mine { self.status_by_receipts(message) } else { message.status.clone() },
            receipts: self.receipts_of(message).filter(|_| mine),
            sending: false,
            changing: false,
            failure: None,
            seq: Some(message.seq),
            composed_at: message.composed_at,
            created_at: message.created_at,
            edited_at: message.edited_at,
            deleted: message.deleted_at.is_some(),
            omitted: message.omitted.clone(),
        }
    }

    /// How many medics have received and read a message of a broadcast.
    fn receipts_of(&self, message: &Message) -> Option<ReceiptCounts> {
        let row = &self.threads.get(&message.conversation_id).filter(|thread| is_broadcast(thread))?.row;
        let medics = self.people.values().filter(|person| {
            person.org_id == row.org_id && person.role == Role::Medic && Some(person.id) != self.owner()
        });
        let mut counts = ReceiptCounts::default();
        for medic in medics {
            let marker = self.markers.get(&(row.id, medic.id));
            let delivered = marker.is_some_and(|marker| marker.delivered_seq >= message.seq);
            counts.recipients += u64::from(delivered || !medic.removed);
            counts.delivered += u64::from(delivered);
            counts.read += u64::from(marker.is_some_and(|marker| marker.read_seq >= message.seq));
        }
        Some(counts)
    }

    /// The furthest status of any receipt of others, but at least that of the row.
    fn status_by_receipts(&self, message: &Message) -> MessageStatus {
        let others = self.markers.values().filter(|marker| {
            marker.conversation_id == message.conversation_id && marker.person_id != message.sender_id
        });
        let by_receipt = others.map(|marker| {
            if marker.read_seq >= message.seq {
                MessageStatus::Read
            } else if marker.delivered_seq >= message.seq {
                MessageStatus::Delivered
            } else {
                MessageStatus::Sent
            }
        });
        by_receipt.chain([message.status.clone()]).max().unwrap_or(MessageStatus::Sent)
    }
}

fn is_broadcast(thread: &Thread) -> bool {
    thread.row.kind == ConversationKind::Broadcast
}
