//! What a person sets for a conversation.

use crate::{Client, ConversationSummary, Result, moment};
use fieldpost::{ConversationId, Seq, Settings};
use std::time::SystemTime;

#[uniffi::export]
impl Client {
    /// Mutes a conversation until then; without an end if none is given.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::SignedOut`].
    #[uniffi::method(default(until = None))]
    pub async fn mute(&self, conversation: ConversationId, until: Option<SystemTime>) -> Result<ConversationSummary> {
        let until = until.map(moment::taken).transpose()?.unwrap_or(Settings::FOREVER);
        self.run(|client| async move { Ok(client.conversation(conversation).mute(until).await?.into()) }).await
    }

    /// Ends [`Client::mute`].
    ///
    /// # Errors
    /// As there.
    pub async fn unmute(&self, conversation: ConversationId) -> Result<ConversationSummary> {
        self.run(|client| async move { Ok(client.conversation(conversation).unmute().await?.into()) }).await
    }

    /// Puts a conversation at the top of the list.
    ///
    /// # Errors
    /// As [`Client::mute`].
    pub async fn pin(&self, conversation: ConversationId) -> Result<ConversationSummary> {
        self.run(|client| async move { Ok(client.conversation(conversation).pin().await?.into()) }).await
    }

    /// Ends [`Client::pin`].
    ///
    /// # Errors
    /// As [`Client::mute`].
    pub async fn unpin(&self, conversation: ConversationId) -> Result<ConversationSummary> {
        self.run(|client| async move { Ok(client.conversation(conversation).unpin().await?.into()) }).await
    }

    /// Archives a conversation.
    ///
    /// # Errors
    /// As [`Client::mute`].
    pub async fn archive(&self, conversation: ConversationId) -> Result<ConversationSummary> {
        self.run(|client| async move { Ok(client.conversation(conversation).archive().await?.into()) }).await
    }

    /// Ends [`Client::archive`].
    ///
    /// # Errors
    /// As [`Client::mute`].
    pub async fn unarchive(&self, conversation: ConversationId) -> Result<ConversationSummary> {
        self.run(|client| async move { Ok(client.conversation(conversation).unarchive().await?.into()) }).await
    }

    /// Marks a conversation as unread from a message on; none for its newest one.
    ///
    /// # Errors
    /// As [`Client::mute`].
    #[uniffi::method(default(from = None))]
    pub async fn mark_unread(&self, conversation: ConversationId, from: Option<u64>) -> Result<ConversationSummary> {
        self.run(
            |client| async move { Ok(client.conversation(conversation).mark_unread(from.map(Seq::new)).await?.into()) },
        )
        .await
    }
}
