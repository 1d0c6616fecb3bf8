//! Changing what is there: edits, deletions, reactions.

use super::ThreadMessage;
use crate::{Client, Result};
use fieldpost::{ConversationId, MessageId, PersonId};

#[uniffi::export]
impl Client {
    /// Replaces the text of one's own message, online or offline.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidContent`], [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::NotPossible`].
    #[uniffi::method(default(mentions = None))]
    pub async fn edit(
        &self,
        conversation: ConversationId,
        message: MessageId,
        text: String,
        mentions: Option<Vec<PersonId>>,
    ) -> Result<ThreadMessage> {
        self.run(|client| async move {
            let conversation = client.conversation(conversation);
            let edited = match mentions {
                None => conversation.edit(message, &text).await?,
                Some(people) => conversation.edit_mentioning(message, &text, people).await?,
            };
            Ok(edited.into())
        })
        .await
    }

    /// Deletes a message, online or offline.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::NotPossible`].
    pub async fn delete(&self, conversation: ConversationId, message: MessageId) -> Result<ThreadMessage> {
        self.run(|client| async move { Ok(client.conversation(conversation).delete(message).await?.into()) }).await
    }

    /// Gives a message a reaction.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidEmoji`], [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::NotPossible`].
    pub async fn react(
        &self,
        conversation: ConversationId,
        message: MessageId,
        emoji: String,
    ) -> Result<ThreadMessage> {
        self.run(|client| async move { Ok(client.conversation(conversation).react(message, &emoji).await?.into()) })
            .await
    }

    /// Takes a reaction back.
    ///
    /// # Errors
    /// As [`Client::react`].
    pub async fn unreact(
        &self,
        conversation: ConversationId,
        message: MessageId,
        emoji: String,
    ) -> Result<ThreadMessage> {
        self.run(|client| async move { Ok(client.conversation(conversation).unreact(message, &emoji).await?.into()) })
            .await
    }

    /// Gives a reaction, or takes it back: what a tap on it means.
    ///
    /// # Errors
    /// As [`Client::react`].
    pub async fn toggle_reaction(
        &self,
        conversation: ConversationId,
        message: MessageId,
        emoji: String,
    ) -> Result<ThreadMessage> {
        self.run(|client| async move {
            Ok(client.conversation(conversation).toggle_reaction(message, &emoji).await?.into())
        })
        .await
    }
}
