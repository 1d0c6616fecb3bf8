//! Batches with elements that none of our clients would send: each gets its own result, and the others go through.

use crate::client::{ada, call, demo};
use fieldpost_devserver::DevServer;
use fieldpost_domain::RetryCode;
use serde_json::{Value, json};

const MUTATION: &str = "0198c0de-0000-7000-8000-000000000001";

async fn push(server: &DevServer, token: &str, mutations: Value) -> Value {
    let answer = call(server, token, "fieldpost_push", json!({"p_mutations": mutations})).send().await;
    assert_eq!(answer.status, 200);
    answer.json()["results"].clone()
}

fn id(number: u32) -> String {
    format!("0198c0de-0000-7000-8000-{number:012x}")
}

async fn direct(server: &DevServer, token: &str) -> Value {
    let opened = push(server, token, json!([{"id": MUTATION, "kind": "open_direct", "conversation_id": id(9)}])).await;
    assert_eq!(opened[0]["status"], "duplicate");
    opened[0]["conversation"]["id"].clone()
}

fn send(conversation: &Value, message: u32, content: &str) -> Value {
    json!({"id": id(message + 1000), "kind": "send_message", "conversation_id": conversation, "message_id": id(message),
           "message_type": "text", "content": content, "composed_at": "2026-01-31T08:15:00.123456Z"})
}

#[tokio::test]
async fn elements_that_cannot_be_read_are_answered_one_by_one() {
    let server = demo().await;
    let token = ada(&server).await;
    let direct = direct(&server, &token).await;
    let results = push(
        &server,
        &token,
        json!([
            17,
            null,
            {"kind": "mark_read"},
            {"id": "no uuid", "kind": "mark_read"},
            {"id": MUTATION, "kind": "dance"},
            {"id": MUTATION},
            {"id": MUTATION, "kind": "mark_read", "conversation_id": direct, "read_seq": "3"},
            {"id": MUTATION, "kind": "send_message", "conversation_id": direct, "message_type": "text", "content": "x"},
            {"id": MUTATION, "kind": "send_message", "conversation_id": direct, "message_id": id(2), "message_type": "system", "content": "x"},
            send(&direct, 3, "Here"),
        ]),
    )
    .await;
    for place in 0..4 {
        assert_eq!(results[place], json!({"id": null, "status": "rejected", "code": "bad_request"}));
    }
    assert_eq!(results[4], json!({"id": MUTATION, "status": "rejected", "code": "unknown_kind"}));
    for (place, field) in [(5, "kind"), (6, "read_seq"), (7, "message_id"), (8, "message_type")] {
        assert_eq!(results[place]["code"], "bad_request");
        assert_eq!(results[place]["detail"], field);
    }
    assert_eq!(results[9]["status"], "applied");
    assert_eq!(results[9]["ack"]["seq"], 4);
    assert_eq!(results.as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn content_rules_are_the_servers_too() {
    let server = demo().await;
    let token = ada(&server).await;
    let direct = direct(&server, &token).await;
    let mut attachment = send(&direct, 5, "");
    attachment["message_type"] = json!("attachment");
    attachment.as_object_mut().unwrap().remove("content");
    let results = push(
        &server,
        &token,
        json!([
            send(&direct, 1, ""),
            send(&direct, 2, " \u{2003}"),
            send(&direct, 6, "\u{200b}\u{e0041}"),
            send(&direct, 3, "on my way "),
            send(&direct, 4, &"é".repeat(5001)),
            attachment,
        ]),
    )
    .await;
    let codes: Vec<_> = (0..5).map(|place| results[place]["code"].as_str().unwrap_or("applied")).collect();
    assert_eq!(codes, ["content_empty", "content_empty", "content_empty", "not_trimmed", "content_too_long"]);
    assert_eq!(results[5]["status"], "applied");
}

#[tokio::test]
async fn a_retry_takes_the_later_ones_of_its_conversation_along() {
    let server = demo().await;
    let token = ada(&server).await;
    let direct = direct(&server, &token).await;
    server.reference().retry_next(None, RetryCode::Conflict);
    let batch = json!([send(&direct, 1, "one"), 5, send(&direct, 2, "two")]);
    let results = push(&server, &token, batch.clone()).await;
    assert_eq!(results[0], json!({"id": id(1001), "status": "retry", "code": "conflict"}));
    assert_eq!(results[1]["code"], "bad_request");
    assert_eq!(results[2]["code"], "after_retry");

    let results = push(&server, &token, batch).await;
    assert_eq!((&results[0]["ack"]["seq"], &results[2]["ack"]["seq"]), (&json!(4), &json!(5)));
}

#[tokio::test]
async fn a_batch_above_the_limits_is_too_large_as_a_whole() {
    let server = demo().await;
    let token = ada(&server).await;
    let batch: Vec<_> = (0..501).map(|_| json!({})).collect();
    let answer = call(&server, &token, "fieldpost_push", json!({"p_mutations": batch})).send().await;
    assert_eq!(answer.json()["error"]["code"], "too_large");
    assert_eq!(push(&server, &token, json!([])).await, json!([]));
}
