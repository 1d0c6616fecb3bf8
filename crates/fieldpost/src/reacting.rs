//! Reacting to messages.

use crate::{Client, Conversation, Emoji, Error, MessageId, Result, SentMessage, ThreadMessage};
use fieldpost_domain::{Intent, Mutation, React};

impl Conversation {
    /// Gives a message a reaction, online or offline. It counts at once ([`ThreadMessage::reactions`]); others see it after
    /// the next sync. Whoever sees a message may react to it, also in a broadcast. Giving it again does nothing: a person
    /// counts once for each emoji, on however many devices they react. If the server refuses, the reaction is not shown any
    /// more, and waits in the outbox for the person ([`Client::changes_of`]).
    ///
    /// # Errors
    /// [`Error::InvalidEmoji`]; [`Error::NotFound`] when the message is not on this device; [`Error::NotPossible`] when it is
    /// deleted, or has as many reactions of the person as allowed.
    pub async fn react(&self, message: MessageId, emoji: &str) -> Result<ThreadMessage> {
        self.client().react(message, Emoji::new(emoji)?, false).await
    }

    /// Takes a reaction back. One that was never sent just leaves.
    ///
    /// # Errors
    /// As [`Conversation::react`].
    pub async fn unreact(&self, message: MessageId, emoji: &str) -> Result<ThreadMessage> {
        self.client().react(message, Emoji::new(emoji)?, true).await
    }

    /// Gives a reaction, or takes it back if the person has given it: what a tap on it means.
    ///
    /// # Errors
    /// As [`Conversation::react`].
    pub async fn toggle_reaction(&self, message: MessageId, emoji: &str) -> Result<ThreadMessage> {
        let emoji = Emoji::new(emoji)?;
        let shown = self.client().inner.store.message(message).await?.ok_or(Error::NotFound)?;
        let given = shown.reactions.iter().any(|reaction| reaction.mine && reaction.emoji == emoji);
        self.client().react(message, emoji, given).await
    }
}

impl SentMessage {
    /// See [`Conversation::react`].
    ///
    /// # Errors
    /// As there.
    pub async fn react(&self, emoji: &str) -> Result<ThreadMessage> {
        self.client().react(self.id(), Emoji::new(emoji)?, false).await
    }
}

impl Client {
    async fn react(&self, message_id: MessageId, emoji: Emoji, removed: bool) -> Result<ThreadMessage> {
        let now = self.inner.store.message(message_id).await?.ok_or(Error::NotFound)?;
        let reaction = React { conversation_id: now.conversation_id, message_id, emoji, removed };
        let env = &self.inner.env;
        let mutation = Mutation { id: env.mutation_id(), intent: Intent::React(reaction) };
        let reacted = self.inner.store.change(mutation, env.now()).await?;
        self.note_local_write().await;
        Ok(reacted)
    }
}
