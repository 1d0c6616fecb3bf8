//! `react`: gives a message a reaction of the caller, or takes it back.

use super::{
    Kind, Step,
    edit_message::{named, tombstone},
};
use crate::reference::{
    push::{Done, Judged, lookup::find, refuse},
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{
    Acknowledgement, Capability, ConversationId, Emoji, MessageId, REACTIONS_MAX, React, Reaction, RefusalCode,
};

/// A reaction in its wire form.
#[derive(Debug, Clone)]
pub struct SubmittedReaction {
    /// The conversation of the message.
    pub conversation_id: ConversationId,
    /// The message, or the key with which an older version of the app sent it.
    pub message_id: MessageId,
    /// The emoji.
    pub emoji: Emoji,
    /// Take it back.
    pub removed: bool,
}

impl Kind for SubmittedReaction {
    type Intent = React;

    const STEP: Step = Step::React;
    const NEEDS: Option<Capability> = Some(Capability::Reactions);

    fn of(reaction: &React) -> Self {
        let React { conversation_id, message_id, emoji, removed } = reaction.clone();
        Self { conversation_id, message_id, emoji, removed }
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    /// Whoever sees a message may react to it, also where she may not write. What is so already succeeds.
    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let tables = transaction.tables();
        let conversation = find(tables, viewer, self.conversation_id)?;
        let Some(message) = named(tables, viewer, conversation, self.message_id) else {
            let deleted = tombstone(tables, conversation, self.message_id).is_some();
            return Err(refuse(if deleted { RefusalCode::MessageDeleted } else { RefusalCode::NotFound }));
        };
        if message.deleted_at.is_some() {
            return Err(refuse(RefusalCode::MessageDeleted));
        }
        let id = message.id;
        let own = |row: &&Reaction| row.by.person() == Some(viewer.person_id) && row.by.count() > 0;
        let others = tables.reactions_to(id).filter(own).filter(|row| row.emoji != self.emoji).count();
        if !self.removed && others >= REACTIONS_MAX {
            return Err(refuse(RefusalCode::TooManyReactions));
        }
        let applied = transaction.react(id, viewer.person_id, &self.emoji, self.removed);
        let hers = |row: &&Reaction| {
            row.emoji == self.emoji && row.by.person().is_none_or(|person| person == viewer.person_id)
        };
        let rows = transaction.tables().reactions_to(id).filter(hers).cloned().collect();
        Ok(Done { acknowledgement: Acknowledgement::Reacted(rows), applied })
    }
}
