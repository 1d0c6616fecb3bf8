//! Unread counts and the read marker.

use super::state::{State, Thread};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, PersonId, ReadMarker, Seq, Time, Version};
use std::cmp::Ordering;

impl State {
    /// How far the signed-in person has read.
    pub(super) fn read_seq(&self, conversation: ConversationId) -> Seq {
        let own = self.owner().and_then(|own| self.markers.get(&(conversation, own)));
        own.map_or(Seq::ZERO, |marker| marker.read_seq)
    }

    /// Counts locally if everything from the marker to the server's last seq is stored; otherwise uses the server's
    /// count.
    pub(super) fn unread(&self, conversation: ConversationId) -> u64 {
        let Some(thread) = self.threads.get(&conversation) else { return 0 };
        let read = self.read_seq(conversation);
        if read >= thread.row.last_seq {
            return 0;
        }
        let own = self.owner();
        let deleting = self.being_deleted();
        let from = if planted(PlantedBug::UnreadOffByOne) { read } else { read.next() };
        let unread = self
            .server_messages(conversation)
            .filter(|message| message.seq >= from && Some(message.sender_id) != own && message.deleted_at.is_none());
        let here = unread.filter(|message| !deleting.contains(&message.id)).count() as u64;
        let complete = thread.range.is_some_and(|range| range.from <= read.next() && range.to >= thread.counted_to);
        if complete {
            here
        } else if planted(PlantedBug::ServerCountBelieved) {
            thread.row.unread
        } else {
            thread.row.unread.min(here.saturating_add(self.unknown_above(conversation, thread, read)))
        }
    }

    /// How many seqs above the marker, counted by the server, have no stored message and are outside the recent range.
    /// At most this many unread messages can exist besides the stored ones.
    fn unknown_above(&self, conversation: ConversationId, thread: &Thread, read: Seq) -> u64 {
        let counted = thread.counted_to.get().saturating_sub(read.get());
        let known = thread.range.map_or(0, |range| {
            let (from, to) = (range.from.max(read.next()), range.to.min(thread.counted_to));
            to.next().get().saturating_sub(from.get())
        });
        let inside = |seq: Seq| thread.range.is_some_and(|range| range.from <= seq && seq <= range.to);
        let outside = self
            .server_messages(conversation)
            .filter(|message| message.seq > read && message.seq <= thread.counted_to && !inside(message.seq));
        counted.saturating_sub(known).saturating_sub(outside.count() as u64)
    }

    /// Moves a marker, never backwards. False if nothing changed.
    pub(super) fn put_marker(&mut self, incoming: ReadMarker) -> bool {
        let conversation_id = self.resolve(incoming.conversation_id);
        if !self.threads.contains_key(&conversation_id) && self.has_left(conversation_id) {
            return false;
        }
        let key = (conversation_id, incoming.person_id);
        let Some(stored) = self.markers.get_mut(&key) else {
            self.markers.insert(key, ReadMarker { conversation_id, ..incoming });
            return true;
        };
        let before = stored.clone();
        let lowest = if planted(PlantedBug::MarkerGoesBack) { Seq::ZERO } else { stored.read_seq };
        // A time is that of its position.
        stored.delivered_at =
            later(stored.delivered_seq, stored.delivered_at, incoming.delivered_seq, incoming.delivered_at);
        stored.read_at = later(stored.read_seq, stored.read_at, incoming.read_seq, incoming.read_at);
        stored.read_seq = lowest.max(incoming.read_seq);
        let arrived = if planted(PlantedBug::DeliveryGoesBack) { Seq::ZERO } else { stored.delivered_seq };
        stored.delivered_seq = arrived.max(incoming.delivered_seq);
        let moved = *stored != before;
        stored.version = stored.version.max(incoming.version);
        moved
    }

    /// Moves the signed-in person's own marker.
    pub(super) fn mark_own(&mut self, conversation_id: ConversationId, read_seq: Seq) {
        if let Some(person_id) = self.owner() {
            self.put_marker(own_marker(conversation_id, person_id, read_seq, read_seq));
        }
    }

    /// Something has arrived on this device.
    pub(super) fn note_own_delivery(&mut self, conversation_id: ConversationId, delivered_seq: Seq) {
        if let Some(person_id) = self.owner() {
            self.put_marker(own_marker(conversation_id, person_id, delivered_seq, Seq::ZERO));
        }
    }
}

/// The signed-in person's own marker, of which the server has not heard.
const fn own_marker(
    conversation_id: ConversationId,
    person_id: PersonId,
    delivered_seq: Seq,
    read_seq: Seq,
) -> ReadMarker {
    let version = Version::ZERO;
    ReadMarker { conversation_id, person_id, delivered_seq, read_seq, delivered_at: None, read_at: None, version }
}

/// The time of the larger of two positions; of equal ones, the time that is known.
fn later(stored: Seq, at: Option<Time>, incoming: Seq, incoming_at: Option<Time>) -> Option<Time> {
    match incoming.cmp(&stored) {
        Ordering::Less => at,
        Ordering::Equal => at.or(incoming_at),
        Ordering::Greater => incoming_at,
    }
}
