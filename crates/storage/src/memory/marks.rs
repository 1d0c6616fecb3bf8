//! What becomes of read marks when the server is set back, or a conversation comes into sight.

use super::outbox::queued;
use super::state::State;
use crate::{BootstrapReason, visibility};
use fieldpost_domain::{
    Changes, ConversationId, Intent, MarkRead, Seq, SeqRange, Time,
    planted::{PlantedBug, planted},
};

impl State {
    /// How far the server says that the signed-in person has read, in the conversations that come into sight with a page.
    pub(super) fn read_as_told(&self, changes: &Changes, first_load: bool) -> Vec<(ConversationId, SeqRange)> {
        self.own().map(|own| visibility::read_as_told(changes, own, first_load)).unwrap_or_default()
    }

    /// Queues a mark again where more was read than the server says, and no mark waits. How many.
    pub(super) fn requeue_read_marks(&mut self, told: Vec<(ConversationId, SeqRange)>, at: Time) -> u64 {
        let before = self.outbox.len();
        for (conversation_id, told) in told {
            let read_seq = self.read_seq(conversation_id).min(told.to);
            let here = self.threads.contains_key(&conversation_id) && !planted(PlantedBug::MarkNotRequeued);
            if here && read_seq > told.from && !self.mark_waits(conversation_id) {
                let (id, intent) = (self.ids.new_id(at), Intent::MarkRead(MarkRead { conversation_id, read_seq }));
                self.record(id, intent, queued(), at);
            }
        }
        (self.outbox.len() - before) as u64
    }

    /// Where more was read than the server says, its count is of an older marker: what is here of the difference is read.
    pub(super) fn discount(&mut self, told: &[(ConversationId, SeqRange)]) {
        let own = self.own();
        for (conversation, told) in told {
            let read = self.read_seq(*conversation).min(told.to);
            let counted = self
                .server_messages(*conversation)
                .filter(|message| told.from < message.seq && message.seq <= read && Some(message.sender_id) != own);
            let counted = counted.filter(|message| message.deleted_at.is_none()).count() as u64;
            if let Some(thread) = self.threads.get_mut(conversation).filter(|thread| thread.counted_to == told.to) {
                thread.row.unread = thread.row.unread.saturating_sub(counted);
            }
        }
    }

    fn mark_waits(&self, lane: ConversationId) -> bool {
        self.outbox.iter().any(|entry| matches!(entry.intent, Intent::MarkRead(_)) && entry.intent.lane() == lane)
    }

    /// After a change of epoch markers come down to what is the same as before: below the first message that has taken the
    /// place of another one, which nobody has read.
    pub(super) fn lower_to_the_same(&mut self, changes: &Changes) {
        let Some(under_way) = self.bootstrap.as_ref().filter(|one| one.reason == BootstrapReason::Epoch) else {
            return;
        };
        let unconfirmed = changes.conversations.iter().filter(|row| !under_way.conversations.contains(&row.id));
        let ranges = unconfirmed.filter_map(|row| Some((row.id, self.threads.get(&row.id)?.range?)));
        let others: Vec<(ConversationId, Seq)> = ranges
            .filter_map(|(id, known)| {
                let told = changes.messages.iter().filter(|message| message.conversation_id == id);
                let other = told.filter(|message| !self.messages.contains_key(&message.id)).map(|message| message.seq);
                other.filter(|seq| known.from <= *seq && *seq <= known.to).min().map(|seq| (id, seq))
            })
            .collect();
        for (conversation, other) in others {
            self.lower_markers(conversation, other.previous());
        }
    }

    /// A server that was restored from an older state gives seqs again that had been read before.
    pub(super) fn lower_markers(&mut self, conversation: ConversationId, last: Seq) {
        for marker in self.markers.values_mut().filter(|marker| marker.conversation_id == conversation) {
            marker.read_seq = marker.read_seq.min(last);
            marker.delivered_seq = marker.delivered_seq.min(last);
        }
        for entry in &mut self.outbox {
            if let Intent::MarkRead(MarkRead { conversation_id, read_seq }) = &mut entry.intent
                && *conversation_id == conversation
            {
                *read_seq = (*read_seq).min(last);
            }
        }
    }
}
