//! What a person has begun to write. It stays on this device.

use crate::{
    Client, Draft, Result, ThreadMessage,
    messages::{metadata, metadata_text},
    moment,
};
use fieldpost::{ConversationId, MessageId, PersonId, Time};
use std::time::SystemTime;

/// A message that a person has begun to write.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StoredDraft {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The text. Any is allowed.
    pub text: String,
    /// The message that it replies to.
    pub reply_to: Option<MessageId>,
    /// The people that it mentions.
    pub mentions: Vec<PersonId>,
    /// What the app attached, as a JSON object.
    pub metadata: Option<String>,
    /// When it was last changed.
    pub updated_at: SystemTime,
}

#[uniffi::export]
impl Client {
    /// The draft of a conversation.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn draft(&self, conversation: ConversationId) -> Result<Option<StoredDraft>> {
        self.run(|client| async move { Ok(client.conversation(conversation).draft().await?.map(Into::into)) }).await
    }

    /// All drafts, the last changed first.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn drafts(&self) -> Result<Vec<StoredDraft>> {
        self.run(|client| async move { Ok(client.drafts().await?.into_iter().map(Into::into).collect()) }).await
    }

    /// Keeps what the person has begun to write; an empty draft removes it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::InvalidMetadata`], [`crate::ErrorKind::TooManyMentions`].
    pub async fn keep_draft(&self, conversation: ConversationId, draft: Draft) -> Result<()> {
        // The SDK sets conversation and time.
        let mut stored = fieldpost::StoredDraft::new(conversation, draft.text, Time::UNIX_EPOCH);
        stored.reply_to = draft.reply_to;
        stored.mentions = draft.mentions.into_iter().collect();
        stored.metadata = draft.metadata.as_deref().map(metadata).transpose()?;
        self.run(|client| async move { Ok(client.conversation(conversation).keep_draft(stored).await?) }).await
    }

    /// Removes the draft.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn clear_draft(&self, conversation: ConversationId) -> Result<()> {
        self.run(|client| async move { Ok(client.conversation(conversation).clear_draft().await?) }).await
    }

    /// Sends the draft, and removes it in the same transaction.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::NotPossible`]; otherwise as [`Client::send`].
    pub async fn send_stored_draft(&self, conversation: ConversationId) -> Result<ThreadMessage> {
        self.run(|client| async move {
            let sent = client.conversation(conversation).send_stored_draft().await?;
            Ok(sent.message().clone().into())
        })
        .await
    }
}

impl From<fieldpost::StoredDraft> for StoredDraft {
    fn from(draft: fieldpost::StoredDraft) -> Self {
        Self {
            conversation_id: draft.conversation_id,
            text: draft.text,
            reply_to: draft.reply_to,
            mentions: draft.mentions.into_iter().collect(),
            metadata: draft.metadata.as_ref().map(metadata_text),
            updated_at: moment::out(draft.updated_at),
        }
    }
}
