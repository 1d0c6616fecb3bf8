//! What a person does: the local echo and its mutation.

use super::purge::refused;
use super::state::{Entry, Row, State, Thread};
use crate::{
    BatchLimits, ConversationSummary, EntryState, NewDirect, OutboxCounts, OutboxEntry, StorageError, StorageErrorKind,
    StorageResult, ThreadMessage,
};
use fieldpost_domain::{
    Conversation, ConversationId, ConversationKind, Extra, Intent, Mutation, MutationId, NewMessage, RefusalCode, Seq,
    Time, Version,
    planted::{self, PlantedBug, planted},
};
use std::collections::{BTreeSet, HashSet};

impl State {
    pub(super) fn send(&mut self, mutation: MutationId, mut message: NewMessage) -> StorageResult<ThreadMessage> {
        if self.account != Some(message.sender_id) {
            return Err(StorageError::new(StorageErrorKind::WrongAccount, "send"));
        }
        if let Some(row) = self.messages.get(&message.id) {
            return Ok(self.thread_message(row));
        }
        message.conversation_id = self.resolve(message.conversation_id);
        let Some(thread) = self.threads.get(&message.conversation_id) else {
            return Err(StorageError::new(StorageErrorKind::NotFound, "send"));
        };
        let parked = !thread.on_server && self.open_is_refused(message.conversation_id);
        let state = if parked { refused(RefusalCode::OpenRefused) } else { queued() };
        let recorded_at = message.composed_at;
        let order = self.record(mutation, Intent::SendMessage(message.clone()), state, recorded_at);
        let row = Row::Local { message, order };
        let view = self.thread_message(&row);
        self.messages.insert(view.id, row);
        Ok(view)
    }

    pub(super) fn open_direct(&mut self, mutation: MutationId, new: NewDirect) -> ConversationSummary {
        let id = self.resolve(new.id);
        if let Some(thread) = self.threads.get(&id) {
            return self.summary(thread);
        }
        if let Some(thread) = self.threads.values().find(|thread| thread.is_direct_with(new.org_id, new.medic_id)) {
            return self.summary(thread);
        }
        let (medic_id, org_id) = (Some(new.medic_id), Some(new.org_id));
        self.record(mutation, Intent::OpenDirect { conversation_id: id, medic_id, org_id }, queued(), new.at);
        let thread = opened_offline(id, &new);
        let view = self.summary(&thread);
        self.threads.insert(id, thread);
        view
    }

    pub(super) fn mark_read(
        &mut self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq> {
        let conversation_id = self.resolve(conversation);
        let Some(thread) = self.threads.get(&conversation_id) else {
            return Err(StorageError::new(StorageErrorKind::NotFound, "mark_read"));
        };
        let target = thread.range.map_or(Seq::ZERO, |range| range.to).min(up_to);
        let before = self.read_seq(conversation_id);
        self.mark_own(conversation_id, target);
        let read_seq = self.read_seq(conversation_id);
        if read_seq > before {
            self.outbox.retain(|entry| {
                !matches!(entry.intent, Intent::MarkRead { .. }) || entry.intent.lane() != conversation_id
            });
            self.record(mutation, Intent::MarkRead { conversation_id, read_seq }, queued(), at);
        }
        Ok(read_seq)
    }

    fn record(&mut self, id: MutationId, intent: Intent, state: EntryState, recorded_at: Time) -> u64 {
        let order = self.take_order();
        self.outbox.push(Entry { id, intent, state, recorded_at, order, unanswered: 0 });
        order
    }

    pub(super) fn open_is_refused(&self, conversation: ConversationId) -> bool {
        let opens = |intent: &Intent| matches!(intent, Intent::OpenDirect { .. } | Intent::OpenBroadcast { .. });
        self.outbox.iter().any(|entry| entry.intent.lane() == conversation && opens(&entry.intent) && entry.is_failed())
    }

    pub(super) fn next_batch(&mut self, limits: BatchLimits, held: &HashSet<ConversationId>) -> Vec<Mutation> {
        let held: BTreeSet<ConversationId> = held.iter().map(|id| self.resolve(*id)).collect();
        if planted(PlantedBug::LanesByClock) {
            self.outbox.sort_by_key(|entry| entry.recorded_at);
        }
        let mut batch: Vec<Mutation> = Vec::new();
        let mut bytes = 0;
        for entry in &mut self.outbox {
            let forgotten = planted(PlantedBug::InFlightNeverResent) && entry.unanswered > 0;
            if forgotten || entry.is_failed() || held.contains(&entry.intent.lane()) {
                continue;
            }
            bytes += entry.intent.wire_size();
            let full = batch.len() >= limits.rows as usize || bytes > limits.bytes as usize;
            if full && !batch.is_empty() {
                break;
            }
            entry.unanswered += 1;
            let mut intent = entry.intent.clone();
            if planted(PlantedBug::ResendUnderNewId) && entry.unanswered > 1 {
                planted::give_new_id(&mut intent);
            }
            batch.push(Mutation { id: entry.id, intent });
        }
        if planted(PlantedBug::SentLeavesOutbox) {
            self.outbox.retain(|entry| !batch.iter().any(|sent| sent.id == entry.id));
        }
        batch
    }

    pub(super) fn entries(&self, limit: u32) -> Vec<OutboxEntry> {
        self.outbox.iter().take(limit as usize).map(Entry::view).collect()
    }

    pub(super) fn withdraw(&mut self, mutations: &[MutationId]) {
        for entry in self.outbox.iter_mut().filter(|entry| mutations.contains(&entry.id)) {
            entry.unanswered = entry.unanswered.saturating_sub(1);
        }
    }

    pub(super) fn counts(&self) -> OutboxCounts {
        let failed = self.outbox.iter().filter(|entry| entry.is_failed()).count();
        OutboxCounts { pending: (self.outbox.len() - failed) as u64, failed: failed as u64 }
    }
}

impl Entry {
    pub(super) fn view(&self) -> OutboxEntry {
        let content = match &self.intent {
            Intent::SendMessage(message) => Some(message.content.as_str().to_owned()),
            _ => None,
        };
        OutboxEntry {
            mutation_id: self.id,
            kind: self.intent.kind(),
            conversation_id: self.intent.lane(),
            message_id: self.sends(),
            content,
            state: if self.is_sending() { EntryState::Sending } else { self.state.clone() },
            recorded_at: self.recorded_at,
        }
    }
}

pub(super) const fn queued() -> EntryState {
    EntryState::Queued { retries: 0, last_retry: None }
}

fn opened_offline(id: ConversationId, new: &NewDirect) -> Thread {
    let row = Conversation {
        id,
        org_id: new.org_id,
        kind: ConversationKind::Direct,
        subject: None,
        medic_id: Some(new.medic_id),
        medic_name: None,
        created_by: new.opened_by,
        created_at: new.at,
        updated_at: new.at,
        last_seq: Seq::ZERO,
        last_message_at: None,
        last_message_preview: None,
        unread: 0,
        omitted: None,
        version: Version::ZERO,
        extra: Extra::new(),
    };
    Thread { row, on_server: false, range: None, gone: BTreeSet::new(), counted_to: Seq::ZERO }
}
