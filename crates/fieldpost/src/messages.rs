//! Sent messages and their delivery.

use crate::{
    Client, Error, Mentions, MessageContent, MessageId, Metadata, OutboxEntry, PersonId, Refusal, Result, Seq,
    ThreadMessage, watch::Watcher,
};

/// A message to send, with more than text.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub(crate) content: MessageContent,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) reply_to: Option<MessageId>,
    pub(crate) mentions: Mentions,
}

impl Draft {
    /// A draft with this text.
    #[must_use]
    pub const fn new(content: MessageContent) -> Self {
        Self { content, metadata: None, reply_to: None, mentions: Mentions::new() }
    }

    /// Attaches the app's own data.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Mentions people. They must be able to see the conversation: sending fails with
    /// [`Error::NotPossible`] if this device knows that somebody cannot, and the server refuses it otherwise
    /// (`mention_not_allowed`).
    #[must_use]
    pub fn mentioning(mut self, people: impl IntoIterator<Item = PersonId>) -> Self {
        self.mentions.extend(people);
        self
    }

    /// Makes it a reply to another message of the same conversation, which may be queued itself. The thread shows what it
    /// answers ([`ThreadMessage::reply`]).
    #[must_use]
    pub const fn in_reply_to(mut self, message: MessageId) -> Self {
        self.reply_to = Some(message);
        self
    }
}

/// The outcome of a sent message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The server has it, with this seq.
    Sent(Seq),
    /// The server refused it; it waits for the person ([`SentMessage::retry`], [`SentMessage::edit`],
    /// [`SentMessage::cancel`]).
    Failed(Refusal),
    /// It is no longer on this device: somebody deleted or cancelled it. Or the server has it since an earlier attempt, at a
    /// place of the thread that this device does not hold; then [`crate::Conversation::load_older`] loads it.
    Gone,
}

impl Delivery {
    /// None while the outcome is not known.
    fn of(message: Option<&ThreadMessage>) -> Option<Self> {
        match message.map(|message| (message.deleted, &message.failure, message.seq)) {
            None | Some((true, ..)) => Some(Self::Gone),
            Some((_, Some(refusal), _)) => Some(Self::Failed(refusal.clone())),
            Some((_, None, seq)) => seq.map(Self::Sent),
        }
    }
}

/// A handle to a message that was written on this device, returned by [`crate::Conversation::send`]. Cheap to clone;
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

    /// Its id, the same before and after it reaches the server.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        self.message.id
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The message as it was when this handle was created.
    #[must_use]
    pub const fn message(&self) -> &ThreadMessage {
        &self.message
    }

    /// Waits for the outcome. It arrives only with a network and a sync ([`Client::start`]). Dropping the future stops
    /// the waiting and nothing else.
    ///
    /// # Errors
    /// If the store fails. It keeps waiting while the client is paused.
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

    /// Its outbox entry; none if it is not in the outbox.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn entry(&self) -> Result<Option<OutboxEntry>> {
        Ok(self.client.inner.store.entry_of(self.id()).await?)
    }

    /// See [`Client::retry`].
    ///
    /// # Errors
    /// As there.
    pub async fn retry(&self) -> Result<OutboxEntry> {
        self.client.retry(self.id()).await
    }

    /// See [`Client::cancel`].
    ///
    /// # Errors
    /// As there.
    pub async fn cancel(&self) -> Result<Vec<OutboxEntry>> {
        self.client.cancel(self.id()).await
    }
}

impl Client {
    /// A handle to one's own message, for example after a restart; none if it is not on this device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sent_message(&self, id: MessageId) -> Result<Option<SentMessage>> {
        let message = self.inner.store.message(id).await?.filter(|message| message.mine);
        Ok(message.map(|message| SentMessage::new(self.clone(), message)))
    }
}
