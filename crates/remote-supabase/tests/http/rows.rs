//! Rows: good ones, unusual ones, and unreadable ones.

use crate::support::{Server, pull_request, token};
use fieldpost_domain::{
    Access, ConversationKind, Covered, MessageKind, MessageStatus, Omitted, PullPage, Role, Seq, SeqRange, TombstoneOf,
    Version,
};
use fieldpost_remote::MessagingApi;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

const A: &str = "0198c0de-0000-7000-8000-00000000000a";
const B: &str = "0198c0de-0000-7000-8000-00000000000b";
const C: &str = "0198c0de-0000-7000-8000-00000000000c";
const T: &str = "2026-01-31T08:15:00.123456+00:00";

fn message() -> Value {
    json!({"id": A, "conversation_id": C, "sender_id": B, "kind": "text", "content": "on my way", "status": "sent",
           "seq": 17, "created_at": T, "updated_at": T, "version": 2})
}

fn conversation() -> Value {
    json!({"id": C, "org_id": A, "kind": "direct", "created_by": B, "created_at": T, "updated_at": T, "last_seq": 0,
           "unread": 0, "version": 4})
}

fn person() -> Value {
    json!({"id": B, "org_id": A, "role": "medic", "first_name": "Ada", "last_name": "Moss", "medic_id": A, "version": 7})
}

fn marker() -> Value {
    json!({"conversation_id": C, "person_id": B, "delivered_seq": 20, "read_seq": 17, "version": 3})
}

fn with(mut row: Value, field: &str, value: Value) -> Value {
    row[field] = value;
    row
}

fn without(mut row: Value, field: &str) -> Value {
    row.as_object_mut().unwrap().remove(field);
    row
}

async fn pull(fields: Value) -> PullPage {
    let server = Server::start().await;
    let mut answer = json!({"cursor": "c", "more": false});
    answer.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    server.pull().answers(answer);
    server.remote().pull(&token(), pull_request()).await.unwrap()
}

#[tokio::test]
async fn a_full_page_is_read() {
    let page = pull(json!({"people": [person()], "conversations": [conversation()], "messages": [message()],
        "read_markers": [marker()],
        "tombstones": [{"entity": "message", "id": A, "conversation_id": C, "seq": 12, "version": 3},
                       {"entity": "conversation", "id": C, "conversation_id": C, "version": 5},
                       {"entity": "conversation", "id": C, "version": 5}],
        "access": [{"conversation_id": C, "access": "grant", "version": 2}]}))
    .await;
    let changes = page.changes;
    assert_eq!(changes.unreadable, []);
    let message = &changes.messages[0];
    assert_eq!(message.id.to_string(), A);
    assert_eq!((message.seq, message.version), (Seq::new(17), Version::new(2)));
    assert_eq!((&message.kind, &message.status), (&MessageKind::Text, &MessageStatus::Sent));
    assert_eq!(message.content.as_deref(), Some("on my way"));
    assert_eq!(message.created_at.timestamp_subsec_micros(), 123_456);
    assert_eq!(changes.people[0].full_name().as_deref(), Some("Ada Moss"));
    assert!(!changes.people[0].removed);
    assert_eq!(changes.conversations[0].kind, ConversationKind::Direct);
    assert_eq!(changes.read_markers[0].delivered_seq, Seq::new(20));
    assert_eq!(changes.tombstones[0].of, TombstoneOf::Message { id: message.id, seq: Seq::new(12) });
    assert_eq!(changes.tombstones[1].of, TombstoneOf::Conversation);
    assert_eq!(changes.tombstones[1], changes.tombstones[2]);
    assert_eq!(changes.access[0].access, Access::Grant);
}

#[tokio::test]
async fn unknown_fields_and_values_are_kept() {
    let odd =
        with(with(with(message(), "kind", json!("poll")), "status", json!("seen")), "stars", json!([1, {"a": null}]));
    let page = pull(json!({"messages": [odd], "people": [with(person(), "role", json!("auditor"))],
        "conversations": [with(with(conversation(), "kind", json!("team")), "colour", json!("red"))],
        "access": [{"conversation_id": C, "access": "half", "version": 2, "why": 1}],
        "read_markers": [with(marker(), "device", json!("phone"))], "a_new_list": [1, 2]}))
    .await;
    let message = &page.changes.messages[0];
    assert_eq!(message.kind, MessageKind::Unknown("poll".to_owned()));
    assert_eq!(message.status, MessageStatus::Unknown("seen".to_owned()));
    assert_eq!(Value::Object(message.extra.clone()), json!({"stars": [1, {"a": null}]}));
    assert_eq!(page.changes.people[0].role, Role::Unknown("auditor".to_owned()));
    assert_eq!(page.changes.conversations[0].extra["colour"], "red");
    assert_eq!(page.changes.access[0].access, Access::Unknown("half".to_owned()));
    assert_eq!(page.changes.unreadable, []);
}

#[tokio::test]
async fn null_is_the_same_as_absent() {
    let mut nulls = message();
    for field in ["metadata", "reply_to", "composed_at", "deleted_at"] {
        nulls[field] = Value::Null;
    }
    let page = pull(json!({"messages": [nulls, message()], "people": null})).await;
    assert_eq!(page.changes.messages[0], page.changes.messages[1]);
}

