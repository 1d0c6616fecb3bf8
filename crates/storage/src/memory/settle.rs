//! Recording the server's answers to a batch.

use super::rows::Placed;
use super::state::{Entry, Row, State};
use crate::{EntryState, SettleReport};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{
    Acknowledgement, ConversationId, Intent, Message, MessageId, PushOutcome, PushResult, Refusal, RefusalCode,
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
                PushOutcome::Retry(code) => self.not_now(at, code, &mut report),
            }
        }
        report
    }

    fn acknowledge(&mut self, at: usize, what: Acknowledgement, report: &mut SettleReport) {
        let entry = self.outbox.remove(at);
        report.acknowledged += 1;
        let lane = entry.intent.lane();
        match what {
            Acknowledgement::Sent(ack) => {
                self.unify(lane, ack.conversation_id, report);
                if let Intent::SendMessage(message) = &entry.intent {
                    self.land(Message::sent(message.clone(), &ack));
                }
            }
            Acknowledgement::Stored(message) => {
                self.unify(lane, message.conversation_id, report);
                self.drop_other_echo(&entry, message.id);
                self.land(*message);
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
                self.unify(lane, conversation.id, report);
                self.put_conversation(*conversation);
            }
            Acknowledgement::Marked(marker) => drop(self.put_marker(marker)),
            Acknowledgement::Bare => {}
        }
        self.drop_orphan(&entry);
    }

    /// The server has the message: its row takes the place of the local echo.
    fn land(&mut self, message: Message) {
        let conversation = self.resolve(message.conversation_id);
        if let Placed::Changed { .. } = self.put_message(message) {
            self.extend(conversation);
        }
    }

    /// The server has the message under another id, which it gave to an older version of the app: one message, one row.
    fn drop_other_echo(&mut self, settled: &Entry, stored: MessageId) {
        let Some(id) = settled.intent.creates().filter(|id| *id != stored) else { return };
        self.retarget(id, stored);
        if matches!(self.messages.get(&id), Some(Row::Local { .. })) {
            self.messages.remove(&id);
        }
    }

    /// The local echo of a message that the server has, of a conversation that is not here any more.
    fn drop_orphan(&mut self, settled: &Entry) {
        let Some(id) = settled.intent.creates() else { return };
        let unplaced =
            |row: &Row| matches!(row, Row::Local { .. }) && !self.threads.contains_key(&row.conversation_id());
        if self.messages.get(&id).is_some_and(unplaced) {
            self.messages.remove(&id);
        }
    }

    /// The server knows the conversation of a lane under `canonical`.
    fn unify(&mut self, lane: ConversationId, canonical: ConversationId, report: &mut SettleReport) {
        let (from, to) = (self.resolve(lane), self.resolve(canonical));
        let of_the_server = self.threads.get(&from).is_some_and(|thread| thread.on_server);
        if from != to && !of_the_server {
            self.rekey(from, to);
            report.rekeyed.push((from, to));
        }
    }

    fn reject(&mut self, at: usize, refusal: Refusal, report: &mut SettleReport) {
        let entry = &mut self.outbox[at];
        let (lane, policy) = (entry.intent.lane(), entry.intent.policy());
        let has_it = entry.intent.creates().is_some_and(|id| matches!(self.messages.get(&id), Some(Row::Server(_))));
        if has_it || !policy.becomes_dead_letter() {
            self.outbox.remove(at);
            report.acknowledged += 1;
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

    fn not_now(&mut self, at: usize, code: RetryCode, report: &mut SettleReport) {
        let entry = &mut self.outbox[at];
        entry.in_flight = entry.in_flight.saturating_sub(1);
        if let EntryState::Queued { retries, last_retry } = &mut entry.state {
            *retries = retries.saturating_add(1);
            *last_retry = Some(code);
            report.retrying += 1;
        }
    }
}
