//! Writes reactions.

use super::{RowKey, Transaction};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, ConversationKind, Emoji, MessageId, PersonId, ReactedBy, Reaction, Version};

impl Transaction<'_> {
    /// Sets or takes back a person's reaction. False if it was so already, or if there is no such message or it is deleted.
    pub(in crate::reference) fn react(
        &mut self,
        message_id: MessageId,
        person: PersonId,
        emoji: &Emoji,
        removed: bool,
    ) -> bool {
        let message = self.tables.messages.get(&message_id).filter(|message| message.deleted_at.is_none());
        let Some(conversation_id) = message.map(|message| message.conversation_id) else { return false };
        let stored = self.tables.reactions.get(&message_id).and_then(|rows| rows.get(&(emoji.clone(), Some(person))));
        let was = stored.map(|row| row.by.count());
        let by = ReactedBy::Person { id: person, removed };
        let again = was.unwrap_or(0) == by.count();
        if again && !planted(PlantedBug::ReactionPerDevice) {
            return false;
        }
        self.put((message_id, conversation_id), emoji, by);
        let broadcast = |row: &super::super::tables::ConversationRow| row.kind == ConversationKind::Broadcast;
        if self.tables.conversations.get(&conversation_id).is_some_and(broadcast) {
            let rows = self.tables.reactions.get(&message_id);
            let total = rows.and_then(|rows| rows.get(&(emoji.clone(), None))).map_or(0, |row| row.by.count());
            let count = if removed { total.saturating_sub(1) } else { total + 1 };
            self.put((message_id, conversation_id), emoji, ReactedBy::All { count });
        }
        self.touch(RowKey::Reactions(message_id));
        true
    }

    /// The reactions leave with their message.
    pub(super) fn drop_reactions(&mut self, message: MessageId) {
        if self.tables.reactions.remove(&message).is_some() {
            self.gone.insert(RowKey::Reactions(message));
        }
    }

    fn put(&mut self, (message_id, conversation_id): (MessageId, ConversationId), emoji: &Emoji, by: ReactedBy) {
        let rows = self.tables.reactions.entry(message_id).or_default();
        let stored = rows.get(&(emoji.clone(), by.person()));
        let created_at = stored.map_or(self.now, |row| row.created_at);
        let version = stored.map_or(Version::ZERO, |row| row.version).next();
        let row = Reaction { message_id, conversation_id, emoji: emoji.clone(), by, created_at, version };
        rows.insert((emoji.clone(), by.person()), row);
    }
}