#[tokio::test]
async fn metadata_that_is_no_object_does_not_cost_the_message() {
    let page = pull(json!({"messages": [with(message(), "metadata", json!([1, 2])),
                                        with(message(), "metadata", json!({"site": "A7"}))]}))
    .await;
    let [odd, usual] = page.changes.messages.as_slice() else { panic!("two messages") };
    assert_eq!((odd.metadata.as_ref(), &odd.extra["metadata"]), (None, &json!([1, 2])));
    assert_eq!(usual.metadata.as_ref().unwrap().as_object()["site"], "A7");
}

#[tokio::test]
async fn a_deleted_message_has_no_content_whatever_stands_there() {
    let deleted = with(with(message(), "deleted_at", json!(T)), "metadata", json!({"a": 1}));
    let message = &pull(json!({"messages": [deleted]})).await.changes.messages[0];
    assert!(message.deleted_at.is_some() && message.content.is_none() && message.metadata.is_none());
    assert!(message.extra.is_empty());
}

#[tokio::test]
async fn one_bad_row_costs_only_itself() {
    let bad = [
        (without(message(), "id"), "id"),
        (with(message(), "id", json!("secret")), "id"),
        (with(message(), "seq", json!(0)), "seq"),
        (with(message(), "seq", json!(-3)), "seq"),
        (with(message(), "seq", json!(1.5)), "seq"),
        (with(message(), "seq", json!("17")), "seq"),
        (with(message(), "seq", json!(9_007_199_254_740_992_u64)), "seq"),
        (with(message(), "version", json!(-1)), "version"),
        (without(message(), "version"), "version"),
        (with(message(), "content", json!({"secret": 1})), "content"),
        (with(message(), "created_at", json!(1_769_847_300)), "created_at"),
        (without(message(), "updated_at"), "updated_at"),
        (with(message(), "deleted_at", json!(true)), "deleted_at"),
        (with(message(), "kind", json!(["secret"])), "kind"),
        (json!("secret"), "not an object"),
        (json!(null), "not an object"),
        (json!([message()]), "not an object"),
    ];
    for (row, field) in bad {
        let page = pull(json!({"messages": [message(), row, message()], "people": [person()]})).await;
        assert_eq!((page.changes.messages.len(), page.changes.people.len()), (2, 1), "{row}");
        let [unreadable] = page.changes.unreadable.as_slice() else { panic!("one unreadable row: {row}") };
        assert_eq!(unreadable.list, "messages");
        assert_eq!(serde_json::from_str::<Value>(&unreadable.payload).unwrap(), row);
        assert!(unreadable.reason.starts_with(field), "{}", unreadable.reason);
        assert!(!unreadable.reason.contains("secret"), "{}", unreadable.reason);
    }
}

#[tokio::test]
async fn bad_rows_of_every_list_are_kept() {
    let page = pull(json!({"people": [without(person(), "org_id"), person()],
        "conversations": [with(conversation(), "unread", json!(-1))],
        "read_markers": [without(marker(), "read_seq")],
        "tombstones": [{"entity": "person", "id": A, "conversation_id": C, "version": 1},
                       {"entity": "message", "id": A, "conversation_id": C, "version": 1},
                       {"entity": "conversation", "id": A, "conversation_id": C, "version": 1}],
        "access": [{"access": "revoke", "version": 1}]}))
    .await;
    let lists: Vec<_> = page.changes.unreadable.iter().map(|row| row.list.as_str()).collect();
    assert_eq!(lists, ["people", "conversations", "read_markers", "tombstones", "tombstones", "tombstones", "access"]);
    assert_eq!(page.changes.people.len(), 1);
}

#[tokio::test]
async fn a_lone_surrogate_costs_only_its_row() {
    let server = Server::start().await;
    let good = message().to_string();
    let bad = good.replace("on my way", "\\ud83d broken");
    let answer = crate::support::envelope(json!({"cursor": "c", "more": false, "messages": ["HERE"]}))
        .to_string()
        .replace("\"HERE\"", &format!("{good}, {bad}"));
    server.pull().raw(200, "application/json", answer);
    let page = server.remote().pull(&token(), pull_request()).await.unwrap();
    assert_eq!((page.changes.messages.len(), page.changes.unreadable.len()), (1, 1));
}

#[tokio::test]
async fn what_was_omitted_is_read_with_its_reason_whatever_that_is() {
    let left_out = |reason: &str| json!({"reason": reason, "bytes": 34_000_000_u64});
    let large = without(with(message(), "omitted", left_out("metadata_too_large")), "content");
    let newer = with(message(), "omitted", left_out("a_new_reason"));
    let odd = with(message(), "omitted", json!({"bytes": 7}));
    let subject = with(conversation(), "omitted", left_out("subject_too_long"));
    let page = pull(json!({"messages": [large, newer, odd, message()], "conversations": [subject]})).await;
    assert_eq!(page.changes.unreadable, []);
    let omitted = |reason: &str| Some(Omitted { reason: reason.into(), bytes: 34_000_000 });
    let told: Vec<_> = page.changes.messages.iter().map(|message| message.omitted.clone()).collect();
    assert_eq!(told, [omitted("metadata_too_large"), omitted("a_new_reason"), None, None]);
    assert_eq!(page.changes.conversations[0].omitted, omitted("subject_too_long"));
}

