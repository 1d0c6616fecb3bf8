//! A file with every kind of content, created once by the engine itself.

use crate::Phone;
use fieldpost::{ConversationId, MedicId, MessageId, Window};
use fieldpost_devserver::DevServer;
use fieldpost_remote::reference::{DEMO_ADMIN, DEMO_PASSWORD};
use sea_orm::{ConnectionTrait, Database};
use std::path::Path;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The file and its contents.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) bytes: Vec<u8>,
    pub(super) conversations: Vec<ConversationId>,
    pub(super) messages: Vec<MessageId>,
    /// The number of outbox entries.
    pub(super) entries: usize,
}

static SOUND: OnceCell<Sound> = OnceCell::const_new();

pub(super) async fn sound() -> &'static Sound {
    SOUND.get_or_init(make).await
}

/// An admin's phone: synced, with queued and refused messages, and one opened conversation of each kind.
async fn make() -> Sound {
    let server = DevServer::builder().start().await.expect("a free port");
    let phone = Phone::new(server.url(), server.anon_key()).plain();
    let client = phone.first_start(DEMO_ADMIN, DEMO_PASSWORD).await;
    let medic = |number| MedicId::from_uuid(Uuid::from_u128(number));
    let refused = client.open_direct(medic(1)).await.expect("opening");
    refused.send("to nobody").await.expect("writing");
    client.trigger_message_sync().await.expect("a sync in which the server refuses to open it");
    let waits = client.open_direct(medic(2)).await.expect("opening");
    let list = client.conversations().await.expect("the list");
    let mut messages = Vec::new();
    for one in &list {
        client.conversation(one.id).send("later").await.expect("writing");
        let window = client.conversation(one.id).messages(Window::newest(100)).await.expect("the thread");
        client.conversation(one.id).mark_read(window.last_seq().unwrap_or_default()).await.expect("reading");
        messages.extend(window.messages.iter().map(|message| message.id));
    }
    assert!(list.iter().any(|one| one.id == waits.id()) && list.len() > 3);
    let entries = client.outbox(u32::MAX).await.expect("the outbox").len();
    client.close().await.expect("closing");
    loosen(&phone.file()).await;
    let bytes = std::fs::read(phone.file()).expect("the file");
    Sound { bytes, conversations: list.into_iter().map(|one| one.id).collect(), messages, entries }
}

/// Adds rows that normal use does not create, and removes the column types from all tables, since a failing disk does
/// not respect them. SQLite takes the type of a value from the row when it reads it.
async fn loosen(path: &Path) {
    let db = Database::connect(format!("sqlite://{}", path.display())).await.expect("the file opens");
    db.execute_unprepared(
        "INSERT INTO aliases SELECT randomblob(16), id FROM conversations LIMIT 2;
         INSERT INTO tombstones SELECT randomblob(16), id, 1, 1 FROM conversations LIMIT 2;
         INSERT INTO reactions SELECT id, 'x', randomblob(16), conversation_id, 1, 1, 1 FROM messages LIMIT 2;
         INSERT INTO access SELECT id, 0, 1 FROM conversations LIMIT 2;
         INSERT INTO unreadable_rows (digest, list, payload, reason) VALUES (x'00', 'messages', '{}', 'a test');
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(replace(sql, ') STRICT, WITHOUT', ') WITHOUT'), ') STRICT', ')');
         PRAGMA writable_schema = RESET",
    )
    .await
    .expect("SQLite lets a schema be changed");
    db.close().await.expect("the file is written");
}
