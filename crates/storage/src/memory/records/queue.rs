//! The queue: batches, waiting, and views.

use super::state::{Entry, RecordsState, long};
use crate::records::{RecordBatch, RecordCounts, RecordEntryState, RecordQueueEntry};
use fieldpost_domain::{
    MutationId, Time,
    planted::{PlantedBug, planted},
    records::{RecordMutation, RecordOperation},
};
use std::collections::BTreeSet;

impl RecordsState {
    pub(super) fn next(&mut self, batch: RecordBatch, pass: u64) -> Vec<RecordMutation> {
        let mut taken = BTreeSet::new();
        let mut mutations = Vec::new();
        let mut bytes = 0;
        for entry in self.in_order() {
            let due = batch.due_at.is_none_or(|now| is_due(entry, now));
            if entry.priority > batch.at_most || !due || !self.is_free(entry, pass) || self.is_held(entry, &taken) {
                continue;
            }
            let mutation = self.mutation(entry);
            bytes += mutation.wire_size();
            let full = mutations.len() >= batch.limits.rows as usize || bytes > batch.limits.bytes as usize;
            if full && !mutations.is_empty() {
                break;
            }
            taken.insert(entry.position);
            mutations.push(mutation);
        }
        if planted(PlantedBug::SentRecordLeavesQueue) {
            self.queue.retain(|entry| !taken.contains(&entry.position));
        }
        for entry in self.queue.iter_mut().filter(|entry| taken.contains(&entry.position)) {
            entry.attempts = entry.attempts.saturating_add(1);
            entry.taken_by = Some(pass);
        }
        mutations
    }

    /// In the order of sending.
    fn in_order(&self) -> Vec<&Entry> {
        let mut queue: Vec<&Entry> = self.queue.iter().collect();
        queue.sort_by_key(|entry| (entry.priority, entry.position));
        queue
    }

    /// Whether nothing but time and other changes can hold it.
    fn is_free(&self, entry: &Entry, pass: u64) -> bool {
        entry.refusal.is_none() && entry.taken_by != Some(pass) && self.declared(&entry.key.0).is_some()
    }

    /// Whether another change must be sent before it that is not in this batch.
    fn is_held(&self, entry: &Entry, taken: &BTreeSet<u64>) -> bool {
        let referred = self.references(&entry.key.0, &entry.fields);
        let creates = |other: &Entry| {
            let waits = other.operation == RecordOperation::Create && other.refusal.is_none();
            waits && referred.contains(&other.key) && !planted(PlantedBug::ReferenceOvertakesCreate)
        };
        let mut before = self.queue.iter().filter(|other| other.position < entry.position);
        let of_record = |other: &Entry| other.key == entry.key && !planted(PlantedBug::LanesOvertake);
        before.any(|other| !taken.contains(&other.position) && (of_record(other) || creates(other)))
    }

    fn mutation(&self, entry: &Entry) -> RecordMutation {
        RecordMutation {
            id: entry.id,
            table: entry.key.0.clone(),
            record_id: entry.key.1,
            operation: entry.operation.clone(),
            org_id: entry.org_id,
            fields: entry.fields.clone(),
            priority: entry.priority,
            modified_at: entry.modified_at,
            ahead_micros: self.clocks.get(&entry.modified_at.clock).copied(),
        }
    }

    pub(super) fn withdraw(&mut self, mutations: &[MutationId]) {
        for entry in self.queue.iter_mut().filter(|entry| mutations.contains(&entry.id)) {
            entry.undo_attempt();
            entry.next_at = None;
        }
    }

    pub(super) fn postpone(&mut self, mutations: &[MutationId], at: Time) {
        let named = |entry: &&mut Entry| mutations.contains(&entry.id) && entry.refusal.is_none();
        self.queue.iter_mut().filter(named).for_each(|entry| entry.wait(at));
    }

    pub(super) fn stop_waiting(&mut self) {
        self.queue.iter_mut().for_each(|entry| entry.next_at = None);
    }

    pub(super) fn entries(&self, limit: u32) -> Vec<RecordQueueEntry> {
        self.in_order().into_iter().take(limit as usize).map(|entry| self.view(entry)).collect()
    }

    fn view(&self, entry: &Entry) -> RecordQueueEntry {
        let state = match &entry.refusal {
            Some(refusal) => RecordEntryState::Failed(refusal.clone()),
            None if self.declared(&entry.key.0).is_none() => RecordEntryState::NotDeclared,
            None if entry.is_sending() => RecordEntryState::Sending,
            None => RecordEntryState::Queued {
                failures: entry.failures,
                next_at: entry.next_at,
                last_retry: entry.last_retry.clone(),
            },
        };
        RecordQueueEntry {
            mutation_id: entry.id,
            table: entry.key.0.clone(),
            record_id: entry.key.1,
            operation: entry.operation.clone(),
            fields: entry.fields.clone(),
            priority: entry.priority,
            state,
            recorded_at: entry.recorded_at,
        }
    }

    pub(super) fn counts(&self, now: Time, pass: u64) -> RecordCounts {
        let waiting = || self.queue.iter().filter(|entry| entry.refusal.is_none());
        let immediate = |entry: &&Entry| entry.priority == fieldpost_domain::records::Priority::Immediate;
        let pending = waiting().count();
        RecordCounts {
            pending: pending as u64,
            immediate: waiting().filter(immediate).count() as u64,
            failed: (self.queue.len() - pending) as u64,
            conflicts: self.conflicts.len() as u64,
            carried: self.carried.len() as u64,
            next_at: self.next_at(now, pass),
        }
    }

    fn next_at(&self, now: Time, pass: u64) -> Option<Time> {
        let none = BTreeSet::new();
        let first = |entry: &&Entry| self.is_free(entry, pass) && !self.is_held(entry, &none);
        let firsts: Vec<&Entry> = self.queue.iter().filter(first).collect();
        if firsts.iter().any(|entry| is_due(entry, now)) {
            return None;
        }
        firsts.into_iter().filter_map(|entry| entry.next_at).min()
    }
}

/// A time further away than the longest wait means that the clock was set back.
fn is_due(entry: &Entry, now: Time) -> bool {
    let longest = long(entry.priority.backoff(u32::MAX));
    entry.next_at.is_none_or(|at| at <= now || at - now > longest)
}
