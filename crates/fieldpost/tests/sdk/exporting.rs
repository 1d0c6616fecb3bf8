//! Exports: what is here in order, what is missing named, in both forms.

use fieldpost::{Client, ConversationId, ExportFormat, Fieldpost, MessageId};
use fieldpost_domain::{Changes, Conversation, Message, MessageKind, PersonId};
use fieldpost_storage::{
    conformance::{
        build::{ada, conversation_id, deleted, direct, echo, iris, message, message_id, messages},
        given,
    },
    memory::MemoryStore,
};
use std::sync::Arc;

/// Iris has synced a conversation with these messages.
async fn client(row: Conversation, messages: Vec<Message>) -> (Arc<MemoryStore>, Client) {
    let store = Arc::new(MemoryStore::new());
    let changes = Changes { conversations: vec![row], messages, people: vec![iris(), ada()], ..Changes::default() };
    given::loaded(&*store, changes).await;
    let client = Fieldpost::builder().store(store.clone()).local_only().open().await.unwrap();
    (store, client)
}

async fn exported(client: &Client, id: ConversationId, format: ExportFormat) -> Vec<String> {
    let mut export = client.conversation(id).export(format).await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = export.next_line().await.unwrap() {
        lines.push(line);
    }
    lines
}

fn one() -> ConversationId {
    conversation_id(1)
}

#[tokio::test]
async fn an_export_is_in_order_and_names_what_is_missing() {
    // Given a recent part, an older one with a gap below it, and a message that waits.
    let (store, client) = client(direct(1, 40), messages(one(), 31..=40, &ada())).await;
    given::history(&*store, one(), 11, 20, messages(one(), 11..=20, &ada())).await;
    client.conversation(one()).send("not sent yet").await.unwrap();

    let lines = exported(&client, one(), ExportFormat::JsonLines).await;

    let values: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values[0]["conversation"]["name"], "Ada Moss");
    assert_eq!(values[1]["missing"], serde_json::json!({"from_seq": 1, "to_seq": 10}));
    let seqs = values.iter().map(|value| value["message"]["seq"].as_u64().unwrap_or(0)).collect::<Vec<_>>();
    assert_eq!(seqs[2..12], (11..=20).collect::<Vec<_>>());
    assert_eq!(values[12]["missing"], serde_json::json!({"from_seq": 21, "to_seq": 30}));
    assert_eq!(seqs[13..23], (31..=40).collect::<Vec<_>>());
    assert_eq!((values[23]["message"]["content"].as_str(), values.len()), (Some("not sent yet"), 24));
}

#[tokio::test]
async fn a_long_thread_is_exported_window_by_window() {
    let (_, client) = client(direct(1, 1_203), messages(one(), 1..=1_203, &ada())).await;
    let lines = exported(&client, one(), ExportFormat::Text).await;
    let texts: Vec<_> = lines[2..].iter().map(|line| line.rsplit(": ").next().unwrap().to_owned()).collect();
    assert_eq!(texts, (1..=1_203).map(|n| format!("message {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_lost_or_forged_in_text() {
    let text = |n, text: &str| Message { content: Some(text.to_owned()), ..message(one(), n, &ada()) };
    let rows = vec![
        text(1, "two\n2026-01-31 08:00  Admin: forged\u{1b}[2J"),
        Message { reply_to: Some(message_id(one(), 1)), ..text(2, "re") },
        Message { reply_to: Some(MessageId::from_uuid(uuid::Uuid::from_u128(7))), ..text(3, "re") },
        deleted(text(4, "secret")),
        Message { kind: MessageKind::Attachment, content: None, ..message(one(), 5, &ada()) },
        Message { kind: MessageKind::System, sender_id: PersonId::NOBODY, ..text(6, "Ada joined") },
        Message { kind: MessageKind::from("poll".to_owned()), ..text(7, "Tea?") },
        Message { edited_at: Some(fieldpost::Time::UNIX_EPOCH), ..echo(1, one(), 8) },
    ];
    let (_, client) = client(direct(1, 8), rows).await;

    let lines = exported(&client, one(), ExportFormat::Text).await;

    let said: Vec<_> = lines[2..].iter().map(|line| line.split_once("  ").unwrap().1.to_owned()).collect();
    assert_eq!(
        said,
        [
            "Ada Moss: two\n    2026-01-31 08:00  Admin: forged[2J",
            "Ada Moss: [to Ada Moss: two 2026-01-31 08:00 Admin: forged[2J] re",
            "Ada Moss: [to a message that is not on this device] re",
            "Ada Moss: (deleted)",
            "Ada Moss: [attachment]",
            "(system): Ada joined",
            "Ada Moss: [poll] Tea?",
            "Admin: own 1 (edited)",
        ]
    );
}

#[tokio::test]
async fn a_conversation_of_which_nothing_is_here_says_so() {
    let (_, client) = client(direct(1, 9), vec![]).await;
    let lines = exported(&client, one(), ExportFormat::Text).await;
    assert_eq!(lines[2..], ["[messages 1 to 9 are not on this device]"]);
}
