//! Reading and writing a thread.

use crate::client::told;
use crate::{
    Client, ConversationId, Error, Mentions, MessageContent, MessageId, MessageKind, Metadata, Older, PersonId, Result,
    ThreadMessage, ThreadWindow, Window,
};
use fieldpost_storage::OutgoingMessage;

/// A message about to be sent, when there is more to it than text.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    content: MessageContent,
    metadata: Option<Metadata>,
    reply_to: Option<MessageId>,
    mentions: Mentions,
}

impl Draft {
    /// A message with this text.
    #[must_use]
    pub const fn new(content: MessageContent) -> Self {
        Self { content, metadata: None, reply_to: None, mentions: Mentions::new() }
    }

    /// Attaches data of the app's own.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Mentions people.
    #[must_use]
    pub fn mentioning(mut self, people: impl IntoIterator<Item = PersonId>) -> Self {
        self.mentions.extend(people);
        self
    }

    /// Makes it an answer to another message.
    #[must_use]
    pub const fn in_reply_to(mut self, message: MessageId) -> Self {
        self.reply_to = Some(message);
        self
    }
}

impl Client {
    /// Writes a message. When this returns it is on the device for good, at the end of its thread, and goes out with the next
    /// sync.
    ///
    /// # Errors
    /// [`Error::InvalidContent`], [`Error::NotFound`], or [`Error::SignedOut`] on a database that nobody has signed in to.
    pub async fn send(&self, conversation: ConversationId, text: &str) -> Result<ThreadMessage> {
        self.send_draft(conversation, Draft::new(MessageContent::new(text)?)).await
    }

    /// As [`Client::send`], with more than text.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::InvalidMetadata`] when what is attached is above the limits, wherever it came from.
    pub async fn send_draft(&self, conversation: ConversationId, draft: Draft) -> Result<ThreadMessage> {
        if let Some(metadata) = &draft.metadata {
            metadata.check()?;
        }
        let env = &self.inner.env;
        let message = OutgoingMessage {
            id: env.message_id(),
            conversation_id: conversation,
            kind: MessageKind::Text,
            content: draft.content,
            metadata: draft.metadata,
            reply_to: draft.reply_to,
            mentions: draft.mentions,
            composed_at: env.now(),
        };
        let before = self.inner.engine.before_write();
        let written = self.inner.store.send(env.mutation_id(), message).await?;
        told(self.inner.engine.note_sent(before, &written).await);
        Ok(written)
    }

    /// Part of a thread, oldest first. [`ThreadWindow::older`] says how to go on upwards.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not here.
    pub async fn messages(&self, conversation: ConversationId, window: Window) -> Result<ThreadWindow> {
        Ok(self.inner.store.messages(conversation, window).await?)
    }

    /// Fetches older messages of a thread from the server, when a window says that they are there ([`Older::OnServer`]), and
    /// returns the window below `before`.
    ///
    /// # Errors
    /// [`Error::Offline`] without a network, [`Error::NotFound`] when the conversation is not here.
    pub async fn load_older(&self, conversation: ConversationId, window: Window) -> Result<ThreadWindow> {
        let here = self.messages(conversation, window).await?;
        let Older::OnServer(before) = here.older else {
            return Ok(here);
        };
        // An open screen may hold an id from before the server gave the canonical one.
        let id = self.conversation(conversation).await?.ok_or(Error::NotFound)?.id;
        self.inner.engine.load_older(id, before).await?;
        self.messages(id, window).await
    }
}
