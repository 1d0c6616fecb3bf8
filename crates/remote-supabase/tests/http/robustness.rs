//! No response, however broken, makes the client panic or repeat its content.

use crate::support::{Act, Answer, Server, envelope, pull_request, token};
use fieldpost_domain::RefreshToken;
use fieldpost_remote::{Auth, BootstrapRequest, HistoryRequest, MessagingApi, PushRequest, RemoteErrorKind};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A page with everything in it.
fn page() -> Value {
    let (a, t) = ("0198c0de-0000-7000-8000-00000000000a", "2026-01-31T08:15:00.123456+00:00");
    envelope(json!({
        "cursor": "c", "more": false, "from_seq": 1, "to_seq": 3, "complete": true, "total_conversations": 1,
        "digest": {"count": 1, "sha256": "0".repeat(64)},
        "people": [{"id": a, "org_id": a, "role": "medic", "first_name": "hush-hush", "version": 1}],
        "conversations": [{"id": a, "org_id": a, "kind": "direct", "created_by": a, "created_at": t, "updated_at": t,
                           "last_seq": 1, "unread": 1, "last_message_preview": "hush-hush", "version": 1}],
        "messages": [{"id": a, "conversation_id": a, "sender_id": a, "kind": "text", "content": "hush-hush",
                      "metadata": {"a": [1, {"b": "hush-hush"}]}, "status": "sent", "seq": 1, "created_at": t,
                      "updated_at": t, "version": 1, "odd": "hush-hush"}],
        "read_markers": [{"conversation_id": a, "person_id": a, "delivered_seq": 1, "read_seq": 1, "version": 1}],
        "tombstones": [{"entity": "message", "id": a, "conversation_id": a, "seq": 2, "version": 1}],
        "access": [{"conversation_id": a, "access": "grant", "version": 1}],
    }))
}

/// Makes every call with this response; returns all error texts.
async fn ask(status: u16, content_type: &str, body: Vec<u8>) -> Vec<String> {
    let server = Server::start().await;
    let answer = Act::Answer(Answer::new(status, content_type, body));
    for endpoint in [server.bootstrap(), server.pull(), server.history(), server.push(), server.refresh()] {
        endpoint.does(answer.clone());
    }
    let remote = server.remote();
    let conversation_id = "0198c0de-0000-7000-8000-00000000000a".parse().unwrap();
    let history = HistoryRequest { conversation_id, before: None, limit: None, bytes: None };
    let mut said = Vec::new();
    let pull = remote.pull(&token(), pull_request()).await;
    if let Ok(page) = &pull {
        said.extend(page.changes.unreadable.iter().map(|row| row.reason.clone()));
    }
    let failures = [
        pull.err(),
        remote.bootstrap(&token(), BootstrapRequest::default()).await.err(),
        remote.history(&token(), history).await.err(),
        remote.push(&token(), &PushRequest::default()).await.err(),
        remote.refresh(&RefreshToken::new("old")).await.err(),
    ];
    for error in failures.into_iter().flatten() {
        assert_ne!(error.kind(), RemoteErrorKind::Interrupted, "the answer came whole");
        said.push(format!("{error} {error:?}"));
    }
    said
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A random JSON value to put in the place of another.
fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!("hush-hush")),
        Just(json!("")),
        Just(json!(-1)),
        Just(json!(0)),
        Just(json!(1.5e300)),
        Just(json!(u64::MAX)),
        Just(json!(true)),
        Just(json!([])),
        Just(json!(["hush-hush", {"hush-hush": 1}])),
        Just(json!({"hush-hush": "hush-hush"})),
        any::<i64>().prop_map(|number| json!(number)),
    ]
}

/// Replaces the `at`-th value of the tree, counted depth first.
fn replace(tree: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *tree = with.clone();
    }
    *at = at.wrapping_sub(1);
    let children: Vec<&mut Value> = match tree {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for child in children {
        if *at > 10_000 {
            return;
        }
        replace(child, at, with);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..400), status in 200_u16..600) {
        runtime().block_on(ask(status, "application/json", body));
    }

    #[test]
    fn a_page_with_a_byte_changed_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = page().to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        runtime().block_on(ask(200, "application/json", body));
    }

    #[test]
    fn a_page_with_values_replaced_never_panics_nor_tells(edits in prop::collection::vec((1_usize..110, junk()), 1..4)) {
        let mut body = page();
        for (mut at, with) in edits {
            replace(&mut body, &mut at, &with);
        }
        let said = runtime().block_on(ask(200, "application/json", body.to_string().into_bytes()));
        // The refusals of an envelope repeat the server's code and detail, which are meant for people.
        if body["error"].is_null() {
            for words in said {
                prop_assert!(!words.contains("hush-hush"), "{}", words);
            }
        }
    }
}
