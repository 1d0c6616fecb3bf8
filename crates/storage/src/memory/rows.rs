//! Applies single rows of the server. Each function returns whether the row changed something.

use super::state::{Row, State, Thread};
use super::versions::is_newer;
use crate::{BootstrapReason, visibility::Place};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{Conversation, ConversationId, ConversationKind, Message, Person, Tombstone, TombstoneOf};
use std::collections::BTreeSet;

/// The result of applying a message row.
pub(super) enum Placed {
    /// The row changed something; `new` if it is a new message of somebody else.
    Changed { new: bool },
    /// The row is older than the stored one, or equal.
    Stale,
    /// The conversation is not stored and was not removed for a known reason.
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
        // The conversation was merged into another one of the same medic, and then the server gave it to another medic.
        // So it is a conversation again, and no alias.
        self.aliases.remove(&id);
        if let Some(twin) = self.offline_twin(&row) {
            self.rekey(twin, id);
        }
        let confirmed_now = self.bootstrap.as_mut().is_some_and(|bootstrap| bootstrap.conversations.insert(id));
        let epoch = self.bootstrap.as_ref().is_some_and(|bootstrap| bootstrap.reason == BootstrapReason::Epoch);
        match self.threads.get_mut(&id) {
            Some(thread) if !(confirmed_now && epoch) => thread.merge(row, self.outside_pass),
            _ => {
                if epoch {
                    self.lower_markers(id, row.last_seq);
                }
                let counted_to = row.last_seq;
                self.threads.insert(
                    id,
                    Thread { row, on_server: true, range: None, deleted_seqs: BTreeSet::new(), counted_to },
                );
                true
            }
        }
    }

    /// The conversation that was opened here for the same medic, and that the server knows under another id.
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
        let own = self.owner();
        let Some(thread) = self.threads.get_mut(&message.conversation_id) else {
            return if self.has_left(message.conversation_id) {
                Placed::Stale
            } else {
                Placed::Orphan(Box::new(message))
            };
        };
        thread.row.last_seq = thread.row.last_seq.max(message.seq);
        // A message that comes back after its deletion, because a policy shows it again, is not deleted any more: once it
        // leaves this device, nothing is known of its seq.
        self.message_tombstones.remove(&message.id);
        thread.deleted_seqs.remove(&message.seq);
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
        if message.deleted_at.is_some() {
            self.drop_reactions(message.id);
        }
        self.messages.insert(message.id, Row::Server(message));
        Placed::Changed { new }
    }

    /// Records a tombstone. Returns whether it is new, and the conversation if it deletes one.
    pub(super) fn record_tombstone(&mut self, tombstone: &Tombstone) -> (bool, Option<ConversationId>) {
        match tombstone.of {
            TombstoneOf::Message { id, seq } => {
                let conversation = self.resolve(tombstone.conversation_id);
                // At equal versions the tombstone wins: a withdrawal has the version of the row that it withdraws.
                let equal_stays = planted(PlantedBug::WithdrawnByEqualStays);
                let newer_row = matches!(
                    self.messages.get(&id), Some(Row::Server(stored)) if stored.version > tombstone.version
                        || (equal_stays && stored.version == tombstone.version));
                if newer_row || self.has_tombstone(id, tombstone.version) {
                    return (false, None);
                }
                self.message_tombstones.insert(id, tombstone.version);
                self.drop_reactions(id);
                self.messages.remove(&id);
                if let Some(thread) = self.threads.get_mut(&conversation) {
                    thread.deleted_seqs.insert(seq);
                    thread.row.last_seq = thread.row.last_seq.max(seq);
                }
                (true, None)
            }
            TombstoneOf::Conversation => {
                // The server's own id, unresolved: it may be an alias here, and then it must not delete the
                // conversation that took its place.
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
    /// Merges a row of the server. The derived fields carry no version: they come from the row with the larger
    /// `last_seq`, at equal ones from the later row. A row that was requested outside a pass need not be the later
    /// one.
    fn merge(&mut self, incoming: Conversation, outside_pass: bool) -> bool {
        let before = (self.row.clone(), self.on_server);
        let last_seq = self.row.last_seq.max(incoming.last_seq);
        let newer = incoming.version > self.row.version || !self.on_server;
        let later = newer || (incoming.version == self.row.version && !outside_pass);
        let equal = incoming.last_seq == self.counted_to && later;
        let wins = incoming.last_seq > self.counted_to || equal || !self.on_server;
        let (row, derived) = match (newer, wins) {
            (true, true) => (incoming.clone(), incoming),
            (true, false) => (incoming, self.row.clone()),
            (false, true) => (self.row.clone(), incoming),
            (false, false) => (self.row.clone(), self.row.clone()),
        };
        if wins {
            self.counted_to = derived.last_seq;
        }
        self.row = Conversation {
            last_seq,
            unread: derived.unread,
            unread_mentions: derived.unread_mentions,
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
