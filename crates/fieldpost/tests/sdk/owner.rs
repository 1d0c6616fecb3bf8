//! The file says who owns it, because another process may have wiped it and signed somebody else in.

use fieldpost::{Client, ConversationId, Error, Fieldpost};
use fieldpost_domain::Person;
use fieldpost_storage::{
    BootstrapReason, Outbox, Sessions, Store,
    conformance::{build, given},
    memory::MemoryStore,
};
use std::sync::Arc;

/// A client, and another process's view of the same file.
async fn client() -> (Client, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    (Fieldpost::builder().store(store.clone()).local_only().open().await.unwrap(), store)
}

/// Signs the person in and loads their conversation.
async fn belongs_to(store: &MemoryStore, person: &Person) -> ConversationId {
    store.claim(person.id).await.unwrap();
    given::bootstrapped(store, BootstrapReason::First, given::thread(build::direct(1, 0), vec![])).await;
    build::conversation_id(1)
}

#[tokio::test]
async fn a_message_is_by_whoever_has_signed_in_since() {
    let (client, store) = client().await;
    for person in [build::iris(), build::ada()] {
        let conversation = belongs_to(&store, &person).await;
        let sent = client.conversation(conversation).send("On my way").await.unwrap();
        assert_eq!((sent.message().sender_id, sent.message().mine), (person.id, true));
        assert_eq!(client.conversation(conversation).send("Here").await.unwrap().message().sender_id, person.id);
        store.wipe().await.unwrap();
    }
}

#[tokio::test]
async fn nobody_sends_from_a_file_that_is_nobodys() {
    let (client, store) = client().await;
    let conversation = build::conversation_id(1);
    assert!(matches!(client.conversation(conversation).send("Too early").await, Err(Error::SignedOut)));
    let conversation = belongs_to(&store, &build::iris()).await;
    client.conversation(conversation).send("On my way").await.unwrap();

    store.wipe().await.unwrap();

    for _ in 0..2 {
        assert!(matches!(client.conversation(conversation).send("Too late").await, Err(Error::SignedOut)));
    }
    assert_eq!(store.counts().await.unwrap().pending, 0);
}
