//! A person's decisions about outbox entries: retry, edit and cancel.

use super::outbox::queued;
use super::state::{Entry, Row, State};
use crate::{NotPossible, OutboxEntry, StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::{
    ConversationId, Decision, MessageContent, MutationId, RefusalCode, Time,
    planted::{PlantedBug, planted},
};

impl State {
    pub(super) fn retry(&mut self, mutation: MutationId, at: Time) -> StorageResult<OutboxEntry> {
        let entry = self.find_entry(mutation, "retry")?;
        if entry.is_failed() {
            let lane = entry.intent.lane();
            self.check_sendable(entry, "retry")?;
            for dead_letter in self.retried_together(mutation, lane) {
                self.requeue(dead_letter, at);
            }
        }
        Ok(self.view(self.find_entry(mutation, "retry")?))
    }

    pub(super) fn edit(
        &mut self,
        mutation: MutationId,
        content: MessageContent,
        at: Time,
    ) -> StorageResult<OutboxEntry> {
        let entry = self.find_entry(mutation, "edit")?;
        if entry.intent.text().is_none() {
            let why = NotPossible::NoMessage;
            return Err(StorageError::new(StorageErrorKind::NotApplicable(why), "edit"));
        }
        // Also for a dead letter: if the server has the message under this id, it would take the new text for the old
        // one.
        if entry.in_flight > 0 && !planted(PlantedBug::EditOfUnknownOutcome) {
            return Err(StorageError::new(StorageErrorKind::OutcomeUnknown, "edit"));
        }
        let message = entry.intent.creates();
        if entry.is_failed() {
            self.check_sendable(entry, "edit")?;
        }
        for entry in self.outbox.iter_mut().filter(|entry| entry.id == mutation) {
            entry.intent.set_text(content.clone());
        }
        if let Some(Row::Local { message, .. }) = message.and_then(|id| self.messages.get_mut(&id)) {
            message.content = content;
        }
        self.retry(mutation, at)
    }

    pub(super) fn cancel(&mut self, mutation: MutationId) -> StorageResult<Vec<OutboxEntry>> {
        let entry = self.find_entry(mutation, "cancel")?;
        if entry.intent.policy().decision == Decision::Nobody {
            let why = NotPossible::AlreadyRead;
            return Err(StorageError::new(StorageErrorKind::NotApplicable(why), "cancel"));
        }
        let (lane, opens) = (entry.intent.lane(), entry.intent.policy().opens);
        let with_conversation = opens && self.threads.get(&lane).is_some_and(|thread| !thread.on_server);
        // What was queued behind a message that was never sent goes with it.
        let unsent = entry.intent.creates().filter(|id| matches!(self.messages.get(id), Some(Row::Local { .. })));
        let leaves = |entry: &Entry| {
            let depends = unsent.is_some() && entry.intent.target() == unsent;
            entry.id == mutation || depends || (with_conversation && entry.intent.lane() == lane)
        };
        let in_flight = self.outbox.iter().any(|entry| leaves(entry) && entry.is_sending());
        if in_flight && !planted(PlantedBug::CancelOfUnknownOutcome) {
            return Err(StorageError::new(StorageErrorKind::OutcomeUnknown, "cancel"));
        }
        let (left, stay) = std::mem::take(&mut self.outbox).into_iter().partition(leaves);
        self.outbox = stay;
        for id in left.iter().filter_map(|entry: &Entry| entry.intent.creates()) {
            if matches!(self.messages.get(&id), Some(Row::Local { .. })) {
                self.messages.remove(&id);
            }
        }
        if with_conversation {
            self.purge(lane, RefusalCode::OpenRefused);
        }
        Ok(left.iter().map(|entry| self.view(entry)).collect())
    }

    fn find_entry(&self, mutation: MutationId, operation: &'static str) -> StorageResult<&Entry> {
        let entry = self.outbox.iter().find(|entry| entry.id == mutation);
        entry.ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, operation))
    }

    fn check_sendable(&self, entry: &Entry, operation: &'static str) -> StorageResult<()> {
        if !self.threads.contains_key(&entry.intent.lane()) {
            let why = NotPossible::ConversationGone;
            return Err(StorageError::new(StorageErrorKind::NotApplicable(why), operation));
        }
        if entry.intent.target().is_some_and(|target| !self.messages.contains_key(&target)) {
            let why = NotPossible::MessageGone;
            return Err(StorageError::new(StorageErrorKind::NotApplicable(why), operation));
        }
        Ok(())
    }

    /// The dead letters that are retried together with this one, in their order.
    fn retried_together(&self, mutation: MutationId, lane: ConversationId) -> Vec<MutationId> {
        if !self.open_is_refused(lane) {
            return vec![mutation];
        }
        let parked = self.outbox.iter().filter(|entry| entry.intent.lane() == lane && entry.is_failed());
        parked.map(|entry| entry.id).collect()
    }

    fn requeue(&mut self, mutation: MutationId, recorded_at: Time) {
        let Some(at) = self.outbox.iter().position(|entry| entry.id == mutation) else { return };
        let order = self.take_order();
        let entry = Entry { state: queued(), recorded_at, order, ..self.outbox.remove(at) };
        if let Some(Row::Local { order: place, .. }) = entry.intent.creates().and_then(|id| self.messages.get_mut(&id))
        {
            *place = order;
        }
        self.outbox.push(entry);
    }
}
