//! Writes messages.

use super::{RowKey, Transaction};
use crate::reference::{
    limits,
    tables::{Deleted, TombstoneRow, key_of},
};
use fieldpost_domain::{
    ConversationId, Extra, Mentions, Message, MessageId, MessageKind, MessageStatus, Metadata, PersonId, Seq, Time,
    Tombstone, TombstoneOf, Version,
    planted::{PlantedBug, planted},
};

/// A message without its place in the conversation.
#[derive(Debug, Clone)]
pub(in crate::reference) struct MessageDraft {
    pub(in crate::reference) id: MessageId,
    pub(in crate::reference) conversation_id: ConversationId,
    pub(in crate::reference) sender_id: PersonId,
    pub(in crate::reference) kind: MessageKind,
    pub(in crate::reference) content: Option<String>,
    pub(in crate::reference) metadata: Option<Metadata>,
    pub(in crate::reference) mentions: Mentions,
    pub(in crate::reference) reply_to: Option<MessageId>,
    pub(in crate::reference) composed_at: Option<Time>,
}

impl Transaction<'_> {
    /// Stores a message at the next place of its conversation; none if there is no such conversation. `created_at` is
    /// the server's clock, raised above the previous message. The conversation's own row does not change.
    pub(in crate::reference) fn insert_message(&mut self, draft: MessageDraft) -> Option<Message> {
        let before = self.tables.thread(draft.conversation_id).next_back().map(|message| message.created_at);
        let row = self.tables.conversations.get_mut(&draft.conversation_id)?;
        row.last_seq = row.last_seq.next();
        let created_at = match before {
            Some(before) if before >= self.now => before + chrono::TimeDelta::microseconds(1),
            _ => self.now,
        };
        let omitted = limits::of_message(draft.content.as_deref(), draft.metadata.as_ref());
        let whole = omitted.is_none();
        let message = Message {
            id: draft.id,
            conversation_id: draft.conversation_id,
            sender_id: draft.sender_id,
            kind: draft.kind,
            content: draft.content.filter(|_| whole),
            metadata: draft.metadata.filter(|_| whole),
            reply_to: draft.reply_to,
            mentions: draft.mentions,
            status: MessageStatus::Sent,
            seq: row.last_seq,
            composed_at: limits::believed(draft.composed_at, self.now),
            created_at,
            updated_at: created_at,
            edited_at: None,
            deleted_at: None,
            omitted,
            version: Version::new(1),
            extra: Extra::new(),
        };
        self.tables.threads.insert((message.conversation_id, message.seq), message.id);
        self.tables.messages.insert(message.id, message.clone());
        self.touch(RowKey::Message(message.id));
        Some(message)
    }

    /// Changes the content of a message, and its mentions unless they are none. Id, place and sender cannot change.
    /// False if the message does not exist or is deleted: an edit does not bring it back.
    pub(in crate::reference) fn edit_message(
        &mut self,
        id: MessageId,
        content: Option<String>,
        mentions: Option<Mentions>,
    ) -> bool {
        let now = self.now;
        self.update_message(id, |message| {
            message.mentions = mentions.unwrap_or_else(|| std::mem::take(&mut message.mentions));
            message.edited_at = Some(now);
            message.omitted = limits::of_message(content.as_deref(), message.metadata.as_ref());
            message.content = content.filter(|_| message.omitted.is_none());
        })
    }

    /// Sets the status column, as clients of the older app do; it never moves back.
    pub(in crate::reference) fn set_status(&mut self, id: MessageId, status: MessageStatus) -> bool {
        self.update_message(id, |message| message.status = status.max(message.status.clone()))
    }

    /// The status of messages follows the markers of others: without a version and a stamp, because every device knows
    /// the markers.
    pub(super) fn raise_status(&mut self, conversation: ConversationId, by: PersonId, delivered: Seq, read: Seq) {
        let thread = self.tables.threads.range((conversation, Seq::ZERO)..=(conversation, delivered.max(read)));
        let reached: Vec<MessageId> = thread.map(|(_, id)| *id).collect();
        for id in reached {
            if let Some(message) = self.tables.messages.get_mut(&id).filter(|message| message.sender_id != by) {
                let arrived =
                    if planted(PlantedBug::StatusStaysBehind) { MessageStatus::Sent } else { MessageStatus::Delivered };
                let to = if message.seq <= read { MessageStatus::Read } else { arrived };
                message.status = to.max(message.status.clone());
            }
        }
    }

    /// Soft-deletes a message: the row stays without its content.
    pub(in crate::reference) fn soft_delete(&mut self, id: MessageId) -> bool {
        let now = self.now;
        let deleted = self.update_message(id, |message| {
            message.deleted_at = Some(now);
            message.content = None;
            message.metadata = None;
            message.mentions.clear();
            message.omitted = None;
        });
        if deleted {
            self.drop_reactions(id);
        }
        deleted
    }

    /// Hard-deletes a message; a tombstone keeps its place.
    pub(in crate::reference) fn hard_delete(&mut self, id: MessageId) -> bool {
        let Some(message) = self.tables.messages.remove(&id) else { return false };
        self.tables.threads.remove(&(message.conversation_id, message.seq));
        self.gone.insert(RowKey::Message(id));
        self.drop_reactions(id);
        let Some(conversation) = self.tables.conversations.get(&message.conversation_id) else { return true };
        let row = TombstoneRow {
            tombstone: Tombstone {
                conversation_id: message.conversation_id,
                of: TombstoneOf::Message { id, seq: message.seq },
                version: message.version.next(),
            },
            sender_id: Some(message.sender_id),
            key: key_of(&message).map(str::to_owned),
            org_id: conversation.org_id,
            kind: conversation.kind.clone(),
            medic_id: conversation.medic_id,
        };
        self.tables.tombstones.insert(Deleted::Message(id), row);
        self.touch(RowKey::Tombstone(Deleted::Message(id)));
        true
    }

    fn update_message(&mut self, id: MessageId, change: impl FnOnce(&mut Message)) -> bool {
        let may_change = |message: &&mut Message| message.deleted_at.is_none() || planted(PlantedBug::EditBeatsDelete);
        let Some(message) = self.tables.messages.get_mut(&id).filter(may_change) else {
            return false;
        };
        change(message);
        message.updated_at = message.updated_at.max(self.now);
        message.version = message.version.next();
        self.touch(RowKey::Message(id));
        true
    }
}
