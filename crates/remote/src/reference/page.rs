//! Fills a page: each row once, together with the rows it references, up to a number of rows and of bytes.

use super::{
    feed::RowKey,
    rows,
    tables::{ConversationRow, PersonRow, Tables},
    viewer::Viewer,
};
use crate::{RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_domain::{
    Capabilities, Capability, Changes, ConversationId, Covered, Message, MessageId, OrgId, PersonId, ReadMarker,
    SeqRange, ServerLimits, Tombstone, TombstoneOf, Version,
    planted::{PlantedBug, planted},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// The limits of one page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Budget {
    /// The server's limits, or less if the caller asks for less. A page of zero rows would never advance; a page of few
    /// bytes holds one row.
    pub(super) fn new(
        limits: &ServerLimits,
        (asked, bytes): (Option<u32>, Option<u32>),
        operation: &'static str,
    ) -> RemoteResult<Self> {
        let rows = asked.unwrap_or(limits.page_rows).min(limits.page_rows);
        let bytes = bytes.unwrap_or(limits.page_bytes).clamp(1, limits.page_bytes.max(1));
        if rows == 0 {
            return Err(RemoteError::new(RemoteErrorKind::BadRequest, operation).with_detail("p_limit"));
        }
        Ok(Self { rows: rows as usize, bytes: bytes as usize })
    }
}

/// A page under construction. The caller has checked that the viewer sees each row that she adds.
#[derive(Debug)]
pub(super) struct Page<'t> {
    tables: &'t Tables,
    viewer: &'t Viewer,
    changes: Changes,
    people: BTreeSet<(OrgId, PersonId)>,
    conversations: BTreeSet<ConversationId>,
    markers: BTreeSet<(ConversationId, PersonId)>,
    /// The messages whose reactions it holds.
    reacted: BTreeSet<MessageId>,
    reacts: bool,
    bytes: usize,
    covers: bool,
    settings: BTreeSet<ConversationId>,
    /// Whether the client knows settings.
    sets: bool,
}

