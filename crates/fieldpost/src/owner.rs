//! Whose file this is, as far as this client remembers: a message names its sender, and asking the file for that each time costs
//! more than writing one row. The file has the last word: it refuses what anybody else sends.

use crate::{Client, Error, PersonId, Result};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Owner(Mutex<Option<PersonId>>);

impl Owner {
    fn known(&self) -> Option<PersonId> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, owner: Option<PersonId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = owner;
    }
}

impl Client {
    /// Whose file this was when it was asked last.
    pub(crate) async fn owner(&self) -> Result<PersonId> {
        match self.inner.owner.known() {
            Some(owner) => Ok(owner),
            None => self.ask_owner().await,
        }
    }

    /// Whose file this is now.
    pub(crate) async fn ask_owner(&self) -> Result<PersonId> {
        let owner = self.inner.store.account().await?;
        self.inner.owner.learn(owner);
        owner.ok_or(Error::SignedOut)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Client, ConversationId, Error, Fieldpost, PersonId};
    use fieldpost_storage::{Outbox, Sessions, Store, conformance::build, memory::MemoryStore};
    use std::sync::Arc;

    /// A client, and what another process sees of the same file.
    async fn client() -> (Client, Arc<MemoryStore>) {
        let store = Arc::new(MemoryStore::new());
        (Fieldpost::builder().store(store.clone()).local_only().open().await.unwrap(), store)
    }

    /// They sign in and open a conversation.
    async fn belongs_to(store: &MemoryStore, person: PersonId) -> ConversationId {
        store.claim(person).await.unwrap();
        store.open_direct(build::mutation_id(900), build::new_direct(1)).await.unwrap().id
    }

    #[tokio::test]
    async fn a_message_is_by_whoever_has_signed_in_since() {
        let (client, store) = client().await;
        for person in [build::iris().id, build::ada().id] {
            let conversation = belongs_to(&store, person).await;
            let sent = client.send(conversation, "On my way").await.unwrap();
            assert_eq!((sent.sender_id, sent.mine), (person, true));
            assert_eq!(client.send(conversation, "Here").await.unwrap().sender_id, person);
            store.wipe().await.unwrap();
        }
    }

    #[tokio::test]
    async fn nobody_sends_from_a_file_that_is_nobodys() {
        let (client, store) = client().await;
        let conversation = build::conversation_id(1);
        assert!(matches!(client.send(conversation, "Too early").await, Err(Error::SignedOut)));
        let conversation = belongs_to(&store, build::iris().id).await;
        client.send(conversation, "On my way").await.unwrap();

        store.wipe().await.unwrap();

        for _ in 0..2 {
            assert!(matches!(client.send(conversation, "Too late").await, Err(Error::SignedOut)));
        }
        assert_eq!(store.counts().await.unwrap().pending, 0);
    }
}
