//! What is sent, and what became of it.

use crate::{
    Client, Error, Mentions, MessageContent, MessageId, Metadata, OutboxEntry, PersonId, Refusal, Result, Seq,
    ThreadMessage, watch::Watcher,
};

/// A message about to be sent, when there is more to it than text.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub(crate) content: MessageContent,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) reply_to: Option<MessageId>,
    pub(crate) mentions: Mentions,
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

/// How a message ended up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The server has it, at this place of its thread.
    Sent(Seq),
    /// The server refused it; it waits for the person ([`SentMessage::retry`], [`SentMessage::edit`], [`SentMessage::cancel`]).
    Failed(Refusal),
    /// It is not here any more: deleted, or taken back.
    Gone,
}

impl Delivery {
    /// None while it is not known yet.
    fn of(message: Option<&ThreadMessage>) -> Option<Self> {
        match message.map(|message| (message.deleted, &message.failure, message.seq)) {
            None | Some((true, ..)) => Some(Self::Gone),
            Some((_, Some(refusal), _)) => Some(Self::Failed(refusal.clone())),
            Some((_, None, seq)) => seq.map(Self::Sent),
        }
    }
}

/// The handle on a message that was written on this device: what [`crate::Conversation::send`] returns. Cheap to clone. It
/// keeps the client alive.
#[derive(Debug, Clone)]
pub struct SentMessage {
    client: Client,
    message: ThreadMessage,
}

impl SentMessage {
    pub(crate) const fn new(client: Client, message: ThreadMessage) -> Self {
        Self { client, message }
    }

    /// Its id, the same before and after the server has it.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        self.message.id
    }

    /// The message as it was when this handle was made.
    #[must_use]
    pub const fn message(&self) -> &ThreadMessage {
        &self.message
    }

    /// Waits until it is known what became of it. That may take as long as the network is away, and needs somebody to sync
    /// ([`Client::start`]). Drop the future to stop waiting; nothing else is changed by that.
    ///
    /// # Errors
    /// If the store fails. While the client is paused it goes on waiting.
    pub async fn delivered(&self) -> Result<Delivery> {
        let mut watcher = Watcher::new(&self.client);
        let mut place = self.message.conversation_id;
        loop {
            match self.client.inner.store.message(self.id()).await.map_err(Error::from) {
                Ok(now) => match Delivery::of(now.as_ref()) {
                    Some(delivery) => return Ok(delivery),
                    None => place = now.map_or(place, |now| now.conversation_id),
                },
                Err(Error::Paused) => {}
                Err(error) => return Err(error),
            }
            while !watcher.next().await.ok_or(Error::Paused)?.1.conversations.contains(place) {}
        }
    }

    /// What the outbox knows of it; none when it does not wait (any more).
    ///
    /// # Errors
    /// If the store fails.
    pub async fn entry(&self) -> Result<Option<OutboxEntry>> {
        Ok(self.client.inner.store.entry_of(self.id()).await?)
    }

    /// As [`crate::Conversation::edit`].
    ///
    /// # Errors
    /// As there.
    pub async fn edit(&self, text: &str) -> Result<OutboxEntry> {
        self.client.edit_message(self.id(), text).await
    }

    /// As [`Client::retry`].
    ///
    /// # Errors
    /// As there.
    pub async fn retry(&self) -> Result<OutboxEntry> {
        self.client.retry(self.id()).await
    }

    /// As [`Client::cancel`].
    ///
    /// # Errors
    /// As there.
    pub async fn cancel(&self) -> Result<Vec<OutboxEntry>> {
        self.client.cancel(self.id()).await
    }
}

impl Client {
    /// The handle on a message of one's own, for example after a restart; none if it is not here.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sent_message(&self, id: MessageId) -> Result<Option<SentMessage>> {
        let message = self.inner.store.message(id).await?.filter(|message| message.mine);
        Ok(message.map(|message| SentMessage::new(self.clone(), message)))
    }
}
