//! Reading a thread, and writing to it.

use crate::{Client, FieldpostError, Refusal, Result, moment};
use fieldpost::{ConversationId, MessageId, PersonId, Seq};
use std::time::SystemTime;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MessageKind {
    /// Text of a person.
    Text,
    /// Text with an attachment of the app's.
    Attachment,
    /// The system says it.
    System,
    /// A kind that this version does not know.
    Other,
}

/// How far a message has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MessageStatus {
    /// It waits for the server.
    Queued,
    /// The server has it.
    Sent,
    /// It is on a device of another person.
    Delivered,
    /// Another person has read it.
    Read,
    /// A status that this version does not know.
    Other,
}

/// The message that another one replies to, as a thread shows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Quoted {
    /// It is on this device.
    Here {
        /// Its id.
        id: MessageId,
        /// The name of its author.
        sender_name: String,
        /// Whether the signed-in person wrote it.
        mine: bool,
        /// What it is.
        kind: MessageKind,
        /// The start of its text.
        text: Option<String>,
    },
    /// It was deleted.
    Deleted {
        /// Its id.
        id: MessageId,
    },
    /// It is not on this device.
    NotHere {
        /// Its id.
        id: MessageId,
    },
}

/// The reactions of one emoji to a message.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ThreadReaction {
    /// The emoji.
    pub emoji: String,
    /// How many people have reacted with it.
    pub count: u32,
    /// Whether the signed-in person has.
    pub mine: bool,
    /// The person's own reaction is pending.
    pub changing: bool,
    /// Who has, the first one first, as far as this device knows.
    pub people: Vec<PersonId>,
}

/// How many people have received and read a message of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct ReceiptCounts {
    /// The medics of the org.
    pub recipients: u32,
    /// On a device of this many.
    pub delivered: u32,
    /// Read by this many.
    pub read: u32,
}

/// A message as a thread shows it ([`fieldpost::ThreadMessage`]).
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct ThreadMessage {
    /// The id. It stays the same when the server stores the message.
    pub id: MessageId,
    /// The conversation's canonical id.
    pub conversation_id: ConversationId,
    /// The author.
    pub sender_id: PersonId,
    /// The name that the reader sees.
    pub sender_name: String,
    /// Whether the signed-in person wrote it.
    pub mine: bool,
    /// What it is.
    pub kind: MessageKind,
    /// The text; none if deleted or omitted.
    pub text: Option<String>,
    /// What the app attached, as a JSON object.
    pub metadata: Option<String>,
    /// The message that it replies to.
    pub reply: Option<Quoted>,
    /// The people that it mentions.
    pub mentions: Vec<PersonId>,
    /// Whether it mentions the signed-in person.
    pub mentions_me: bool,
    /// The reactions to it.
    pub reactions: Vec<ThreadReaction>,
    /// How far it has got.
    pub status: MessageStatus,
    /// Only with one's own messages in a broadcast.
    pub receipts: Option<ReceiptCounts>,
    /// The send is in flight.
    pub sending: bool,
    /// A change of what it says is pending: others do not see it yet.
    pub changing: bool,
    /// Why the send was refused. It waits for the person.
    pub failure: Option<Refusal>,
    /// Its seq; none until the server has it.
    pub seq: Option<u64>,
    /// When the author wrote it, by their device clock.
    pub composed_at: Option<SystemTime>,
    /// When the server stored it; by this device's clock until then.
    pub created_at: SystemTime,
    /// When its author last changed it.
    pub edited_at: Option<SystemTime>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// What to show in place of a text that was too large.
    pub omitted: Option<String>,
}

/// What is below the oldest message of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Older {
    /// More messages are on this device: read on with `before`.
    Here {
        /// The seq.
        before: u64,
    },
    /// The server may have more: [`Client::load_older`].
    OnServer {
        /// The seq.
        before: u64,
    },
    /// Nothing.
    Nothing,
}

/// Which part of a thread to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Window {
    /// The most messages.
    #[uniffi(default = 50)]
    pub limit: u32,
    /// Only messages below this seq; none for the newest.
    #[uniffi(default = None)]
    pub before: Option<u64>,
}

/// Part of a thread, oldest first.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct ThreadWindow {
    /// The messages.
    pub messages: Vec<ThreadMessage>,
    /// What is below them.
    pub older: Older,
    /// The highest seq: a screen that shows the window has displayed up to here.
    pub last_seq: Option<u64>,
}

