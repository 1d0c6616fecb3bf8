//! Unread counts and the read marker.

use super::state::{State, Thread};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Message, PersonId, ReadMarker, Seq, Time, Version};
use std::cmp::Ordering;
/// What was counted of a conversation.
enum Counted {
    /// All that there is.
    All(u64),
    /// Some are not stored.
    Some {
        /// Those that are.
        here: u64,
        /// At most as many are not.
        unknown: u64,
    },
}

impl State {
    /// How far the signed-in person has read.
    pub(super) fn read_seq(&self, conversation: ConversationId) -> Seq {
        let own = self.owner().and_then(|own| self.markers.get(&(conversation, own)));
        own.map_or(Seq::ZERO, |marker| marker.read_seq)
    }

    /// The seq above which messages are unread: the marker, or below it from where on the person has marked them unread.
    pub(super) fn unread_above(&self, conversation: ConversationId) -> Seq {
        self.settings_of(conversation).unread_above(self.read_seq(conversation))
    }

    /// Counts locally if everything from the marker to the server's last seq is stored; otherwise uses the server's
    /// count.
    pub(super) fn unread(&self, conversation: ConversationId) -> u64 {
        let Some(thread) = self.threads.get(&conversation) else { return 0 };
        let server = thread.row.unread;
        match self.unread_here(conversation, thread, |_| true) {
            Counted::All(here) => here,
            Counted::Some { .. } if planted(PlantedBug::ServerCountBelieved) => server,
            Counted::Some { here, unknown } => server.min(here.saturating_add(unknown)),
        }
    }

    /// The same of the messages that mention the owner. A server that does not count them says zero.
    pub(super) fn unread_mentions(&self, conversation: ConversationId) -> u64 {
        let (Some(thread), Some(own)) = (self.threads.get(&conversation), self.owner()) else { return 0 };
        match self.unread_here(conversation, thread, |message| message.mentions.contains(&own)) {
            Counted::All(here) => here,
            Counted::Some { here, unknown } => thread.row.unread_mentions.min(here.saturating_add(unknown)).max(here),
        }
    }

    /// Counts the stored messages above the marker.
    fn unread_here(&self, conversation: ConversationId, thread: &Thread, counts: impl Fn(&Message) -> bool) -> Counted {
        let read = self.unread_above(conversation);
        if read >= thread.row.last_seq {
            return Counted::All(0);
        }
        let own = self.owner();
        let deleting = self.being_deleted();
        let from = if planted(PlantedBug::UnreadOffByOne) { read } else { read.next() };
        let unread = self
            .server_messages(conversation)
            .filter(|message| message.seq >= from && Some(message.sender_id) != own && message.deleted_at.is_none());
        let unread = unread.filter(|message| !deleting.contains(&message.id) && counts(message));
        let here = unread.count() as u64;
        let complete = thread.range.is_some_and(|range| range.from <= read.next() && range.to >= thread.counted_to);
        if complete {
            Counted::All(here)
        } else {
            Counted::Some { here, unknown: self.unknown_above(conversation, thread, read) }
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
        // A time is that of its position. A newer row without it has lost it: whose marker it is was erased.
        let newer = incoming.version > stored.version;
        let known = |at: Option<Time>| at.filter(|_| !newer);
        stored.delivered_at =
            later(stored.delivered_seq, stored.delivered_at, incoming.delivered_seq, incoming.delivered_at, known);
        stored.read_at = later(stored.read_seq, stored.read_at, incoming.read_seq, incoming.read_at, known);
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

/// The time of the larger of two positions; of equal ones, the time that is still known, or else the one that came.
fn later(
    stored: Seq,
    at: Option<Time>,
    incoming: Seq,
    incoming_at: Option<Time>,
    known: impl Fn(Option<Time>) -> Option<Time>,
) -> Option<Time> {
    match incoming.cmp(&stored) {
        Ordering::Less => at,
        Ordering::Equal => known(at).or(incoming_at),
        Ordering::Greater => incoming_at,
    }
}
