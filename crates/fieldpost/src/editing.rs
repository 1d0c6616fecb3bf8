//! Editing a message of one's own.

use crate::{
    Client, Conversation, Error, Mentions, MessageContent, MessageId, PersonId, Result, SentMessage, ThreadMessage,
};
use fieldpost_domain::{EditMessage, Intent, MENTIONS_MAX, Mutation};

impl Conversation {
    /// Gives a message of one's own another text, with or without a network. It shows at once
    /// ([`ThreadMessage::changing`]) and others see it after the next sync. What was never sent goes out with its new text; what
    /// was refused is sent again with it. If the server refuses the change, the message shows as the server has it, and the
    /// change waits in the outbox for the person ([`Client::changes_of`]).
    ///
    /// # Errors
    /// [`Error::InvalidContent`]; [`Error::NotFound`] when the message is not here; [`Error::NotPossible`] when somebody else
    /// wrote it or it is deleted.
    pub async fn edit(&self, message: MessageId, text: &str) -> Result<ThreadMessage> {
        self.client().edit(message, text, None).await
    }

    /// As [`Conversation::edit`], with other mentions too.
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
    /// As [`Conversation::edit`].
    ///
    /// # Errors
    /// As there.
    pub async fn edit(&self, text: &str) -> Result<ThreadMessage> {
        self.client().edit(self.id(), text, None).await
    }
}

impl Client {
    /// Without mentions, those that there are stay.
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
