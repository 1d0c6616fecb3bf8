//! Drafts: what a person has begun to write. They stay on this device.

use crate::{Client, Conversation, Error, Result, SentMessage};
use fieldpost_domain::MENTIONS_MAX;
use fieldpost_storage::StoredDraft;

impl Conversation {
    /// The draft of this conversation; none if there is none.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn draft(&self) -> Result<Option<StoredDraft>> {
        Ok(self.client().inner.store.draft(self.id()).await?)
    }

    /// Keeps what the person has begun to write, in place of the draft before; an empty text removes it. Any text is kept,
    /// also one that could not be sent. It survives a restart, a sign-out and the loss of the conversation, and leaves with a
    /// wipe.
    ///
    /// # Errors
    /// [`Error::NotFound`] when neither the conversation nor a draft of it is on this device.
    pub async fn set_draft(&self, text: &str) -> Result<()> {
        self.keep_draft(StoredDraft::new(self.id(), text, self.client().inner.env.now())).await
    }

    /// Like [`Conversation::set_draft`], with a reply, mentions and metadata. The conversation is this one, and the time now.
    ///
    /// # Errors
    /// As there; [`Error::InvalidMetadata`] and [`Error::TooManyMentions`] as for a message.
    pub async fn keep_draft(&self, draft: StoredDraft) -> Result<()> {
        if let Some(metadata) = &draft.metadata {
            metadata.check()?;
        }
        if draft.mentions.len() > MENTIONS_MAX {
            return Err(Error::TooManyMentions);
        }
        let inner = &self.client().inner;
        let draft = StoredDraft { conversation_id: self.id(), updated_at: inner.env.now(), ..draft };
        Ok(inner.store.set_draft(draft).await?)
    }

    /// Removes the draft, if there is one.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn clear_draft(&self) -> Result<()> {
        Ok(self.client().inner.store.clear_draft(self.id()).await?)
    }

    /// Sends the draft, and removes it in the same transaction. One that cannot be sent stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no draft, or its conversation is not on this device; [`Error::NotPossible`] when its
    /// text cannot be sent. Otherwise as [`Conversation::send`].
    pub async fn send_stored_draft(&self) -> Result<SentMessage> {
        let inner = &self.client().inner;
        let env = &inner.env;
        let sent = inner.store.send_draft(env.mutation_id(), env.message_id(), self.id(), env.now()).await?;
        self.client().note_local_write().await;
        Ok(SentMessage::new(self.client().clone(), sent))
    }
}

impl Client {
    /// All drafts, the last changed first; also those of conversations that have left this device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn drafts(&self) -> Result<Vec<StoredDraft>> {
        Ok(self.inner.store.drafts().await?)
    }
}
