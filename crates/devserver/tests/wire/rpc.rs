//! The functions' responses, in the format of docs/protocol.md.

use crate::client::{ada, call, demo};
use fieldpost_devserver::{DevServer, Endpoint};
use fieldpost_remote::reference::{DEMO_BEN, ReferenceServer};
use serde_json::{Value, json};

fn nulls(value: &Value) -> usize {
    match value {
        Value::Null => 1,
        Value::Array(items) => items.iter().map(nulls).sum(),
        Value::Object(fields) => fields.values().map(nulls).sum(),
        _ => 0,
    }
}

#[tokio::test]
async fn a_bootstrap_has_envelope_rows_and_no_nulls() {
    let server = demo().await;
    let token = ada(&server).await;
    let answer = call(&server, &token, "fieldpost_bootstrap", json!({"p_after": null})).send().await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json; charset=utf-8")));
    let page = answer.json();
    assert_eq!(nulls(&page), 0, "{page}");
    assert_eq!((&page["protocol"], &page["min_protocol"]), (&json!(1), &json!(1)));
    assert_eq!(page["limits"]["content_chars"], 5000);
    assert_eq!(page["me"]["first_name"], "Ada");
    assert_eq!(page["total_conversations"], 2);
    assert_eq!(page["conversations"][0]["subject"], "Site notices");
    assert_eq!(page["conversations"][1]["unread"], 2);
    assert_eq!(page["messages"].as_array().unwrap().len(), 4);
    assert_eq!(page["digest"]["count"], 2);
    assert!(page.get("next_after").is_none() && page.get("tombstones").is_none());
    let created = page["messages"][0]["created_at"].as_str().unwrap();
    assert!(created.len() == "2026-01-31T08:15:00.123456+00:00".len() && created.ends_with("+00:00"), "{created}");
    assert!(!page.to_string().contains("Okafor"), "a medic does not learn of her colleagues");
}

#[tokio::test]
async fn a_pull_brings_what_came_since() {
    let server = demo().await;
    let token = ada(&server).await;
    let start = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await.json();
    let direct = start["conversations"][1]["id"].as_str().unwrap().parse().unwrap();
    let reference = server.reference();
    let admin = reference.person_with("admin@fieldpost.test").unwrap();
    let message = reference.insert_message(direct, admin, "Are you there?").unwrap();
    reference.hard_delete(reference.messages_of(direct)[0].id);

    let page = call(&server, &token, "fieldpost_pull", json!({"p_cursor": start["cursor"]})).send().await.json();
    assert_eq!(page["messages"][0]["id"], json!(message.id));
    assert_eq!(page["messages"][0]["seq"], 4);
    let tombstone = &page["tombstones"][0];
    assert_eq!((&tombstone["entity"], &tombstone["seq"]), (&json!("message"), &json!(1)));
    assert_eq!((&page["more"], &page["digest"]["count"]), (&json!(false), &json!(2)));

    let next = call(&server, &token, "fieldpost_pull", json!({"p_cursor": page["cursor"]})).send().await.json();
    assert!(next.get("messages").is_none());
}

#[tokio::test]
async fn refusals_of_a_whole_call_stand_in_the_envelope() {
    let server = demo().await;
    let token = ada(&server).await;
    let start = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await.json();
    server.reference().change_epoch();
    let pull = call(&server, &token, "fieldpost_pull", json!({"p_cursor": start["cursor"]})).send().await;
    assert_eq!(pull.status, 200);
    assert_eq!(pull.json()["error"], json!({"code": "cursor_expired", "detail": "epoch"}));

    let pull = call(&server, &token, "fieldpost_pull", json!({"p_cursor": "nonsense"})).send().await.json();
    assert_eq!(pull["error"], json!({"code": "cursor_expired", "detail": "invalid"}));

    let ben = server.reference().person_with(DEMO_BEN).unwrap();
    let hidden = server.reference().conversations_of(ben).into_iter().find(|row| row.medic_id.is_some()).unwrap();
    let history = call(&server, &token, "fieldpost_history", json!({"p_conversation": hidden.id})).send().await.json();
    assert_eq!(history["error"], json!({"code": "not_found"}));

    server.reference().require_protocol(2);
    let old = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await.json();
    assert_eq!((&old["error"]["code"], &old["min_protocol"]), (&json!("client_too_old"), &json!(2)));
}

#[tokio::test]
async fn history_covers_a_range() {
    let server = demo().await;
    let token = ada(&server).await;
    let start = call(&server, &token, "fieldpost_bootstrap", json!({"p_messages": 1})).send().await.json();
    let direct = &start["conversations"][1]["id"];
    let arguments = json!({"p_conversation": direct, "p_before_seq": 3, "p_limit": 1});
    let page = call(&server, &token, "fieldpost_history", arguments).send().await.json();
    assert_eq!((&page["from_seq"], &page["to_seq"], &page["complete"]), (&json!(2), &json!(2), &json!(false)));
    assert_eq!(page["conversation"]["id"], *direct);
    assert_eq!(page["messages"][0]["seq"], 2);
}

#[tokio::test]
async fn an_answer_is_compressed_when_the_client_takes_gzip() {
    let reference = ReferenceServer::demo();
    let server = DevServer::builder().reference(reference).start().await.unwrap();
    let token = ada(&server).await;
    let plain = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await;
    let packed = call(&server, &token, "fieldpost_bootstrap", json!({})).with("accept-encoding", "gzip").send().await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.starts_with(&[0x1f, 0x8b]) && packed.body.len() < plain.body.len());

    let log = server.requests().log();
    assert_eq!(server.requests().count(Endpoint::Bootstrap), 2);
    assert_eq!(log.last().unwrap().response_bytes, packed.body.len());
    assert_eq!(log.last().unwrap().status, 200);
}
