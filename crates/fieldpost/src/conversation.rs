//! One conversation: reading its thread, writing to it, and marking it read.

use crate::{
    Client, ConversationId, ConversationSummary, Draft, Error, MessageContent, MessageKind, Older, Result, SentMessage,
    Seq, ThreadWindow, Window,
};
use fieldpost_domain::MENTIONS_MAX;
use fieldpost_storage::OutgoingMessage;

/// A handle to a conversation: [`Client::conversation`]. Cheap to clone; keeps the client alive.
#[derive(Debug, Clone)]
pub struct Conversation {
    client: Client,
    id: ConversationId,
}

impl Conversation {
    pub(crate) const fn new(client: Client, id: ConversationId) -> Self {
        Self { client, id }
    }

    /// The id that was passed to [`Client::conversation`]. It keeps working after the server has replaced it;
    /// [`Conversation::summary`] has the canonical one.
    #[must_use]
    pub const fn id(&self) -> ConversationId {
        self.id
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Its line in the list; none if it is not on this device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn summary(&self) -> Result<Option<ConversationSummary>> {
        Ok(self.client.inner.store.conversation(self.id).await?)
    }

    /// Sends a message. When this returns, the message is stored durably at the end of its thread; the next sync sends
    /// it to the server.
    ///
    /// # Errors
    /// [`Error::InvalidContent`], [`Error::NotFound`], or [`Error::SignedOut`] if nobody has ever signed in to the
    /// database.
    pub async fn send(&self, text: &str) -> Result<SentMessage> {
        self.send_draft(Draft::new(MessageContent::new(text)?)).await
    }

    /// Like [`Conversation::send`], with more than text.
    ///
    /// # Errors
    /// As [`Conversation::send`]; [`Error::InvalidMetadata`] when the metadata is above the limits, whatever its
    /// source; [`Error::NotPossible`] when it replies to a message of another conversation, or mentions somebody who may
    /// not see this one.
    pub async fn send_draft(&self, draft: Draft) -> Result<SentMessage> {
        if let Some(metadata) = &draft.metadata {
            metadata.check()?;
        }
        if draft.mentions.len() > MENTIONS_MAX {
            return Err(Error::TooManyMentions);
        }
        let env = &self.client.inner.env;
        let message = OutgoingMessage {
            id: env.message_id(),
            conversation_id: self.id,
            kind: MessageKind::Text,
            content: draft.content,
            metadata: draft.metadata,
            reply_to: draft.reply_to,
            mentions: draft.mentions,
            composed_at: env.now(),
        };
        let written = self.client.inner.store.send(env.mutation_id(), message).await?;
        self.client.note_local_write().await;
        Ok(SentMessage::new(self.client.clone(), written))
    }

    /// Part of the thread, oldest first. [`ThreadWindow::older`] says where older messages are;
    /// [`Conversation::watch`] streams changes.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not on this device.
    pub async fn messages(&self, window: Window) -> Result<ThreadWindow> {
        Ok(self.client.inner.store.messages(self.id, window).await?)
    }

    /// Fetches older messages of the thread when a window says that the server has them ([`Older::OnServer`]). Returns
    /// the window.
    ///
    /// # Errors
    /// [`Error::Offline`] without a network, [`Error::NotFound`] when the conversation is not on this device.
    pub async fn load_older(&self, window: Window) -> Result<ThreadWindow> {
        let here = self.messages(window).await?;
        let Older::OnServer(before) = here.older else {
            return Ok(here);
        };
        // An open screen may hold an id from before the server assigned the canonical one.
        let id = self.summary().await?.ok_or(Error::NotFound)?.id;
        self.client.inner.sides.messages.load_older(id, before).await?;
        self.messages(window).await
    }

    /// Marks the thread as read up to the last displayed message ([`ThreadWindow::last_seq`]); a message that arrived
    /// but was not displayed stays unread. The unread count changes at once; the next sync tells the server. Returns
    /// the position of the read marker.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not on this device.
    pub async fn mark_read(&self, up_to: Seq) -> Result<Seq> {
        let inner = &self.client.inner;
        let marker = inner.store.mark_read(inner.env.mutation_id(), self.id, up_to, inner.env.now()).await?;
        self.client.note_local_write().await;
        Ok(marker)
    }
}
