//! The role that reads a thread.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{
    ConversationId, Mentions, MessageId, MessageKind, MessageStatus, Metadata, Omitted, PersonId, Refusal, Seq, Time,
};

/// A message as a thread shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadMessage {
    /// Its id, the same before and after the server has it.
    pub id: MessageId,
    /// The canonical conversation.
    pub conversation_id: ConversationId,
    /// Who wrote it; [`PersonId::NOBODY`] once the account is deleted.
    pub sender_id: PersonId,
    /// What the reader sees as the sender's name ([`fieldpost_domain::names::sender_name`]); empty of nobody.
    pub sender_name: String,
    /// Whether the signed-in person wrote it.
    pub mine: bool,
    /// What it is.
    pub kind: MessageKind,
    /// Its text; none once deleted, or if it was omitted.
    pub content: Option<String>,
    /// What the app attached.
    pub metadata: Option<Metadata>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// Whom it mentions.
    pub mentions: Mentions,
    /// How far it has got: `queued` until the server has it; of one's own, delivered and read by the receipts of others.
    pub status: MessageStatus,
    /// It has left for the server and no answer is here: it can neither be edited nor cancelled now; only with `queued`.
    pub sending: bool,
    /// A change of it waits for the server: what shows here is not what others see yet.
    pub changing: bool,
    /// Why it will not be sent unless the person does something; only with `queued`.
    pub failure: Option<Refusal>,
    /// Its place; none until the server has it.
    pub seq: Option<Seq>,
    /// When the sender's device says it was written; for display only.
    pub composed_at: Option<Time>,
    /// The server's clock; this device's until the server has it.
    pub created_at: Time,
    /// When its author last changed it, by the server's clock.
    pub edited_at: Option<Time>,
    /// It was deleted softly; shown as "deleted".
    pub deleted: bool,
    /// It was too much to travel: shown as [`fieldpost_domain::Omitted::sentence`] in place of its text.
    pub omitted: Option<Omitted>,
}

/// Which part of a thread to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many messages with a seq at most. The newest window shows those that have none yet in addition, all of them:
    /// there is no seq by which one could page to them.
    pub limit: u32,
    /// Only messages below this seq (queued ones are above every seq); none for the newest. If the message just below is
    /// missing, the window is empty.
    pub before: Option<Seq>,
}

impl Window {
    /// The newest `limit` messages.
    #[must_use]
    pub const fn newest(limit: u32) -> Self {
        Self { limit, before: None }
    }
}

/// What lies below the oldest message of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// More messages are here: read on with `before` set to this.
    Here(Seq),
    /// The server may have more, which are not here: fetch history below this seq, the lowest of the run that the window is
    /// part of (one above the conversation's last seq when nothing is here).
    OnServer(Seq),
    /// Nothing: this is the beginning of the conversation.
    Nothing,
}

/// Part of a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadWindow {
    /// In thread order: by seq, then the queued ones in the order in which they were sent. Without a gap: a window ends above
    /// a range that is missing.
    pub messages: Vec<ThreadMessage>,
    /// What lies below.
    pub older: Older,
}

impl ThreadWindow {
    /// The highest seq in it: what a screen that shows this window has displayed.
    #[must_use]
    pub fn last_seq(&self) -> Option<Seq> {
        self.messages.iter().filter_map(|message| message.seq).max()
    }
}

/// Reads messages.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Messages: Send + Sync {
    /// A window of a thread; aliases are resolved.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when the conversation is not here.
    async fn messages(&self, conversation: ConversationId, window: Window) -> StorageResult<ThreadWindow>;

    /// One message; none if it is not here. A dead letter is here even when its conversation is gone.
    async fn message(&self, id: MessageId) -> StorageResult<Option<ThreadMessage>>;
}
