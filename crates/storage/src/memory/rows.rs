//! Taking in single rows of the server. Each function says whether the row changed something.

use super::state::{Row, State, Thread};
use super::versions::is_newer;
use crate::{BootstrapReason, visibility::Place};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{Conversation, ConversationId, ConversationKind, Message, Person, Tombstone, TombstoneOf};
use std::collections::BTreeSet;

/// What became of a message row.
pub(super) enum Placed {
    /// It changed something; `new` if it is a message of somebody else that was not here before.
    Changed { new: bool },
    /// It is older than what is known, or the same.
    Stale,
    /// Its conversation is not here, and nobody knows why.
    Orphan(Box<Message>),
}

impl State {
    pub(super) fn put_person(&mut self, person: Person) -> bool {
        let key = (person.id, person.org_id);
        if let Some(bootstrap) = &mut self.bootstrap {
            bootstrap.people.insert(key);
        }
        let newer = is_newer(self.people.get(&key).map(|stored| stored.version), person.version);
        if newer {
            self.people.insert(key, person);
        }
        newer
    }

    pub(super) fn put_conversation(&mut self, row: Conversation) -> bool {
        let id = row.id;
        if self.is_excluded(id, row.version) {
            return false;
        }
        // It was merged into another one of the same medic, and then handed on to another: it is itself.
        self.aliases.remove(&id);
        if let Some(twin) = self.offline_twin(&row) {
            self.rekey(twin, id);
        }
        let confirmed_now = self.bootstrap.as_mut().is_some_and(|bootstrap| bootstrap.conversations.insert(id));
        let epoch = self.bootstrap.as_ref().is_some_and(|bootstrap| bootstrap.reason == BootstrapReason::Epoch);
        match self.threads.get_mut(&id) {
            Some(thread) if !(confirmed_now && epoch) => thread.merge(row, self.beside),
            _ => {
                if epoch {
                    self.lower_markers(id, row.last_seq);
                }
                let counted_to = row.last_seq;
                self.threads
                    .insert(id, Thread { row, on_server: true, range: None, gone: BTreeSet::new(), counted_to });
                true
            }
        }
    }

    /// The conversation that was opened on this device with the same medic and that the server knows under another id.
    fn offline_twin(&self, row: &Conversation) -> Option<ConversationId> {
        if row.kind != ConversationKind::Direct {
            return None;
        }
        let medic = row.medic_id?;
        let twin = self
            .threads
            .iter()
            .find(|(id, thread)| !thread.on_server && **id != row.id && thread.is_direct_with(row.org_id, medic));
        twin.map(|(id, _)| *id)
    }

    pub(super) fn put_message(&mut self, mut message: Message) -> Placed {
        message.conversation_id = self.resolve(message.conversation_id);
        if self.has_tombstone(message.id, message.version) {
            return Placed::Stale;
        }
        let own = self.own();
        let Some(thread) = self.threads.get_mut(&message.conversation_id) else {
            return if self.has_left(message.conversation_id) {
                Placed::Stale
            } else {
                Placed::Orphan(Box::new(message))
            };
        };
        thread.row.last_seq = thread.row.last_seq.max(message.seq);
        let new = match self.messages.get(&message.id) {
            Some(Row::Server(stored)) if stored.version > message.version && !planted(PlantedBug::OlderRowWins) => {
                return Placed::Stale;
            }
            Some(Row::Server(stored)) if stored.version == message.version && stored.says_the_same(&message) => {
                return Placed::Stale;
            }
            Some(_) => false,
            None => Some(message.sender_id) != own && message.deleted_at.is_none(),
        };
        self.messages.insert(message.id, Row::Server(message));
        Placed::Changed { new }
    }

    /// A tombstone; the conversation that left with it, if it is one of a conversation.
    pub(super) fn record_tombstone(&mut self, tombstone: &Tombstone) -> (bool, Option<ConversationId>) {
        match tombstone.of {
            TombstoneOf::Message { id, seq } => {
                let conversation = self.resolve(tombstone.conversation_id);
                // Of equals the deletion counts: what a policy hides is withdrawn by the version that was shown.
                let equal_stays = planted(PlantedBug::WithdrawnByEqualStays);
                let newer_row = matches!(
                    self.messages.get(&id), Some(Row::Server(stored)) if stored.version > tombstone.version
                        || (equal_stays && stored.version == tombstone.version));
                if newer_row || self.has_tombstone(id, tombstone.version) {
                    return (false, None);
                }
                self.message_tombstones.insert(id, tombstone.version);
                self.messages.remove(&id);
                if let Some(thread) = self.threads.get_mut(&conversation) {
                    thread.gone.insert(seq);
                    thread.row.last_seq = thread.row.last_seq.max(seq);
                }
                (true, None)
            }
            TombstoneOf::Conversation => {
                // By the server's own id. Here it may be an alias by now, of the conversation that has taken its place.
                let conversation = tombstone.conversation_id;
                let recorded = self.conversation_tombstones.get(&conversation).copied();
                let known = recorded.max(self.threads.get(&conversation).map(|thread| thread.row.version));
                if !is_newer(known, tombstone.version) {
                    return (false, None);
                }
                self.conversation_tombstones.insert(conversation, tombstone.version);
                (true, Some(conversation))
            }
        }
    }
}

impl Thread {
    /// Takes in a row of the server. The derived fields carry no version: they come from the answer that knew most, of equals
    /// from the later one, which one that was asked for `beside` a pass need not be.
    fn merge(&mut self, incoming: Conversation, beside: bool) -> bool {
        let before = (self.row.clone(), self.on_server);
        let last_seq = self.row.last_seq.max(incoming.last_seq);
        let newer = incoming.version > self.row.version || !self.on_server;
        let later = newer || (incoming.version == self.row.version && !beside);
        let as_much = incoming.last_seq == self.counted_to && later;
        let knows_more = incoming.last_seq > self.counted_to || as_much || !self.on_server;
        let (row, derived) = match (newer, knows_more) {
            (true, true) => (incoming.clone(), incoming),
            (true, false) => (incoming, self.row.clone()),
            (false, true) => (self.row.clone(), incoming),
            (false, false) => (self.row.clone(), self.row.clone()),
        };
        if knows_more {
            self.counted_to = derived.last_seq;
        }
        self.row = Conversation {
            last_seq,
            unread: derived.unread,
            last_message_at: derived.last_message_at,
            last_message_preview: derived.last_message_preview,
            medic_name: derived.medic_name,
            ..row
        };
        self.on_server = true;
        before != (self.row.clone(), true)
    }

    pub(super) fn place(&self) -> Place {
        let Conversation { org_id, kind, medic_id, .. } = &self.row;
        Place { org_id: *org_id, kind: kind.clone(), medic_id: *medic_id }
    }

    pub(super) fn is_direct_with(&self, org: fieldpost_domain::OrgId, medic: fieldpost_domain::MedicId) -> bool {
        self.row.kind == ConversationKind::Direct && self.row.org_id == org && self.row.medic_id == Some(medic)
    }
}
