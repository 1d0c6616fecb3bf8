//! Reads the examples of docs/protocol.md, with their placeholders filled in.

use crate::support::{Server, pull_request, token};
use fieldpost_domain::{ConversationId, Seq};
use fieldpost_remote::{BootstrapRequest, HistoryRequest, MessagingApi};
use serde_json::{Map, Value};

const PROTOCOL: &str = include_str!("../../../../docs/protocol.md");

/// The JSON blocks of the document, in order.
fn examples() -> Vec<Value> {
    let blocks = PROTOCOL.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .map(|block| fill(serde_json::from_str(&tidy(block)).unwrap_or_else(|error| panic!("{error}: {block}"))))
        .collect()
}

/// Turns notation for people into JSON: `{…envelope, "me":{person}, "people":[…]}`.
fn tidy(block: &str) -> String {
    block
        .replace("{…envelope,", "{\"envelope\":true,")
        .replace("{person}", "\"{person}\"")
        .replace("{record}", "\"{record}\"")
        .replace("{…}", "\"{conversation}\"")
        .replace("[…]", "[]")
        .replace(", …}", "}")
}

/// Fills in the placeholders, by field name.
fn fill(example: Value) -> Value {
    let Value::Object(fields) = example else { return example };
    let mut filled = Map::new();
    for (name, value) in fields {
        let value = match (name.as_str(), value) {
            ("envelope", _) => {
                filled.extend(crate::support::envelope(Value::Object(Map::new())).as_object().unwrap().clone());
                continue;
            }
            (name, Value::String(text)) => Value::String(placeholder(name, &text)),
            (_, Value::Array(items)) => Value::Array(items.into_iter().map(fill).collect()),
            (_, object @ Value::Object(_)) => fill(object),
            (_, other) => other,
        };
        filled.insert(name, value);
    }
    Value::Object(filled)
}

fn placeholder(name: &str, text: &str) -> String {
    match text.split_once('|') {
        Some((first, _)) => first.to_owned(),
        None if name.ends_with("_at") => "2026-01-31T08:15:00.123456+00:00".to_owned(),
        None if name == "id" || name.ends_with("_id") || ["created_by", "reply_to"].contains(&name) => {
            "0198c0de-0000-7000-8000-00000000000a".to_owned()
        }
        None if text == "…" && name == "cursor" => "c".to_owned(),
        None if name == "set" => "0".repeat(32),
        None => text.to_owned(),
    }
}

/// The first example that has all of these fields.
fn with(fields: &[&str]) -> Value {
    let found = examples().into_iter().find(|example| fields.iter().all(|field| example.get(*field).is_some()));
    found.unwrap_or_else(|| panic!("docs/protocol.md has an example with {fields:?}"))
}

#[tokio::test]
async fn a_page_of_the_examples_is_read_without_a_rest() {
    let (person, conversation) = (with(&["role"]), with(&["org_id", "last_seq"]));
    let mut living = with(&["sender_id"]);
    living.as_object_mut().unwrap().remove("deleted_at");
    let mut page = with(&["more"]);
    page["people"] = Value::Array(vec![person]);
    page["conversations"] = Value::Array(vec![conversation]);
    let mut large = living.clone();
    large.as_object_mut().unwrap().retain(|name, _| !["content", "metadata"].contains(&name.as_str()));
    large["omitted"] = with(&["omitted"])["omitted"].clone();
    page["messages"] = Value::Array(vec![with(&["sender_id"]), living, large]);
    page["ranges"] = Value::Array(vec![with(&["to_seq"])]);
    page["read_markers"] = Value::Array(vec![with(&["delivered_seq"])]);
    page["tombstones"] = Value::Array(vec![with(&["entity"])]);
    // Its "access" is "grant|revoke"; a page's is a list.
    let access = examples().into_iter().find(|example| example["access"].is_string()).unwrap();
    page["access"] = Value::Array(vec![access]);

    let server = Server::start().await;
    server.pull().replies(&page);
    let page = server.remote().pull(&token(), pull_request()).await.unwrap();
    let changes = page.changes;
    assert_eq!(changes.unreadable, []);
    assert_eq!((changes.len(), changes.covered.len()), (8, 1));
    assert_eq!(changes.messages[2].omitted.as_ref().map(|omitted| omitted.bytes), Some(70_000));
    assert!(changes.people[0].removed && changes.people[0].extra.is_empty());
    assert!(changes.conversations[0].extra.is_empty() && changes.conversations[0].unread == 3);
    assert!(changes.messages.iter().all(|message| message.extra.is_empty() && message.reply_to.is_some()));
    assert!(changes.messages[0].content.is_none() && changes.messages[1].content.is_some());
    assert!(page.more && page.digest.is_some_and(|digest| digest.count == 200));
}

