//! Runs the examples against the stand-in server.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

#[allow(dead_code, reason = "its main is for the command line")]
#[path = "../examples/app_session.rs"]
mod app_session;
#[allow(dead_code, reason = "its main is for the command line")]
#[path = "../examples/chat.rs"]
mod chat;
#[allow(dead_code, reason = "its main is for the command line")]
#[path = "../examples/own_store.rs"]
mod own_store;

use fieldpost::{AccessToken, Client, ConversationKind, Error, Fieldpost, storage::memory::MemoryStore};
use fieldpost_devserver::DevServer;
use std::sync::Arc;

const ADA: &str = "ada@fieldpost.test";
const PASSWORD: &str = "fieldpost-demo";

async fn signed_in(server: &DevServer, store: MemoryStore) -> Client {
    let client = own_store::open(server.url(), server.anon_key(), Arc::new(store)).await.unwrap();
    client.sign_in(ADA, PASSWORD).await.unwrap();
    client.sync().await.unwrap();
    client
}

#[tokio::test]
async fn a_chat_sends_what_is_typed_and_shows_what_is_said() {
    let server = DevServer::builder().start().await.unwrap();
    let client = signed_in(&server, MemoryStore::new()).await;
    let list = client.conversations().await.unwrap();
    let direct = list.iter().find(|one| one.kind == ConversationKind::Direct).unwrap();
    let mut shown = Vec::new();
    chat::chat(&client.conversation(direct.id), &b"On my way\nAt gate 3\n"[..], &mut shown).await.unwrap();
    assert!(!shown.is_empty(), "what was said before");
    assert_eq!(client.pending().await.unwrap().pending, 2);
    assert_eq!(client.sync().await.unwrap().pushed, 2);
}

#[tokio::test]
async fn an_app_lends_its_session() {
    let server = DevServer::builder().start().await.unwrap();
    let store = MemoryStore::new();
    let person = signed_in(&server, store.reopen()).await.me().await.unwrap().unwrap().id;
    let token = fieldpost::storage::Sessions::session(&store).await.unwrap().unwrap().access_token;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ada.db").display().to_string();
    let session = Arc::new(app_session::AppSession::default());
    let client = app_session::open(server.url(), server.anon_key(), &file, session.clone()).await.unwrap();
    assert!(matches!(client.sync().await, Err(Error::SignedOut)));

    session.signed_in(person, AccessToken::new(token.reveal()));
    client.session_changed().await;

    assert!(client.sync().await.unwrap().requests > 0);
    assert!(!client.conversations().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_store_of_ones_own_works_like_the_file() {
    let server = DevServer::builder().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = Fieldpost::builder().url(server.url()).anon_key(server.anon_key());
    let on_disk = file.database(folder.path().join("ada.db")).open().await.unwrap();
    on_disk.sign_in(ADA, PASSWORD).await.unwrap();
    on_disk.sync().await.unwrap();
    let in_memory = signed_in(&server, MemoryStore::new()).await;
    assert_eq!(in_memory.conversations().await.unwrap(), on_disk.conversations().await.unwrap());
}
