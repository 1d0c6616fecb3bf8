//! Marks that the store queues by itself: of what has arrived, and read marks again after a restore of the server or a new
//! grant.

use super::outbox::queued;
use super::state::State;
use crate::{BootstrapReason, visibility};
use fieldpost_domain::{
    Capability, Changes, ConversationId, Intent, MarkDelivered, MarkRead, ReadMarker, Seq, SeqRange, Time,
    planted::{PlantedBug, planted},
};
use std::collections::BTreeSet;

impl State {
    /// How far the person has read by the server's knowledge, for the conversations that become visible with a page.
    pub(super) fn read_as_told(&self, changes: &Changes, first_load: bool) -> Vec<(ConversationId, SeqRange)> {
        self.owner().map(|own| visibility::read_as_told(changes, own, first_load)).unwrap_or_default()
    }

    /// Queues a mark where the person has read further than the server knows, unless one is queued. Returns how many.
    pub(super) fn requeue_read_marks(&mut self, server: Vec<(ConversationId, SeqRange)>, at: Time) -> u64 {
        let before = self.outbox.len();
        for (conversation_id, server) in server {
            let read_seq = self.read_seq(conversation_id).min(server.to);
            let here = self.threads.contains_key(&conversation_id) && !planted(PlantedBug::MarkNotRequeued);
            if here && read_seq > server.from && !self.mark_is_queued(conversation_id) {
                let (id, intent) = (self.ids.new_id(at), Intent::MarkRead(MarkRead { conversation_id, read_seq }));
                self.record(id, intent, queued(), at);
            }
        }
        (self.outbox.len() - before) as u64
    }

    /// Where the person has read further than the server knows, its count includes messages that were read. Subtracts
    /// them.
    pub(super) fn subtract_reads(&mut self, server: &[(ConversationId, SeqRange)]) {
        let own = self.owner();
        for (conversation, server) in server {
            let read = self.unread_above(*conversation).min(server.to);
            let counted = self
                .server_messages(*conversation)
                .filter(|message| server.from < message.seq && message.seq <= read && Some(message.sender_id) != own);
            let counted = counted.filter(|message| message.deleted_at.is_none()).count() as u64;
            if let Some(thread) = self.threads.get_mut(conversation).filter(|thread| thread.counted_to == server.to) {
                thread.row.unread = thread.row.unread.saturating_sub(counted);
            }
        }
    }

    /// Queues what the server is to know about messages of others that have arrived: where nothing is missing up to them
    /// and no marker says so yet. Returns how many.
    pub(super) fn note_arrived(&mut self, conversations: &BTreeSet<ConversationId>, at: Time) -> u64 {
        let told = self.server.as_ref().is_some_and(|server| server.capabilities.contains(&Capability::MarkDelivered));
        let Some(own) = self.owner().filter(|_| told) else { return 0 };
        let mut queued_marks = 0;
        for conversation_id in conversations.iter().copied() {
            let Some(thread) = self.threads.get(&conversation_id).filter(|thread| thread.on_server) else { continue };
            let known = self.markers.get(&(conversation_id, own)).map_or(Seq::ZERO, |marker| marker.delivered_seq);
            let top = thread.range.map_or(Seq::ZERO, |range| range.to);
            let of_others = self.server_messages(conversation_id).filter(|message| message.sender_id != own);
            let arrived = of_others.map(|message| message.seq).filter(|seq| known < *seq && *seq <= top).max();
            let Some(delivered_seq) = arrived else { continue };
            let id = self.ids.new_id(at);
            self.record(id, Intent::MarkDelivered(MarkDelivered { conversation_id, delivered_seq }), queued(), at);
            self.note_own_delivery(conversation_id, delivered_seq);
            queued_marks += 1;
        }
        queued_marks
    }

    /// What the server knows of arrivals comes with the page that lists the conversations; what it has forgotten is said
    /// again.
    pub(super) fn forget_arrivals(&mut self, changes: &Changes) {
        let Some(own) = self.owner() else { return };
        for id in changes.conversations.iter().map(|row| self.resolve(row.id)).collect::<Vec<_>>() {
            let ahead = |marker: &&mut ReadMarker| marker.delivered_seq > marker.read_seq;
            if let Some(marker) = self.markers.get_mut(&(id, own)).filter(ahead) {
                (marker.delivered_seq, marker.delivered_at) = (marker.read_seq, None);
            }
        }
    }

    fn mark_is_queued(&self, lane: ConversationId) -> bool {
        self.outbox.iter().any(|entry| matches!(entry.intent, Intent::MarkRead(_)) && entry.intent.lane() == lane)
    }

    /// After a change of epoch, lowers markers below the first message that took the seq of another one: nobody has
    /// read it.
    pub(super) fn lower_markers_of_replaced(&mut self, changes: &Changes) {
        let Some(under_way) = self.bootstrap.as_ref().filter(|one| one.reason == BootstrapReason::Epoch) else {
            return;
        };
        let unconfirmed = changes.conversations.iter().filter(|row| !under_way.conversations.contains(&row.id));
        let ranges = unconfirmed.filter_map(|row| Some((row.id, self.threads.get(&row.id)?.range?)));
        let others: Vec<(ConversationId, Seq)> = ranges
            .filter_map(|(id, known)| {
                let rows = changes.messages.iter().filter(|message| message.conversation_id == id);
                let other = rows.filter(|message| !self.messages.contains_key(&message.id)).map(|message| message.seq);
                other.filter(|seq| known.from <= *seq && *seq <= known.to).min().map(|seq| (id, seq))
            })
            .collect();
        for (conversation, other) in others {
            self.lower_markers(conversation, other.previous());
        }
    }

    /// Lowers markers to `last`. A restored server assigns seqs again that were read before.
    pub(super) fn lower_markers(&mut self, conversation: ConversationId, last: Seq) {
        for marker in self.markers.values_mut().filter(|marker| marker.conversation_id == conversation) {
            marker.read_seq = marker.read_seq.min(last);
            marker.delivered_seq = marker.delivered_seq.min(last);
            (marker.delivered_at, marker.read_at) = (None, None);
        }
        for entry in &mut self.outbox {
            match &mut entry.intent {
                Intent::MarkRead(MarkRead { conversation_id, read_seq: seq })
                | Intent::MarkDelivered(MarkDelivered { conversation_id, delivered_seq: seq })
                    if *conversation_id == conversation =>
                {
                    *seq = (*seq).min(last);
                }
                _ => {}
            }
        }
    }
}
