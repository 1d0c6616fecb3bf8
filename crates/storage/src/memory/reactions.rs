//! Reactions: rows of the server, and what a thread shows of them.

use super::state::{Row, State};
use super::versions::is_newer;
use crate::{ThreadReaction, reactions, reactions::StoredReaction};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Emoji, Intent, MessageId, PersonId, ReactedBy, Reaction};
use std::collections::BTreeSet;

/// The key of a row. Nobody stands for everybody.
pub(super) type ReactionKey = (MessageId, Emoji, Option<PersonId>);

fn key(row: &Reaction) -> ReactionKey {
    (row.message_id, row.emoji.clone(), row.by.person())
}

impl State {
    /// Applies a row of the server. The message may come later, with history.
    pub(super) fn put_reaction(&mut self, mut row: Reaction) -> bool {
        row.conversation_id = self.resolve(row.conversation_id);
        let deleted =
            self.message_tombstones.contains_key(&row.message_id) && !self.messages.contains_key(&row.message_id);
        if deleted || !self.threads.contains_key(&row.conversation_id) {
            return false;
        }
        let stored = self.reactions.get(&key(&row)).map(|stored| stored.version);
        if !is_newer(stored, row.version) && !planted(PlantedBug::OlderReactionWins) {
            return false;
        }
        self.reactions.insert(key(&row), row);
        true
    }

    /// A page of a bootstrap has all reactions of its conversations' messages: others leave.
    pub(super) fn sweep_reactions(&mut self, conversations: &BTreeSet<ConversationId>, told: &BTreeSet<ReactionKey>) {
        self.reactions.retain(|key, row| !conversations.contains(&row.conversation_id) || told.contains(key));
    }

    /// Removes the reactions to a message.
    pub(super) fn drop_reactions(&mut self, message: MessageId) {
        self.reactions.retain(|key, _| key.0 != message);
    }

    fn reactions_of(&self, message: MessageId) -> impl Iterator<Item = &Reaction> {
        let first = (message, Emoji::told(""), None);
        self.reactions.range(first..).map(|(_, row)| row).take_while(move |row| row.message_id == message)
    }

    /// The emojis with which the signed-in person has reacted, by the server's knowledge.
    pub(super) fn own_reactions(&self, message: MessageId) -> BTreeSet<Emoji> {
        let own = self.owner();
        let given = self.reactions_of(message).filter(|row| match row.by {
            ReactedBy::Person { id, removed } => Some(id) == own && !removed,
            ReactedBy::All { .. } => false,
        });
        given.map(|row| row.emoji.clone()).collect()
    }

    /// What a thread shows of them.
    pub(super) fn thread_reactions(&self, row: &Row) -> Vec<ThreadReaction> {
        let stored = self.reactions_of(row.id()).map(|row| StoredReaction {
            emoji: row.emoji.clone(),
            by: row.by,
            created_at: row.created_at,
        });
        let pending = self.pending_changes(row.id()).filter(|change| matches!(change, Intent::React(_)));
        reactions::shown(stored, pending, self.owner())
    }
}

/// The keys of a page's rows.
pub(super) fn keys(rows: &[Reaction]) -> BTreeSet<ReactionKey> {
    rows.iter().map(key).collect()
}
