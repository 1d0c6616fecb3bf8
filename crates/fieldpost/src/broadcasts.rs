//! Broadcasts: what admins tell everybody.

use crate::{Client, Conversation, Error, Result};
use fieldpost_storage::NewBroadcast;

/// The most characters of a subject.
const SUBJECT_MAX: usize = 500;

impl Client {
    /// Opens the broadcast of the signed-in admin's org, online or offline. An org has one: opening it again gives the
    /// same, and its subject stays. Medics read it, and find it in their list once something was said in it.
    ///
    /// # Errors
    /// [`Error::NotPossible`] for a medic, [`Error::SubjectTooLong`], [`Error::NotReady`] before the first sync.
    pub async fn open_broadcast(&self, subject: Option<&str>) -> Result<Conversation> {
        let subject = subject.map(str::trim).filter(|subject| !subject.is_empty());
        if subject.is_some_and(|subject| subject.chars().count() > SUBJECT_MAX) {
            return Err(Error::SubjectTooLong);
        }
        let env = &self.inner.env;
        let new = NewBroadcast { id: env.conversation_id(), subject: subject.map(str::to_owned), at: env.now() };
        let opened = self.inner.store.open_broadcast(env.mutation_id(), new).await?;
        self.note_local_write().await;
        Ok(self.conversation(opened.id))
    }
}