#[tokio::test]
async fn nobody_is_somebody_who_has_no_id() {
    let nil = "00000000-0000-0000-0000-000000000000";
    let rows = [with(message(), "sender_id", json!(nil)), with(message(), "sender_id", json!(null))];
    let page = pull(json!({"messages": rows, "conversations": [without(conversation(), "created_by")]})).await;
    assert_eq!(page.changes.unreadable, []);
    assert!(page.changes.messages.iter().all(|message| message.sender_id.is_nobody()));
    assert!(page.changes.conversations[0].created_by.is_nobody());
}

#[tokio::test]
async fn a_time_that_nothing_can_represent_costs_no_row() {
    let far = [json!("infinity"), json!("10000-01-01T00:00:00+00:00"), json!("+294276-12-31T23:59:59.999999+00:00")];
    for at in far {
        let odd = with(with(message(), "composed_at", at.clone()), "created_at", at.clone());
        let list = with(conversation(), "last_message_at", at.clone());
        let page = pull(json!({"messages": [odd], "conversations": [list]})).await;
        assert_eq!(page.changes.unreadable, [], "{at}");
        let message = &page.changes.messages[0];
        assert_eq!((message.composed_at, &message.extra["composed_at"]), (None, &at), "kept as it came");
        assert_eq!(message.created_at.to_rfc3339(), "9999-12-31T23:59:59.999999+00:00");
        assert_eq!(page.changes.conversations[0].last_message_at, None);
    }
    let erased = pull(json!({"messages": [with(message(), "deleted_at", json!("infinity"))]})).await;
    assert!(erased.changes.messages[0].deleted_at.is_some(), "deleted, whenever");
}

#[tokio::test]
async fn ranges_say_which_part_of_a_thread_is_here() {
    let ranges =
        json!([{"conversation_id": C, "from_seq": 3, "to_seq": 7, "why": 1}, {"conversation_id": C, "from_seq": 0}]);
    let changes = pull(json!({"messages": [message()], "ranges": ranges})).await.changes;
    let range = SeqRange { from: Seq::new(3), to: Seq::new(7) };
    assert_eq!(changes.covered, [Covered { conversation_id: C.parse().unwrap(), range }]);
    let [odd] = changes.unreadable.as_slice() else { panic!("one range is none") };
    assert_eq!((odd.list.as_str(), changes.messages.len()), ("ranges", 1));
}

/// Pulls a page with this text in the place of "HERE".
async fn pull_text(fields: Value, text: &str) -> PullPage {
    let server = Server::start().await;
    let mut answer = json!({"cursor": "c", "more": false});
    answer.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let answer = crate::support::envelope(answer).to_string().replace("\"HERE\"", text);
    server.pull().raw(200, "application/json", answer);
    server.remote().pull(&token(), pull_request()).await.unwrap()
}

#[tokio::test]
async fn metadata_that_nobody_can_read_costs_no_more_than_itself() {
    let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let hostile = [deep(128), deep(300), deep(3_000), deep(16_345), "{\"n\":1e400}".to_owned(), "[1e999]".to_owned()];
    for text in hostile {
        let odd = with(with(message(), "metadata", json!("HERE")), "secret", json!("HERE"));
        let page = pull_text(json!({"messages": [message(), odd, message()]}), &text).await;
        assert_eq!(page.changes.unreadable, []);
        let [first, odd, last] = page.changes.messages.as_slice() else { panic!("three messages") };
        assert_eq!((first, &first.omitted), (last, &None));
        assert_eq!((odd.content.as_deref(), odd.seq, &odd.metadata), (Some("on my way"), Seq::new(17), &None));
        assert_eq!(odd.omitted.as_ref().map(|omitted| omitted.bytes), Some(text.len() as u64));
    }
    for readable in [deep(127), "{\"n\":18446744073709551615}".to_owned(), "{\"n\":-0.0}".to_owned()] {
        let page = pull_text(json!({"messages": [with(message(), "metadata", json!("HERE"))]}), &readable).await;
        assert_eq!(page.changes.messages[0].omitted, None, "{readable}");
        assert!(page.changes.messages[0].metadata.is_some());
    }
}

#[tokio::test]
async fn a_row_that_is_deep_where_nothing_may_be_costs_itself_alone() {
    let text = format!("{}{}", "[".repeat(16_345), "]".repeat(16_345));
    let odd = with(message(), "content", json!("HERE"));
    let page = pull_text(json!({"messages": [message(), odd], "people": [person()]}), &text).await;
    assert_eq!((page.changes.messages.len(), page.changes.people.len(), page.changes.unreadable.len()), (1, 1, 1));
    assert!(page.changes.unreadable[0].payload.contains(&text), "kept as it came");
}
