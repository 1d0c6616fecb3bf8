//! Records the results of a batch.

use super::rows::Placed;
use super::state::{Entry, Row, State};
use crate::{EntryState, SettleReport, SyncPosition};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{
    Acknowledgement, ConversationId, Cursor, Intent, Message, MessageId, PushOutcome, PushResult, Refusal, RefusalCode,
    RetryCode,
};

impl State {
    pub(super) fn settle(&mut self, results: Vec<PushResult>) -> SettleReport {
        let mut report = SettleReport::default();
        for result in results {
            let Some(at) = self.outbox.iter().position(|entry| entry.id == result.mutation_id) else {
                report.unknown += 1;
                continue;
            };
            match result.outcome {
                PushOutcome::Acknowledged(what) => self.acknowledge(at, what, &mut report),
                PushOutcome::Rejected(refusal) => self.reject(at, refusal, &mut report),
                PushOutcome::Retry(_) if planted(PlantedBug::RetryIsRefusal) => {
                    self.reject(at, Refusal { code: RefusalCode::Forbidden, detail: None }, &mut report);
                }
                PushOutcome::Retry(code) => self.record_retry(at, code, &mut report),
            }
        }
        report
    }

    pub(super) fn settle_quiet(&mut self, results: Vec<PushResult>, from: &Cursor, to: &Cursor) -> SettleReport {
        let mut report = self.settle(results.clone());
        let is_here = matches!(&self.position, SyncPosition::Following(cursor) if cursor == from) && !self.run_open;
        let mut marked = SettleReport::counted_anew(&results).into_iter();
        if is_here && report.has_all_of(&results) && marked.all(|id| self.unread(id) == 0) {
            self.position = SyncPosition::Following(to.clone());
            report.moved = true;
        }
        report
    }

    fn acknowledge(&mut self, at: usize, what: Acknowledgement, report: &mut SettleReport) {
        let entry = self.outbox.remove(at);
        report.acknowledge(entry.intent.policy().counts);
        let lane = entry.intent.lane();
        match what {
            Acknowledgement::Sent(ack) => {
                self.use_canonical_id(lane, ack.conversation_id, report);
                if let Intent::SendMessage(message) = &entry.intent {
                    self.put_sent(Message::sent(message.clone(), &ack));
                }
            }
            Acknowledgement::Stored(message) => {
                self.use_canonical_id(lane, message.conversation_id, report);
                self.drop_other_echo(&entry, message.id);
                if entry.intent.creates().is_some() { self.put_sent(*message) } else { self.put_acknowledged(*message) }
            }
            Acknowledgement::Deleted(tombstone) => {
                if let Some(id) = tombstone.message_id() {
                    self.drop_other_echo(&entry, id);
                }
                if let (_, Some(gone)) = self.record_tombstone(&tombstone) {
                    self.purge(gone, RefusalCode::ConversationDeleted);
                }
                self.extend(self.resolve(tombstone.conversation_id));
            }
            Acknowledgement::Opened(conversation) => {
                self.use_canonical_id(lane, conversation.id, report);
                self.put_conversation(*conversation);
            }
            Acknowledgement::Marked(marker) => drop(self.put_marker(marker)),
            Acknowledgement::Reacted(rows) => {
                for row in rows {
                    self.put_reaction(row);
                }
            }
            Acknowledgement::Set(row) => drop(self.put_settings(row)),
            Acknowledgement::Bare => {}
        }
        self.drop_orphan(&entry);
    }

    /// The server has a message of this device. Below the recent range the local echo leaves, until history brings the
    /// message with its reactions.
    fn put_sent(&mut self, message: Message) {
        let range = self.threads.get(&self.resolve(message.conversation_id)).and_then(|thread| thread.range);
        if range.is_some_and(|range| range.to >= range.from && message.seq < range.from) {
            self.messages.remove(&message.id);
        } else {
            self.put_acknowledged(message);
        }
    }

    /// The row of the server replaces what is here.
    fn put_acknowledged(&mut self, message: Message) {
        let conversation = self.resolve(message.conversation_id);
        if let Placed::Changed { .. } = self.put_message(message) {
            self.extend(conversation);
        }
    }

    /// The server has the message under another id, which it assigned for an older app version. Removes the local echo,
    /// so that the message is shown once.
    fn drop_other_echo(&mut self, settled: &Entry, stored: MessageId) {
        let Some(id) = settled.intent.creates().filter(|id| *id != stored) else { return };
        self.retarget(id, stored);
        if matches!(self.messages.get(&id), Some(Row::Local { .. })) {
            self.messages.remove(&id);
        }
    }

    /// Removes the local echo of an acknowledged message whose conversation is no longer stored.
    fn drop_orphan(&mut self, settled: &Entry) {
        let Some(id) = settled.intent.creates() else { return };
        let orphan = |row: &Row| matches!(row, Row::Local { .. }) && !self.threads.contains_key(&row.conversation_id());
        if self.messages.get(&id).is_some_and(orphan) {
            self.messages.remove(&id);
        }
    }

    /// The server knows the conversation of a lane as `canonical`.
    fn use_canonical_id(&mut self, lane: ConversationId, canonical: ConversationId, report: &mut SettleReport) {
        let (from, to) = (self.resolve(lane), self.resolve(canonical));
        let on_server = self.threads.get(&from).is_some_and(|thread| thread.on_server);
        if from != to && !on_server {
            self.rekey(from, to);
            report.rekeyed.push((from, to));
        }
    }

    fn reject(&mut self, at: usize, refusal: Refusal, report: &mut SettleReport) {
        let entry = &mut self.outbox[at];
        let (lane, policy) = (entry.intent.lane(), entry.intent.policy());
        let echoed = entry.intent.creates().is_some_and(|id| matches!(self.messages.get(&id), Some(Row::Server(_))));
        if entry.intent.is_done_by(&refusal.code) {
            let deletion = self.outbox.remove(at).intent;
            self.keep_deleted(&deletion);
            report.acknowledged += 1;
            return;
        }
        if echoed || !policy.becomes_dead_letter() {
            self.outbox.remove(at);
            report.acknowledge(policy.counts);
            return;
        }
        entry.in_flight = if refusal.code.is_said_unseen() { entry.in_flight.saturating_sub(1) } else { 0 };
        entry.state = EntryState::Failed(refusal);
        report.failed += 1;
        if policy.opens && self.threads.get(&lane).is_some_and(|thread| !thread.on_server) {
            let (parked, left) = self.park_lane(lane, RefusalCode::OpenRefused);
            report.failed += parked;
            report.acknowledged += left;
        }
    }

    fn record_retry(&mut self, at: usize, code: RetryCode, report: &mut SettleReport) {
        let entry = &mut self.outbox[at];
        entry.in_flight = entry.in_flight.saturating_sub(1);
        if let EntryState::Queued { retries, last_retry } = &mut entry.state {
            *retries = retries.saturating_add(1);
            *last_retry = Some(code);
            report.retry(entry.intent.policy().counts);
        }
    }
}
