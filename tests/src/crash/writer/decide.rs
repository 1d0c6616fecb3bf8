//! A person's random decisions about queued messages: retry, edit, cancel.

use super::{Writer, say};
use crate::crash::said::Said;
use anyhow::Result;
use fieldpost::{ConversationId, EntryState, Error, MessageId, OutboxEntry};

/// Errors of the store for a decision that comes too late or too early.
const fn is_ordinary(error: &Error) -> bool {
    matches!(error, Error::NotWaiting | Error::OutcomeUnknown | Error::NotPossible(_) | Error::NotFound)
}

impl Writer<'_> {
    pub(super) async fn decide(&mut self, number: u64) -> Result<()> {
        let entries = self.client.outbox(40).await?;
        let entries: Vec<_> = entries.into_iter().filter(|entry| self.is_mine_to_decide(entry)).collect();
        let Some(entry) = self.random.pick(&entries) else { return Ok(()) };
        let refused = matches!(entry.state, EntryState::Failed(_));
        match (entry.message_id, self.random.below(3)) {
            (_, 0) if refused => self.retry(entry).await,
            (Some(id), 0 | 1) => self.edit(entry, id, number).await,
            (Some(id), _) => self.cancel(entry, Some(id), None).await,
            (None, 1) => self.cancel(entry, None, Some(entry.conversation_id)).await,
            (None, _) => Ok(()),
        }
    }

    /// Two processes never decide about the same message, because nobody could tell whose decision was last. The second
    /// one's names end in `b`, and it keeps to its own messages.
    fn is_mine_to_decide(&self, entry: &OutboxEntry) -> bool {
        let text = entry.content.as_deref().unwrap_or_default();
        let (first, is_second) = self.name.strip_suffix('b').map_or((self.name, false), |first| (first, true));
        let of_second = text.starts_with(&format!("{first}b#"));
        let is_open = entry.kind.as_str() == "open_direct";
        if is_second { of_second } else { (entry.message_id.is_some() || is_open) && !of_second }
    }

    async fn retry(&self, entry: &OutboxEntry) -> Result<()> {
        match self.client.retry(entry.mutation_id).await {
            Ok(_) => Ok(()),
            Err(error) if is_ordinary(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn edit(&self, entry: &OutboxEntry, id: MessageId, number: u64) -> Result<()> {
        // The text keeps the writer's name, which shows which process may decide about it.
        let was = entry.content.as_deref().unwrap_or_default();
        let beginning = was.split(' ').next().unwrap_or_default();
        let text = format!("{beginning} changed by {} at {number}", self.name);
        say(&Said::Editing { id, text: text.clone() })?;
        let done = match self.client.edit_entry(id, &text).await {
            Ok(_) => true,
            Err(error) if is_ordinary(&error) => false,
            Err(error) => return Err(error.into()),
        };
        say(&Said::Edited { id, done })
    }

    async fn cancel(
        &mut self,
        entry: &OutboxEntry,
        id: Option<MessageId>,
        conversation: Option<ConversationId>,
    ) -> Result<()> {
        say(&Said::Cancelling { id, conversation })?;
        let left = match self.client.cancel(entry.mutation_id).await {
            Ok(left) => left,
            Err(error) if is_ordinary(&error) => return say(&Said::NotCancelled { id, conversation }),
            Err(error) => return Err(error.into()),
        };
        // A conversation that a pull has brought meanwhile stays: then only the opening is cancelled.
        let gone = match conversation {
            Some(one) if self.client.conversation(one).summary().await?.is_none() => Some(one),
            _ => None,
        };
        self.conversations.retain(|one| Some(*one) != gone);
        if conversation.is_some() && gone.is_none() {
            say(&Said::NotCancelled { id: None, conversation })?;
        }
        say(&Said::Cancelled {
            messages: left.iter().filter_map(|entry| entry.message_id).collect(),
            conversation: gone,
        })
    }
}