/// A message to send, with more than text ([`fieldpost::Draft`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The message that it replies to.
    #[uniffi(default = None)]
    pub reply_to: Option<MessageId>,
    /// The people that it mentions.
    #[uniffi(default = [])]
    pub mentions: Vec<PersonId>,
    /// What the app attaches: a JSON object.
    #[uniffi(default = None)]
    pub metadata: Option<String>,
}

/// The outcome of a sent message.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Delivery {
    /// The server has it.
    Sent {
        /// Its seq.
        seq: u64,
    },
    /// The server refused it; it waits for the person.
    Failed {
        /// Why.
        refusal: Refusal,
    },
    /// It is no longer on this device.
    Gone,
}

#[uniffi::export]
impl Client {
    /// Sends a message. When this returns, it is stored durably; the next sync sends it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidContent`], [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::SignedOut`].
    pub async fn send(&self, conversation: ConversationId, text: String) -> Result<ThreadMessage> {
        self.run(|client| async move {
            let sent = client.conversation(conversation).send(&text).await?;
            Ok(sent.message().clone().into())
        })
        .await
    }

    /// Like [`Client::send`], with more than text.
    ///
    /// # Errors
    /// As there; [`crate::ErrorKind::InvalidMetadata`], [`crate::ErrorKind::TooManyMentions`], [`crate::ErrorKind::NotPossible`].
    pub async fn send_draft(&self, conversation: ConversationId, draft: Draft) -> Result<ThreadMessage> {
        let draft: fieldpost::Draft = draft.try_into()?;
        self.run(|client| async move {
            let sent = client.conversation(conversation).send_draft(draft).await?;
            Ok(sent.message().clone().into())
        })
        .await
    }

    /// Waits for the outcome of one's own message; none if it is not on this device. It arrives only with a network and a sync.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn delivered(&self, message: MessageId) -> Result<Option<Delivery>> {
        // Waiting is no write: it ends with the caller.
        let client = self.sdk()?;
        let waiting = crate::runtime::start_waiting(async move {
            match client.sent_message(message).await? {
                Some(sent) => Ok(Some(sent.delivered().await?.into())),
                None => Ok(None),
            }
        })?;
        waiting.await
    }

    /// Part of a thread, oldest first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when the conversation is not on this device.
    pub async fn messages(&self, conversation: ConversationId, window: Window) -> Result<ThreadWindow> {
        self.run(|client| async move { Ok(client.conversation(conversation).messages(window.into()).await?.into()) })
            .await
    }

    /// Fetches older messages when a window says that the server has them. Returns the window.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Offline`], [`crate::ErrorKind::NotFound`].
    pub async fn load_older(&self, conversation: ConversationId, window: Window) -> Result<ThreadWindow> {
        self.run(|client| async move { Ok(client.conversation(conversation).load_older(window.into()).await?.into()) })
            .await
    }

    /// Marks a thread as read up to the last displayed message ([`ThreadWindow::last_seq`]). Returns the position of the marker.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn mark_read(&self, conversation: ConversationId, up_to: u64) -> Result<u64> {
        self.run(|client| async move { Ok(client.conversation(conversation).mark_read(Seq::new(up_to)).await?.get()) })
            .await
    }

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

/// What an app attaches, from its JSON.
pub(crate) fn metadata(json: &str) -> Result<fieldpost::Metadata> {
    let invalid = |reason: String| FieldpostError::new(crate::ErrorKind::InvalidMetadata, reason);
    let object = serde_json::from_str(json).map_err(|_| invalid("metadata is a JSON object".to_owned()))?;
    fieldpost::Metadata::new(object).map_err(|error| invalid(error.to_string()))
}

pub(crate) fn metadata_text(metadata: &fieldpost::Metadata) -> String {
    // An object from the store is always JSON.
    serde_json::to_string(metadata.as_object()).unwrap_or_default()
}

impl TryFrom<Draft> for fieldpost::Draft {
    type Error = FieldpostError;

    fn try_from(draft: Draft) -> Result<Self> {
        let content = fieldpost::MessageContent::new(&draft.text).map_err(fieldpost::Error::from)?;
        let mut made = Self::new(content).mentioning(draft.mentions);
        if let Some(id) = draft.reply_to {
            made = made.in_reply_to(id);
        }
        if let Some(json) = draft.metadata {
            made = made.with_metadata(metadata(&json)?);
        }
        Ok(made)
    }
}

