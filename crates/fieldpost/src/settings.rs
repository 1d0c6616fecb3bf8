//! What a person sets for a conversation: muted, pinned, archived, marked unread. For herself, on all her devices.

use crate::{Conversation, ConversationSummary, Error, Result, Seq, Time};
use fieldpost_domain::{Archived, Settings, SettingsChange};

impl Conversation {
    /// Mutes the conversation until then; [`Settings::FOREVER`] has no end. A muted conversation does not count for
    /// [`crate::Client::unread_for_badge`], and stays in the archive whatever others write.
    ///
    /// This and the other settings show at once, online or offline; the next sync brings them to the person's other devices.
    /// Nobody else learns of them. Of two devices, the change that reaches the server last counts, field by field.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not on this device; [`Error::SignedOut`] if nobody has ever signed in.
    pub async fn mute(&self, until: Time) -> Result<ConversationSummary> {
        self.set(SettingsChange::mute(Some(until.min(Settings::FOREVER)))).await
    }

    /// Ends [`Conversation::mute`].
    ///
    /// # Errors
    /// As there.
    pub async fn unmute(&self) -> Result<ConversationSummary> {
        self.set(SettingsChange::mute(None)).await
    }

    /// Puts the conversation at the top of the list, above those that were pinned before.
    ///
    /// # Errors
    /// As [`Conversation::mute`].
    pub async fn pin(&self) -> Result<ConversationSummary> {
        self.set(SettingsChange::pin(Some(self.client().inner.env.now()))).await
    }

    /// Ends [`Conversation::pin`].
    ///
    /// # Errors
    /// As there.
    pub async fn unpin(&self) -> Result<ConversationSummary> {
        self.set(SettingsChange::pin(None)).await
    }

    /// Archives the conversation. It comes out of the archive when somebody else writes, unless it is muted
    /// ([`ConversationSummary::is_archived`]).
    ///
    /// # Errors
    /// As [`Conversation::mute`].
    pub async fn archive(&self) -> Result<ConversationSummary> {
        let seq = self.summary().await?.ok_or(Error::NotFound)?.last_seq;
        self.set(SettingsChange::archive(Some(Archived { at: self.client().inner.env.now(), seq }))).await
    }

    /// Ends [`Conversation::archive`].
    ///
    /// # Errors
    /// As there.
    pub async fn unarchive(&self) -> Result<ConversationSummary> {
        self.set(SettingsChange::archive(None)).await
    }

    /// Marks the conversation as unread from a message on; none for its newest one. The read marker stays where it is, so
    /// others see no difference. [`Conversation::mark_read`] takes it back.
    ///
    /// # Errors
    /// As [`Conversation::mute`].
    pub async fn mark_unread(&self, from: Option<Seq>) -> Result<ConversationSummary> {
        let from = match from {
            Some(from) => from,
            None => self.summary().await?.ok_or(Error::NotFound)?.last_seq,
        };
        self.set(SettingsChange::mark_unread(Some(from.max(Seq::new(1))))).await
    }

    async fn set(&self, change: SettingsChange) -> Result<ConversationSummary> {
        let inner = &self.client().inner;
        let set = inner.store.set_conversation(inner.env.mutation_id(), self.id(), change, inner.env.now()).await?;
        self.client().note_local_write().await;
        Ok(set)
    }
}
