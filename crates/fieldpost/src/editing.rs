//! Editing one's own messages.

use crate::{
    Client, Conversation, Error, Mentions, MessageContent, MessageId, PersonId, Result, SentMessage, ThreadMessage,
};
use fieldpost_domain::{EditMessage, Intent, MENTIONS_MAX, Mutation};

impl Conversation {
    /// Replaces the text of one's own message, online or offline. The new text shows at once
    /// ([`ThreadMessage::changing`]); others see it after the next sync. A message that was never sent is sent with the
    /// new text; a refused one is sent again with it. If the server refuses the change, the message shows the server's
    /// text again, and the change waits in the outbox for the person ([`Client::changes_of`]).
    ///
    /// # Errors
    /// [`Error::InvalidContent`]; [`Error::NotFound`] when the message is not on this device; [`Error::NotPossible`]
    /// when somebody else wrote it or it is deleted.
    pub async fn edit(&self, message: MessageId, text: &str) -> Result<ThreadMessage> {
        self.client().edit(message, text, None).await
    }

    /// Like [`Conversation::edit`], and replaces the mentions too.
    ///
    /// # Errors
    /// As [`Conversation::edit`]; [`Error::TooManyMentions`].
    pub async fn edit_mentioning(
        &self,
        message: MessageId,
        text: &str,
        people: impl IntoIterator<Item = PersonId> + Send,
    ) -> Result<ThreadMessage> {
        let mentions: Mentions = people.into_iter().collect();
        if mentions.len() > MENTIONS_MAX {
            return Err(Error::TooManyMentions);
        }
        self.client().edit(message, text, Some(mentions)).await
    }
}

impl SentMessage {
    /// See [`Conversation::edit`].
    ///
    /// # Errors
    /// As there.
    pub async fn edit(&self, text: &str) -> Result<ThreadMessage> {
        self.client().edit(self.id(), text, None).await
    }
}

impl Client {
    /// `None` keeps the present mentions.
    async fn edit(&self, message_id: MessageId, text: &str, mentions: Option<Mentions>) -> Result<ThreadMessage> {
        let content = MessageContent::new(text)?;
        let now = self.inner.store.message(message_id).await?.ok_or(Error::NotFound)?;
        let mentions = mentions.unwrap_or(now.mentions);
        let edit = EditMessage { conversation_id: now.conversation_id, message_id, content, mentions };
        let env = &self.inner.env;
        let mutation = Mutation { id: env.mutation_id(), intent: Intent::EditMessage(edit) };
        let changed = self.inner.store.change(mutation, env.now()).await?;
        self.note_local_write().await;
        Ok(changed)
    }
}
