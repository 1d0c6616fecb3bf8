//! The role that keeps what a person has begun to write.

use crate::{NotPossible, OutgoingMessage, StorageErrorKind, StorageResult, ThreadMessage};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, Mentions, MessageContent, MessageId, MessageKind, Metadata, MutationId, Time};

/// A message that a person has begun to write. Any text is allowed, also one that could not be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDraft {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The text.
    pub text: String,
    /// The message that it replies to.
    pub reply_to: Option<MessageId>,
    /// The people that it mentions.
    pub mentions: Mentions,
    /// What the app attached.
    pub metadata: Option<Metadata>,
    /// When it was last changed, by the device clock.
    pub updated_at: Time,
}

impl StoredDraft {
    /// A draft with this text.
    #[must_use]
    pub fn new(conversation_id: ConversationId, text: impl Into<String>, updated_at: Time) -> Self {
        let (mentions, metadata) = (Mentions::new(), None);
        Self { conversation_id, text: text.into(), reply_to: None, mentions, metadata, updated_at }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.reply_to.is_none() && self.mentions.is_empty() && self.metadata.is_none()
    }

    /// The start of its text for a list: the first line that has any, cut as a preview.
    #[must_use]
    pub fn first_line(text: &str) -> String {
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        fieldpost_domain::preview(line.trim())
    }

    /// The draft as a message.
    ///
    /// # Errors
    /// [`StorageErrorKind::NotApplicable`] if its text is no content of a message.
    pub fn outgoing(self, id: MessageId, at: Time) -> Result<OutgoingMessage, StorageErrorKind> {
        let not_sendable = |_| StorageErrorKind::NotApplicable(NotPossible::NotSendable);
        Ok(OutgoingMessage {
            id,
            conversation_id: self.conversation_id,
            kind: MessageKind::Text,
            content: MessageContent::new(&self.text).map_err(not_sendable)?,
            metadata: self.metadata,
            reply_to: self.reply_to,
            mentions: self.mentions,
            composed_at: at,
        })
    }

    /// Two drafts of one conversation as one, so that nothing is lost: the one that was changed last, and below its text
    /// that of the other. At the same time, this one counts as the last.
    #[must_use]
    pub fn joined_with(self, other: Self) -> Self {
        let (newer, older) = if other.updated_at > self.updated_at { (other, self) } else { (self, other) };
        let texts = [&newer.text, &older.text].map(String::as_str);
        let text = if texts[0] == texts[1] {
            newer.text.clone()
        } else {
            texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
        };
        let mentions = newer.mentions.union(&older.mentions).copied().collect();
        Self {
            text,
            mentions,
            reply_to: newer.reply_to.or(older.reply_to),
            metadata: newer.metadata.clone().or(older.metadata),
            ..newer
        }
    }
}

/// Keeps one draft for each conversation. Drafts stay on this device.
///
/// 1. They survive a restart (`a_draft_survives_a_restart`), and the end of the session (`a_draft_outlives_the_session`).
/// 2. They survive the loss of their conversation, because the person may still want the text
///    (`a_draft_survives_the_loss_of_its_conversation`). They leave with [`crate::Store::wipe`]
///    (`a_wipe_takes_drafts_along`).
/// 3. They follow a conversation that gets its canonical id. If both ids have one, they become one
///    ([`StoredDraft::joined_with`]; `two_drafts_of_one_conversation_become_one`).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Drafts: Send + Sync {
    /// The draft of a conversation; none if there is none.
    async fn draft(&self, conversation: ConversationId) -> StorageResult<Option<StoredDraft>>;

    /// All drafts, the last changed first; also those of conversations that have left the device.
    async fn drafts(&self) -> StorageResult<Vec<StoredDraft>>;

    /// Keeps a draft in place of the one that the conversation has. An empty one removes it. It shows in
    /// [`crate::ConversationSummary::draft`] (`a_draft_shows_in_the_list`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when neither the conversation nor a draft of it is stored.
    async fn set_draft(&self, draft: StoredDraft) -> StorageResult<()>;

    /// Removes a draft, if there is one.
    async fn clear_draft(&self, conversation: ConversationId) -> StorageResult<()>;

    /// Sends the draft of a conversation as [`crate::Outbox::send`] does, and removes it in the same transaction
    /// (`sending_a_draft_removes_it`). The text is trimmed. If it cannot be sent, the draft stays
    /// (`a_draft_that_cannot_be_sent_stays`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when there is no draft; [`crate::StorageErrorKind::NotApplicable`] when its text
    /// is no content of a message. Otherwise those of [`crate::Outbox::send`].
    async fn send_draft(
        &self,
        mutation: MutationId,
        message: MessageId,
        conversation: ConversationId,
        at: Time,
    ) -> StorageResult<ThreadMessage>;
}
