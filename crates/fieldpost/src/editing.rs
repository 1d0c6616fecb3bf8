//! Editing a message of one's own.

use crate::{Client, Conversation, Error, MessageId, Result, SentMessage, ThreadMessage};

impl Conversation {
    /// Changes the text of a message that the server does not have. A queued one keeps its place; a refused one is sent again
    /// with it.
    ///
    /// # Errors
    /// As [`Client::edit_entry`].
    pub async fn edit(&self, message: MessageId, text: &str) -> Result<ThreadMessage> {
        self.client().edit(message, text).await
    }
}

impl SentMessage {
    /// As [`Conversation::edit`].
    ///
    /// # Errors
    /// As there.
    pub async fn edit(&self, text: &str) -> Result<ThreadMessage> {
        self.client().edit(self.id(), text).await
    }
}

impl Client {
    async fn edit(&self, message: MessageId, text: &str) -> Result<ThreadMessage> {
        self.edit_entry(message, text).await?;
        self.inner.store.message(message).await?.ok_or(Error::NotFound)
    }
}