#[tokio::test]
async fn the_example_of_a_bootstrap_is_read() {
    let mut example = with(&["next_after"]);
    example["me"] = with(&["role"]);
    let server = Server::start().await;
    server.bootstrap().replies(&example);
    let page = server.remote().bootstrap(&token(), BootstrapRequest::default()).await.unwrap();
    assert_eq!(page.total_conversations, 200);
    assert!(page.me.is_some_and(|me| me.first_name == "Ada"));
    assert!(page.next_after.is_some() && page.digest.is_some() && page.epoch.is_some());
}

#[tokio::test]
async fn the_example_of_a_history_is_read() {
    let mut example = with(&["from_seq", "complete"]);
    example["conversation"] = with(&["org_id", "last_seq"]);
    let server = Server::start().await;
    server.history().replies(&example);
    let conversation_id: ConversationId = "0198c0de-0000-7000-8000-00000000000c".parse().unwrap();
    let request = HistoryRequest { conversation_id, before: None, limit: None, bytes: None };
    let page = server.remote().history(&token(), request).await.unwrap();
    assert_eq!((page.range.from, page.range.to, page.complete), (Seq::new(21), Seq::new(120), false));
    assert_eq!(page.conversation_id, conversation_id);
    assert!(page.conversation.is_some() && page.changes.is_empty());
}

#[cfg(feature = "records")]
mod records {
    use super::{Server, Value, token, with};
    use fieldpost_domain::records::{
        ConflictRule, Fields, Modified, RecordId, RecordOperation, RecordOutcome, TableName,
    };
    use fieldpost_remote::{OutgoingRecord, RecordPullRequest, RecordsApi};
    use std::time::Duration;

    /// The example of a record; its fields are an object.
    fn record() -> Value {
        let mut record = with(&["table", "created_at", "last_mutation_id"]);
        record["fields"] = serde_json::json!({"severity": "minor"});
        record
    }

    #[tokio::test]
    async fn the_example_of_a_page_of_records_is_read() {
        let mut page = with(&["unknown_tables"]);
        page["records"] = Value::Array(vec![record()]);
        let mut tombstone = record();
        tombstone.as_object_mut().unwrap().retain(|name, _| ["table", "id", "client_id", "version"].contains(&&**name));
        page["tombstones"] = Value::Array(vec![tombstone]);
        page["unknown_tables"] = serde_json::json!(["none_such"]);
        let server = Server::start().await;
        server.at("/rest/v1/rpc/fieldpost_records_pull").replies(&page);
        let (tables, cursor, limit, bytes) = (Vec::new(), None, None, None);
        let page =
            server.remote().pull_records(&token(), RecordPullRequest { tables, cursor, limit, bytes }).await.unwrap();
        assert_eq!((page.rows.len(), page.tombstones.len(), page.unreadable), (1, 1, 0));
        assert!(page.more && page.loading && page.epoch.is_some() && page.unknown_tables.len() == 1);
    }

    #[tokio::test]
    async fn the_example_of_a_push_of_records_is_read() {
        let example = super::examples().into_iter().find(|example| example["results"][0]["record_id"].is_string());
        let server = Server::start().await;
        server.at("/rest/v1/rpc/fieldpost_records_push").replies(&example.unwrap());
        let id = "0198c0de-0000-7000-8000-00000000000a";
        let change = OutgoingRecord {
            id: id.parse().unwrap(),
            table: TableName::new("treatments").unwrap(),
            record_id: RecordId::from_uuid(uuid::Uuid::from_u128(1)),
            operation: RecordOperation::Update,
            org_id: None,
            fields: Fields::new(),
            modified: Modified::Ago(Duration::ZERO),
            after: None,
            rule: ConflictRule::LastWriteWins,
        };
        let result = server.remote().push_records(&token(), &[change]).await.unwrap().results.remove(0);
        let RecordOutcome::Won { server_id, version, .. } = result.outcome else { panic!("{result:?}") };
        assert_eq!((server_id.to_string(), version.map(|version| version.get())), (id.to_owned(), Some(4)));
        assert_eq!(result.ignored, ["weather"]);
    }
}
