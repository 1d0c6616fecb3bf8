//! All writes go through here: it does the work of the SQL schema's triggers.
//!
//! A transaction collects the rows it touched and hands them to the feed when it commits. A caller (push, an operator,
//! a third-party client) cannot forget a version, a seq, a tombstone or an access change, because only the methods here
//! reach the tables mutably.

mod conversations;
mod membership;
mod messages;
mod reactions;
#[cfg(feature = "records")]
mod records;
mod reports;

use super::{
    SeededRandom,
    feed::{Feed, RowKey},
    live::topics_of,
    tables::Tables,
};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{
    ConversationId, ConversationSettings, MutationId, PersonId, PushTag, ReadMarker, Seq, Settings, SettingsChange,
    Time, Version,
};
use std::collections::HashSet;

pub(super) use membership::NewMember;
pub(super) use messages::MessageDraft;

/// A running transaction.
#[derive(Debug)]
pub(super) struct Transaction<'a> {
    tables: &'a mut Tables,
    feed: &'a mut Feed,
    random: &'a mut SeededRandom,
    stamp: u64,
    now: Time,
    touched: Vec<RowKey>,
    known: HashSet<RowKey>,
    gone: HashSet<RowKey>,
    /// Whose markers say that more was read, and not only that more has arrived.
    readers: HashSet<(ConversationId, PersonId)>,
    failed: bool,
    /// The mutation that is carried out, of a push.
    mutation: Option<MutationId>,
    push: Option<PushTag>,
}

impl<'a> Transaction<'a> {
    pub(super) fn begin(
        tables: &'a mut Tables,
        feed: &'a mut Feed,
        random: &'a mut SeededRandom,
        stamp: u64,
        now: Time,
    ) -> Self {
        Self {
            tables,
            feed,
            random,
            stamp,
            now,
            touched: Vec::new(),
            known: HashSet::new(),
            gone: HashSet::new(),
            readers: HashSet::new(),
            failed: false,
            mutation: None,
            push: None,
        }
    }

    /// The tables including its own writes.
    pub(super) const fn tables(&self) -> &Tables {
        self.tables
    }

    /// What follows is done for this mutation.
    pub(super) const fn carries_out(&mut self, mutation: Option<MutationId>) {
        self.mutation = mutation;
    }

    /// All that it writes comes of this push.
    pub(super) const fn is_push(&mut self, push: Option<PushTag>) {
        self.push = push;
    }

    pub(super) const fn now(&self) -> Time {
        self.now
    }

    /// Ten random bytes for an id that the server makes.
    pub(super) fn random(&mut self) -> [u8; 10] {
        self.random.ten()
    }

    /// Marks that a write broke a rule of the tables: the transaction must not be committed.
    pub(super) const fn fail(&mut self) {
        self.failed = true;
    }

    pub(super) const fn has_failed(&self) -> bool {
        self.failed
    }

    /// Makes its rows visible to everybody, all at once.
    pub(super) fn commit(self) {
        let topics = topics_of(self.tables, &self.touched, &self.readers);
        self.feed.commit(self.stamp, self.touched, &self.gone);
        self.feed.listeners.tell(topics, self.push);
    }

    /// Moves a person's marker forward, never back and never beyond the conversation's last message. Returns the
    /// resulting marker and whether it moved.
    pub(super) fn move_marker(
        &mut self,
        conversation: ConversationId,
        person: PersonId,
        delivered: Seq,
        read: Seq,
    ) -> (ReadMarker, bool) {
        let last = self.tables.conversations.get(&conversation).map_or(Seq::ZERO, |row| row.last_seq);
        let known = self.tables.markers.get(&(conversation, person)).cloned();
        let mut marker = known.unwrap_or(ReadMarker {
            conversation_id: conversation,
            person_id: person,
            delivered_seq: Seq::ZERO,
            read_seq: Seq::ZERO,
            delivered_at: None,
            read_at: None,
            version: Version::ZERO,
        });
        let known_read = marker.read_seq;
        let read = marker.read_seq.max(read.min(last));
        let delivered = marker.delivered_seq.max(delivered.min(last)).max(read);
        let moved = (marker.delivered_seq, marker.read_seq) != (delivered, read);
        if moved {
            self.raise_status(conversation, person, delivered, read);
            let now = Some(self.now);
            marker.delivered_at = if delivered > marker.delivered_seq { now } else { marker.delivered_at };
            marker.read_at = if read > marker.read_seq { now } else { marker.read_at };
            marker.delivered_seq = delivered;
            marker.read_seq = read;
            marker.version = marker.version.next();
            self.tables.markers.insert((conversation, person), marker.clone());
            self.touch(RowKey::ReadMarker(conversation, person));
        }
        if read > known_read {
            self.readers.insert((conversation, person));
        }
        if read > known_read && !planted(PlantedBug::MarkLeavesUnread) {
            // What was marked unread is read now.
            self.set_conversation(conversation, person, &SettingsChange::mark_unread(None));
        }
        (marker, moved)
    }

    /// Changes a person's settings for a conversation. Returns the resulting row and whether it changed.
    pub(super) fn set_conversation(
        &mut self,
        conversation_id: ConversationId,
        person: PersonId,
        change: &SettingsChange,
    ) -> (ConversationSettings, bool) {
        let none = ConversationSettings { conversation_id, settings: Settings::default(), version: Version::ZERO };
        let mut row = self.tables.settings.get(&(conversation_id, person)).copied().unwrap_or(none);
        let before = row.settings;
        if planted(PlantedBug::SettingsReplaced) {
            row.settings = Settings::default();
        }
        change.apply(&mut row.settings);
        let last = self.tables.conversations.get(&conversation_id).map_or(Seq::ZERO, |row| row.last_seq);
        if let Some(archived) = &mut row.settings.archived {
            archived.seq = archived.seq.min(last);
        }
        let changed = row.settings != before;
        if changed {
            row.version = row.version.next();
            self.tables.settings.insert((conversation_id, person), row);
            self.touch(RowKey::Settings(conversation_id, person));
        }
        (row, changed)
    }

    fn touch(&mut self, key: RowKey) {
        if self.known.insert(key) {
            self.touched.push(key);
        }
    }
}