impl<'t> Page<'t> {
    pub(super) fn new(tables: &'t Tables, viewer: &'t Viewer, speaks: &Capabilities) -> Self {
        let covers = speaks.contains(&Capability::Ranges);
        let reacts = speaks.contains(&Capability::Reactions);
        let (people, conversations, markers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (settings, sets) = (BTreeSet::new(), speaks.contains(&Capability::ConversationSettings));
        let (changes, reacted) = (Changes::default(), BTreeSet::new());
        Self {
            tables,
            viewer,
            changes,
            people,
            conversations,
            markers,
            reacted,
            reacts,
            bytes: 0,
            covers,
            settings,
            sets,
        }
    }

    /// Its approximate size as JSON.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// As [`Page::bytes`], for the answer.
    pub(super) fn weight(&self) -> u32 {
        u32::try_from(self.bytes).unwrap_or(u32::MAX)
    }

    pub(super) fn finish(mut self) -> Changes {
        if !self.covers || !self.tables.project.0.hides() {
            self.changes.covered.clear();
        }
        self.changes
    }

    /// Adds a row of the feed and the rows it references.
    pub(super) fn add(&mut self, key: &RowKey) {
        let tables = self.tables;
        match key {
            RowKey::Person(org, id) => self.add_people(tables.people.get(&(*org, *id))),
            RowKey::Conversation(id) => self.add_conversation_id(*id),
            RowKey::Message(id) => match tables.messages.get(id) {
                Some(message) if planted(PlantedBug::HiddenIsDelivered) => self.add_message(message),
                Some(message) if self.viewer.is_shown(tables, message) => self.add_message(message),
                Some(message) => self.withdraw(message),
                None => {}
            },
            RowKey::ReadMarker(conversation, person) => {
                self.add_marker(tables.markers.get(&(*conversation, *person)));
                // When the viewer reads, on this device or another, her unread count changes.
                if *person == self.viewer.person_id {
                    self.add_conversation_id(*conversation);
                }
            }
            RowKey::Reactions(message) => self.add_reactions(*message),
            RowKey::Settings(conversation, person) => {
                self.add_settings(*conversation, *person);
                // What is marked unread changes the count.
                self.add_conversation_id(*conversation);
            }
            RowKey::Tombstone(deleted) => {
                let tombstone = tables.tombstones.get(deleted).map(|row| row.tombstone.clone());
                self.bytes += tombstone.as_ref().map_or(0, size);
                // A deleted message may have been unread. If its conversation was deleted, this adds nothing.
                if let Some(tombstone) = &tombstone {
                    self.add_conversation_id(tombstone.conversation_id);
                }
                self.changes.tombstones.extend(tombstone);
            }
            RowKey::Access(person, id) => {
                let change = tables.access.get(&(*person, *id)).cloned();
                self.bytes += change.as_ref().map_or(0, size);
                self.changes.access.extend(change);
                // A grant comes with its conversation's row and markers, which may be older than any cursor. After a
                // revocation this adds nothing.
                if let Some(row) = self.viewer.conversation(tables, *id) {
                    self.add_conversation(row);
                    self.add_markers(*id);
                    self.add_settings(*id, self.viewer.person_id);
                }
            }
            #[cfg(feature = "records")]
            RowKey::Record(_) | RowKey::RecordTombstone(..) => {}
        }
    }

    /// Adds a message with its conversation and its sender.
    pub(super) fn add_message(&mut self, message: &Message) {
        self.add_conversation_id(message.conversation_id);
        if let Some(row) = self.tables.conversations.get(&message.conversation_id) {
            self.add_people(self.tables.people.get(&(row.org_id, message.sender_id)));
        }
        self.bytes += size(message);
        self.changes.messages.push(message.clone());
        // It may be one that a policy hid until now.
        self.add_reactions(message.id);
    }

    /// Adds the reactions to a message, with their people.
    fn add_reactions(&mut self, message: MessageId) {
        if !self.reacts || !self.reacted.insert(message) {
            return;
        }
        let tables = self.tables;
        for row in tables.reactions_to(message).filter(|row| self.viewer.sees_reaction(tables, row)) {
            let org = tables.conversations.get(&row.conversation_id).map(|place| place.org_id);
            let who = org.zip(row.by.person()).and_then(|key| tables.people.get(&key));
            self.add_people(who);
            self.bytes += size(row);
            self.changes.reactions.push(row.clone());
        }
    }

    /// Adds a message that a policy hides: a version delivered earlier is withdrawn, and its number does not count as a
    /// gap.
    fn withdraw(&mut self, message: &Message) {
        self.add_conversation_id(message.conversation_id);
        if message.version > Version::new(1) && !planted(PlantedBug::HiddenLaterStays) {
            self.changes.tombstones.push(Tombstone {
                conversation_id: message.conversation_id,
                of: TombstoneOf::Message { id: message.id, seq: message.seq },
                version: message.version.previous(),
            });
        }
        self.cover(message.conversation_id, SeqRange { from: message.seq, to: message.seq });
    }

    /// Adds a range of which the page holds everything that the viewer may see.
    pub(super) fn cover(&mut self, conversation_id: ConversationId, range: SeqRange) {
        match self.changes.covered.last_mut() {
            Some(last) if last.conversation_id == conversation_id && last.range.to.next() == range.from => {
                last.range.to = range.to;
            }
            _ => self.changes.covered.push(Covered { conversation_id, range }),
        }
    }

    /// Adds a conversation with its medic and its opener.
    pub(super) fn add_conversation(&mut self, row: &ConversationRow) {
        if !self.conversations.insert(row.id) {
            return;
        }
        let tables = self.tables;
        self.add_people(tables.people.get(&(row.org_id, row.created_by)));
        let medic = row.medic_id.and_then(|medic| tables.medics.get(&medic)).and_then(|medic| medic.person_id);
        self.add_people(medic.and_then(|person| tables.people.get(&(row.org_id, person))));
        let row = rows::conversation(tables, self.viewer, row);
        self.bytes += size(&row);
        self.changes.conversations.push(row);
    }

    /// Adds a person, once.
    pub(super) fn add_people(&mut self, people: impl IntoIterator<Item = &'t PersonRow>) {
        for row in people {
            if self.people.insert((row.org_id, row.id)) {
                let row = rows::person(row);
                self.bytes += size(&row);
                self.changes.people.push(row);
            }
        }
    }

    /// Adds the markers of a conversation that the viewer sees.
    pub(super) fn add_markers(&mut self, id: ConversationId) {
        let markers = self.tables.markers.range((id, MIN)..).take_while(|(key, _)| key.0 == id);
        for (_, marker) in markers.filter(|(_, marker)| self.viewer.sees_marker(self.tables, marker)) {
            self.add_marker(Some(marker));
        }
    }

    fn add_marker(&mut self, marker: Option<&ReadMarker>) {
        if let Some(marker) = marker
            && self.markers.insert((marker.conversation_id, marker.person_id))
        {
            self.bytes += size(marker);
            self.changes.read_markers.push(marker.clone());
        }
    }

    /// Adds the settings of a person, if the client knows them.
    pub(super) fn add_settings(&mut self, id: ConversationId, person: PersonId) {
        let row = self.tables.settings.get(&(id, person)).filter(|_| self.sets);
        if let Some(row) = row.filter(|_| self.settings.insert(id)) {
            self.bytes += size(row);
            self.changes.settings.push(*row);
        }
    }

    fn add_conversation_id(&mut self, id: ConversationId) {
        if let Some(row) = self.viewer.conversation(self.tables, id) {
            self.add_conversation(row);
        }
    }
}

/// The lowest possible person id.
const MIN: PersonId = PersonId::from_uuid(uuid::Uuid::nil());

/// The size of a row as JSON. The wire's names differ slightly; the protocol allows for that with "about".
pub(super) fn size(row: &impl Serialize) -> usize {
    serde_json::to_string(row).map_or(0, |json| json.len())
}
