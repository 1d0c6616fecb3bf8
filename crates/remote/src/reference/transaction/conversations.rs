//! Writes conversations and changes who may see them.

use super::{RowKey, Transaction};
use crate::reference::tables::{ConversationRow, Deleted, TombstoneRow};
use fieldpost_domain::{
    Access, AccessChange, ConversationId, ConversationKind, MedicId, OrgId, PersonId, Seq, Tombstone, TombstoneOf,
    Version,
};

impl Transaction<'_> {
    /// Stores a new conversation. The caller has checked that the id is free and that no such conversation exists.
    pub(in crate::reference) fn open_conversation(
        &mut self,
        id: ConversationId,
        org_id: OrgId,
        medic_id: Option<MedicId>,
        subject: Option<String>,
        created_by: PersonId,
    ) {
        let kind = if medic_id.is_some() { ConversationKind::Direct } else { ConversationKind::Broadcast };
        let row = ConversationRow {
            id,
            org_id,
            kind,
            subject,
            medic_id,
            created_by,
            created_at: self.now,
            updated_at: self.now,
            last_seq: Seq::ZERO,
            version: Version::new(1),
        };
        self.tables.conversations.insert(id, row);
        self.touch(RowKey::Conversation(id));
    }

    /// Makes `alias` mean `canonical` from now on.
    pub(in crate::reference) fn add_alias(&mut self, alias: ConversationId, canonical: ConversationId) {
        self.tables.aliases.insert(alias, canonical);
    }

    /// Reassigns a direct conversation to another medic, or to none: one medic loses access, the other gains it.
    pub(in crate::reference) fn reassign(&mut self, id: ConversationId, medic: Option<MedicId>) -> bool {
        let Some(row) = self.tables.conversations.get_mut(&id) else { return false };
        let before = std::mem::replace(&mut row.medic_id, medic);
        row.updated_at = self.now;
        row.version = row.version.next();
        self.touch(RowKey::Conversation(id));
        for (medic, access) in [(before, Access::Revoke), (medic, Access::Grant)] {
            if let Some(person) = medic.and_then(|medic| self.tables.person_of(medic)) {
                self.log_access(person, id, access);
            }
        }
        true
    }

    /// Renames a broadcast.
    pub(in crate::reference) fn rename(&mut self, id: ConversationId, subject: Option<String>) -> bool {
        let Some(row) = self.tables.conversations.get_mut(&id) else { return false };
        row.subject = subject;
        row.updated_at = self.now;
        row.version = row.version.next();
        self.touch(RowKey::Conversation(id));
        true
    }

    /// Deletes a conversation with its messages and markers; it gets a single tombstone.
    pub(in crate::reference) fn delete_conversation(&mut self, id: ConversationId) -> bool {
        let Some(row) = self.tables.conversations.remove(&id) else { return false };
        let messages: Vec<_> = self.tables.thread(id).map(|message| (message.seq, message.id)).collect();
        for (seq, message) in messages {
            self.tables.threads.remove(&(id, seq));
            self.tables.messages.remove(&message);
            self.gone.insert(RowKey::Message(message));
            self.drop_reactions(message);
        }
        self.drop_reports(id);
        let readers: Vec<_> = self.tables.markers.keys().filter(|key| key.0 == id).copied().collect();
        for (conversation, person) in readers {
            self.tables.markers.remove(&(conversation, person));
            self.gone.insert(RowKey::ReadMarker(conversation, person));
        }
        let people: Vec<_> = self.tables.settings.keys().filter(|key| key.0 == id).copied().collect();
        for (conversation, person) in people {
            self.tables.settings.remove(&(conversation, person));
            self.gone.insert(RowKey::Settings(conversation, person));
        }
        self.gone.insert(RowKey::Conversation(id));
        let tombstone = Tombstone { conversation_id: id, of: TombstoneOf::Conversation, version: row.version.next() };
        let row = TombstoneRow {
            tombstone,
            sender_id: None,
            key: None,
            org_id: row.org_id,
            kind: row.kind,
            medic_id: row.medic_id,
        };
        self.tables.used_up.insert(id);
        self.tables.tombstones.insert(Deleted::Conversation(id), row);
        self.touch(RowKey::Tombstone(Deleted::Conversation(id)));
        true
    }

    /// Records that a person gained or lost access to an existing conversation.
    pub(super) fn log_access(&mut self, person: PersonId, conversation: ConversationId, access: Access) {
        let known = self.tables.access.get(&(person, conversation));
        if known.is_some_and(|change| change.access == access) {
            return;
        }
        let version = known.map_or(Version::ZERO, |change| change.version).next();
        let change = AccessChange { conversation_id: conversation, access, version };
        self.tables.access.insert((person, conversation), change);
        self.touch(RowKey::Access(person, conversation));
    }
}
