//! The queue: recording, batches and views.

use super::state::{Entry, State};
use crate::{BatchLimits, EntryState, OutboxCounts, OutboxEntry};
use fieldpost_domain::{
    Capability, ConversationId, Intent, Mutation, MutationId, Replaces, Time,
    planted::{self, PlantedBug, planted},
};
use std::collections::{BTreeSet, HashSet};

impl State {
    /// Appends a mutation and removes the entries that its kind replaces. Returns its order.
    pub(super) fn record(&mut self, id: MutationId, intent: Intent, state: EntryState, recorded_at: Time) -> u64 {
        self.outbox.retain(|entry| !is_replaced(entry, &intent) && !entry.intent.is_covered_by(&intent));
        let order = self.take_order();
        self.outbox.push(Entry { id, intent, state, recorded_at, order, in_flight: 0 });
        order
    }

    pub(super) fn open_is_refused(&self, conversation: ConversationId) -> bool {
        let mut lane = self.outbox.iter().filter(|entry| entry.intent.lane() == conversation);
        lane.any(|entry| entry.intent.policy().opens && entry.is_failed())
    }

    pub(super) fn next_batch(&mut self, limits: BatchLimits, held: &HashSet<ConversationId>) -> Vec<Mutation> {
        let held: BTreeSet<ConversationId> = held.iter().map(|id| self.resolve(*id)).collect();
        if planted(PlantedBug::LanesByClock) {
            self.outbox.sort_by_key(|entry| entry.recorded_at);
        }
        let waiting: BTreeSet<u64> =
            self.outbox.iter().filter(|entry| self.needs(entry).is_some()).map(|entry| entry.order).collect();
        let mut batch: Vec<Mutation> = Vec::new();
        let mut bytes = 0;
        for entry in &mut self.outbox {
            let forgotten = planted(PlantedBug::InFlightNeverResent) && entry.in_flight > 0;
            if forgotten || waiting.contains(&entry.order) || entry.is_failed() || held.contains(&entry.intent.lane()) {
                continue;
            }
            bytes += entry.intent.wire_size();
            let full = batch.len() >= limits.rows as usize || bytes > limits.bytes as usize;
            if full && !batch.is_empty() {
                break;
            }
            entry.in_flight += 1;
            let mut intent = entry.intent.clone();
            if planted(PlantedBug::ResendUnderNewId) && entry.in_flight > 1 {
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
        self.counted().take(limit as usize).map(|entry| self.view(entry)).collect()
    }

    pub(super) fn withdraw(&mut self, mutations: &[MutationId]) {
        for entry in self.outbox.iter_mut().filter(|entry| mutations.contains(&entry.id)) {
            entry.in_flight = entry.in_flight.saturating_sub(1);
        }
    }

    /// The capability that the entry needs and that the server has not stated.
    fn needs(&self, entry: &Entry) -> Option<Capability> {
        let can = |needed: &Capability| self.server.as_ref().is_some_and(|server| server.capabilities.contains(needed));
        entry.intent.policy().needs.filter(|needed| !can(needed))
    }

    pub(super) fn view(&self, entry: &Entry) -> OutboxEntry {
        let state = match &entry.state {
            EntryState::Queued { .. } if entry.is_sending() => EntryState::Sending,
            EntryState::Queued { .. } => self.needs(entry).map_or_else(|| entry.state.clone(), EntryState::NeedsServer),
            state => state.clone(),
        };
        OutboxEntry {
            mutation_id: entry.id,
            kind: entry.intent.kind(),
            conversation_id: entry.intent.lane(),
            message_id: entry.intent.creates(),
            target_id: entry.intent.target(),
            content: entry.intent.text().map(str::to_owned),
            state,
            recorded_at: entry.recorded_at,
        }
    }

    pub(super) fn counts(&self) -> OutboxCounts {
        let failed = self.counted().filter(|entry| entry.is_failed()).count();
        OutboxCounts { pending: (self.counted().count() - failed) as u64, failed: failed as u64 }
    }

    /// The entries that a person waits for.
    fn counted(&self) -> impl Iterator<Item = &Entry> {
        self.outbox.iter().filter(|entry| entry.intent.policy().counts)
    }
}

/// Whether a new mutation replaces an entry.
pub(super) fn is_replaced(waiting: &Entry, by: &Intent) -> bool {
    let same_kind = waiting.intent.slot() == by.slot();
    let of_target = waiting.intent.target() == by.target() && waiting.in_flight == 0;
    match by.policy().replaces {
        Replaces::Nothing => false,
        Replaces::InLane => same_kind && waiting.intent.lane() == by.lane(),
        Replaces::OfTarget => same_kind && of_target,
        Replaces::ChangesOfTarget => of_target && !waiting.intent.policy().leaves_as_is(),
    }
}

pub(super) const fn queued() -> EntryState {
    EntryState::Queued { retries: 0, last_retry: None }
}