impl From<fieldpost::MessageKind> for MessageKind {
    fn from(kind: fieldpost::MessageKind) -> Self {
        match kind {
            fieldpost::MessageKind::Text => Self::Text,
            fieldpost::MessageKind::Attachment => Self::Attachment,
            fieldpost::MessageKind::System => Self::System,
            fieldpost::MessageKind::Unknown(_) => Self::Other,
        }
    }
}

impl From<fieldpost::MessageStatus> for MessageStatus {
    fn from(status: fieldpost::MessageStatus) -> Self {
        match status {
            fieldpost::MessageStatus::Queued => Self::Queued,
            fieldpost::MessageStatus::Sent => Self::Sent,
            fieldpost::MessageStatus::Delivered => Self::Delivered,
            fieldpost::MessageStatus::Read => Self::Read,
            fieldpost::MessageStatus::Unknown(_) => Self::Other,
        }
    }
}

impl From<fieldpost::Quoted> for Quoted {
    fn from(quoted: fieldpost::Quoted) -> Self {
        match quoted {
            fieldpost::Quoted::Here(quote) => Self::Here {
                id: quote.id,
                sender_name: quote.sender_name,
                mine: quote.mine,
                kind: quote.kind.into(),
                text: quote.text,
            },
            fieldpost::Quoted::Deleted(id) => Self::Deleted { id },
            fieldpost::Quoted::NotHere(id) => Self::NotHere { id },
        }
    }
}

impl From<fieldpost::ThreadReaction> for ThreadReaction {
    fn from(reaction: fieldpost::ThreadReaction) -> Self {
        Self {
            emoji: reaction.emoji.to_string(),
            count: moment::count(reaction.count),
            mine: reaction.mine,
            changing: reaction.changing,
            people: reaction.people,
        }
    }
}

impl From<fieldpost::ReceiptCounts> for ReceiptCounts {
    fn from(counts: fieldpost::ReceiptCounts) -> Self {
        Self {
            recipients: moment::count(counts.recipients),
            delivered: moment::count(counts.delivered),
            read: moment::count(counts.read),
        }
    }
}

impl From<fieldpost::ThreadMessage> for ThreadMessage {
    fn from(message: fieldpost::ThreadMessage) -> Self {
        Self {
            id: message.id,
            conversation_id: message.conversation_id,
            sender_id: message.sender_id,
            sender_name: message.sender_name,
            mine: message.mine,
            kind: message.kind.into(),
            text: message.content,
            metadata: message.metadata.as_ref().map(metadata_text),
            reply: message.reply.map(Into::into),
            mentions: message.mentions.into_iter().collect(),
            mentions_me: message.mentions_me,
            reactions: message.reactions.into_iter().map(Into::into).collect(),
            status: message.status.into(),
            receipts: message.receipts.map(Into::into),
            sending: message.sending,
            changing: message.changing,
            failure: message.failure.map(Into::into),
            seq: message.seq.map(Seq::get),
            composed_at: message.composed_at.map(moment::out),
            created_at: moment::out(message.created_at),
            edited_at: message.edited_at.map(moment::out),
            deleted: message.deleted,
            omitted: message.omitted.map(|omitted| omitted.sentence()),
        }
    }
}

impl From<fieldpost::Older> for Older {
    fn from(older: fieldpost::Older) -> Self {
        match older {
            fieldpost::Older::Here(before) => Self::Here { before: before.get() },
            fieldpost::Older::OnServer(before) => Self::OnServer { before: before.get() },
            fieldpost::Older::Nothing => Self::Nothing,
        }
    }
}

impl From<Window> for fieldpost::Window {
    fn from(window: Window) -> Self {
        Self { limit: window.limit, before: window.before.map(Seq::new) }
    }
}

impl From<fieldpost::ThreadWindow> for ThreadWindow {
    fn from(window: fieldpost::ThreadWindow) -> Self {
        let last_seq = window.last_seq().map(Seq::get);
        Self { messages: window.messages.into_iter().map(Into::into).collect(), older: window.older.into(), last_seq }
    }
}

impl From<fieldpost::Delivery> for Delivery {
    fn from(delivery: fieldpost::Delivery) -> Self {
        match delivery {
            fieldpost::Delivery::Sent(seq) => Self::Sent { seq: seq.get() },
            fieldpost::Delivery::Failed(refusal) => Self::Failed { refusal: refusal.into() },
            _ => Self::Gone,
        }
    }
}
