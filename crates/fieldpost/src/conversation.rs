//! One conversation: reading, writing and marking its thread.

use crate::{
    Client, ConversationId, ConversationSummary, Draft, Error, MessageContent, MessageId, MessageKind, Older,
    OutboxEntry, Result, SentMessage, Seq, ThreadWindow, Window,
};
use fieldpost_storage::OutgoingMessage;

/// The handle on a conversation: [`Client::conversation`]. Cheap to clone. It keeps the client alive.
#[derive(Debug, Clone)]
pub struct Conversation {
    client: Client,
    id: ConversationId,
}

impl Conversation {
    pub(crate) const fn new(client: Client, id: ConversationId) -> Self {
        Self { client, id }
    }

    /// The id by which it was asked for. One that the server has since replaced still finds it;
    /// [`Conversation::summary`] has the one that is valid now.
    #[must_use]
    pub const fn id(&self) -> ConversationId {
        self.id
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Its line in the list; none if it is not here.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn summary(&self) -> Result<Option<ConversationSummary>> {
        Ok(self.client.inner.store.conversation(self.id).await?)
    }

    /// Writes a message. When this returns it is on the device for good, at the end of its thread, and goes out with the next
    /// sync.
    ///
    /// # Errors
    /// [`Error::InvalidContent`], [`Error::NotFound`], or [`Error::SignedOut`] on a database that nobody has signed in to.
    pub async fn send(&self, text: &str) -> Result<SentMessage> {
        self.send_draft(Draft::new(MessageContent::new(text)?)).await
    }

    /// As [`Conversation::send`], with more than text.
    ///
    /// # Errors
    /// As [`Conversation::send`]; [`Error::InvalidMetadata`] when what is attached is above the limits, wherever it came from.
    pub async fn send_draft(&self, draft: Draft) -> Result<SentMessage> {
        if let Some(metadata) = &draft.metadata {
            metadata.check()?;
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

    /// Changes the text of a message that the server does not have. A queued one keeps its place; a refused one is sent again
    /// with it.
    ///
    /// # Errors
    /// [`Error::InvalidContent`]; [`Error::NotWaiting`]; [`Error::OutcomeUnknown`] while it is on its way;
    /// [`Error::NotPossible`] as for [`Client::retry`].
    pub async fn edit(&self, message: MessageId, text: &str) -> Result<OutboxEntry> {
        self.client.edit_message(message, text).await
    }

    /// Part of the thread, oldest first. [`ThreadWindow::older`] says how to go on upwards;
    /// [`Conversation::watch`] follows it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not here.
    pub async fn messages(&self, window: Window) -> Result<ThreadWindow> {
        Ok(self.client.inner.store.messages(self.id, window).await?)
    }

    /// Fetches older messages of the thread from the server, when a window says that they are there ([`Older::OnServer`]), and
    /// returns the window.
    ///
    /// # Errors
    /// [`Error::Offline`] without a network, [`Error::NotFound`] when the conversation is not here.
    pub async fn load_older(&self, window: Window) -> Result<ThreadWindow> {
        let here = self.messages(window).await?;
        let Older::OnServer(before) = here.older else {
            return Ok(here);
        };
        // An open screen may hold an id from before the server gave the canonical one.
        let id = self.summary().await?.ok_or(Error::NotFound)?.id;
        self.client.inner.engine.load_older(id, before).await?;
        self.messages(window).await
    }

    /// Marks the thread as read up to the last message that was displayed ([`ThreadWindow::last_seq`]): one that came in
    /// behind the screen's back stays unread. The count is right at once; the server learns it with the next sync. Returns
    /// where the marker stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not here.
    pub async fn mark_read(&self, up_to: Seq) -> Result<Seq> {
        let inner = &self.client.inner;
        let marker = inner.store.mark_read(inner.env.mutation_id(), self.id, up_to, inner.env.now()).await?;
        self.client.note_local_write().await;
        Ok(marker)
    }
}
