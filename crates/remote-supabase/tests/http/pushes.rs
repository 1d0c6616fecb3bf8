//! Pushing: how mutations are written, and how results are matched to them.

use crate::support::{Server, token};
use chrono::DateTime;
use fieldpost_domain::{
    Acknowledgement, EditMessage, Emoji, Intent, MarkRead, MessageContent, MessageKind, Metadata, Mutation, NewMessage,
    OpenBroadcast, OpenDirect, PushOutcome, React, RefusalCode, RetryCode, Seq, TombstoneOf,
};
use fieldpost_remote::{MessagingApi, PushRequest, RemoteErrorKind, RemoteResult};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

const T: &str = "2026-01-31T08:15:00.123456+00:00";

/// The id that ends in these digits.
fn id(n: u8) -> String {
    format!("0198c0de-0000-7000-8000-0000000000{n:02x}")
}

const ME: u8 = 0xa;
const CONVERSATION: u8 = 0xc;
const MESSAGE: u8 = 0xe;

fn mutation(n: u8, intent: Intent) -> Mutation {
    Mutation { id: id(n).parse().unwrap(), intent }
}

fn send(n: u8) -> Mutation {
    let message = NewMessage {
        id: id(MESSAGE).parse().unwrap(),
        conversation_id: id(CONVERSATION).parse().unwrap(),
        sender_id: id(ME).parse().unwrap(),
        kind: MessageKind::Text,
        content: MessageContent::new("on my way").unwrap(),
        metadata: None,
        reply_to: None,
        mentions: fieldpost_domain::Mentions::new(),
        composed_at: DateTime::parse_from_rfc3339("2026-01-31T09:15:00.5+01:00").unwrap().into(),
    };
    mutation(n, Intent::SendMessage(message))
}

fn open(n: u8) -> Mutation {
    mutation(
        n,
        Intent::OpenDirect(OpenDirect {
            conversation_id: id(CONVERSATION).parse().unwrap(),
            medic_id: None,
            org_id: None,
        }),
    )
}

fn mark(n: u8) -> Mutation {
    mutation(
        n,
        Intent::MarkRead(MarkRead { conversation_id: id(CONVERSATION).parse().unwrap(), read_seq: Seq::new(17) }),
    )
}

fn edit(n: u8, mentions: &[u8]) -> Mutation {
    let edit = EditMessage {
        conversation_id: id(CONVERSATION).parse().unwrap(),
        message_id: id(MESSAGE).parse().unwrap(),
        content: MessageContent::new("almost there").unwrap(),
        mentions: mentions.iter().map(|n| id(*n).parse().unwrap()).collect(),
    };
    mutation(n, Intent::EditMessage(edit))
}

fn react(n: u8) -> Mutation {
    let (conversation_id, message_id) = (id(CONVERSATION).parse().unwrap(), id(MESSAGE).parse().unwrap());
    let emoji = Emoji::new("👍").unwrap();
    mutation(n, Intent::React(React { conversation_id, message_id, emoji, removed: true }))
}

fn result(n: u8, status: &str, more: Value) -> Value {
    let mut result = json!({"id": id(n), "status": status});
    result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    result
}

async fn push(mutations: &[Mutation], results: Value) -> RemoteResult<Vec<PushOutcome>> {
    let server = Server::start().await;
    server.push().answers(json!({"results": results}));
    let answer = server.remote().push(&token(), &PushRequest::of(mutations.to_vec())).await?;
    assert!(answer.results.iter().map(|result| result.mutation_id).eq(mutations.iter().map(|mutation| mutation.id)));
    Ok(answer.results.into_iter().map(|result| result.outcome).collect())
}

async fn one(mutation: Mutation, status: &str, more: Value) -> RemoteResult<PushOutcome> {
    push(&[mutation], json!([result(1, status, more)])).await.map(|mut outcomes| outcomes.remove(0))
}

async fn acknowledged(mutation: Mutation, status: &str, more: Value) -> Acknowledgement {
    match one(mutation, status, more).await.unwrap() {
        PushOutcome::Acknowledged(acknowledgement) => acknowledgement,
        other => panic!("{other:?}"),
    }
}

fn ack() -> Value {
    json!({"message_id": id(MESSAGE), "conversation_id": id(0xd), "seq": 5, "created_at": T, "version": 1})
}

fn message() -> Value {
    json!({"id": id(MESSAGE), "conversation_id": id(0xd), "sender_id": id(ME), "kind": "text", "content": "on my way",
           "status": "sent", "seq": 5, "created_at": T, "updated_at": T, "version": 1})
}

fn conversation() -> Value {
    json!({"id": id(0xd), "org_id": id(0x1f), "kind": "direct", "created_by": id(ME), "created_at": T, "updated_at": T,
           "last_seq": 0, "unread": 0, "version": 4})
}

#[tokio::test]
async fn mutations_are_written_as_the_protocol_says() {
    let Intent::SendMessage(mut rich) = send(1).intent else { unreachable!() };
    rich.kind = MessageKind::Attachment;
    rich.metadata = Some(Metadata::new(json!({"file": "a.jpg"}).as_object().unwrap().clone()).unwrap());
    rich.reply_to = Some(id(7).parse().unwrap());
    rich.mentions = [id(9).parse().unwrap()].into();
    let (conversation_id, org_id) = (id(CONVERSATION).parse().unwrap(), id(0x1f).parse().unwrap());
    let medic_id = Some(id(8).parse().unwrap());
    let mutations = [
        send(1),
        mutation(2, Intent::SendMessage(rich)),
        open(3),
        mutation(4, Intent::OpenDirect(OpenDirect { conversation_id, medic_id, org_id: Some(org_id) })),
        mutation(
            5,
            Intent::OpenBroadcast(OpenBroadcast { conversation_id, org_id, subject: Some("Crane\0 3".to_owned()) }),
        ),
        mutation(6, Intent::OpenBroadcast(OpenBroadcast { conversation_id, org_id, subject: None })),
        mark(7),
        edit(8, &[9, 10]),
        edit(9, &[]),
        react(10),
    ];
    let server = Server::start().await;
    server.push().answers(json!({}));
    // No results for ten mutations: the response is rejected, but only the request matters here.
    server.remote().push(&token(), &PushRequest::of(mutations.to_vec())).await.unwrap_err();

    let (c, org, m) = (id(CONVERSATION), id(0x1f), id(MESSAGE));
    let sent = &server.requests()[0].body;
    let named = json!(["set_digest", "ranges", "reactions", "conversation_settings"]);
    assert_eq!((&sent["p_protocol"], &sent["p_capabilities"]), (&json!(1), &named));
    assert_eq!(
        sent["p_mutations"],
        json!([
            {"id": id(1), "kind": "send_message", "conversation_id": c, "message_id": m, "message_type": "text",
             "content": "on my way", "composed_at": "2026-01-31T08:15:00.500000Z"},
            {"id": id(2), "kind": "send_message", "conversation_id": c, "message_id": m, "message_type": "attachment",
             "content": "on my way", "composed_at": "2026-01-31T08:15:00.500000Z", "metadata": {"file": "a.jpg"},
             "mentions": [id(9)], "reply_to": id(7)},
            {"id": id(3), "kind": "open_direct", "conversation_id": c},
            {"id": id(4), "kind": "open_direct", "conversation_id": c, "medic_id": id(8), "org_id": org},
            {"id": id(5), "kind": "open_broadcast", "conversation_id": c, "org_id": org, "subject": "Crane 3"},
            {"id": id(6), "kind": "open_broadcast", "conversation_id": c, "org_id": org},
            {"id": id(7), "kind": "mark_read", "conversation_id": c, "read_seq": 17},
            {"id": id(8), "kind": "edit_message", "conversation_id": c, "message_id": m, "content": "almost there",
             "mentions": [id(9), id(10)]},
            {"id": id(9), "kind": "edit_message", "conversation_id": c, "message_id": m, "content": "almost there"},
            {"id": id(10), "kind": "react", "conversation_id": c, "message_id": m, "emoji": "👍", "removed": true},
        ])
    );
}

#[tokio::test]
async fn a_batch_of_nothing_is_answered_with_nothing() {
    assert_eq!(push(&[], json!([])).await.unwrap(), []);
    assert_eq!(push(&[], json!(null)).await.unwrap(), []);
}

#[tokio::test]
async fn acknowledgements_carry_their_rows() {
    let Acknowledgement::Sent(sent) = acknowledged(send(1), "applied", json!({"ack": ack()})).await else { panic!() };
    assert_eq!((sent.conversation_id.to_string(), sent.seq), (id(0xd), Seq::new(5)));

    let stored = acknowledged(send(1), "duplicate", json!({"message": message()})).await;
    assert!(matches!(stored, Acknowledgement::Stored(message) if message.seq == Seq::new(5)));

    let row = json!({"message_id": id(MESSAGE), "conversation_id": id(0xd), "person_id": id(ME), "emoji": "👍",
                     "removed": true, "created_at": T, "version": 2});
    let reacted = acknowledged(react(1), "applied", json!({"reactions": [row, {"emoji": 7}]})).await;
    assert!(matches!(reacted, Acknowledgement::Reacted(rows) if rows.len() == 1 && rows[0].by.count() == 0));
    assert!(matches!(acknowledged(react(1), "duplicate", json!({})).await, Acknowledgement::Bare));

    let tombstone = json!({"entity": "message", "id": id(MESSAGE), "conversation_id": id(0xd), "seq": 5, "version": 3});
    let deleted = acknowledged(send(1), "duplicate", json!({"tombstone": tombstone})).await;
    assert!(matches!(deleted, Acknowledgement::Deleted(t) if matches!(t.of, TombstoneOf::Message { .. })));

    for status in ["applied", "duplicate"] {
        let opened = acknowledged(open(1), status, json!({"conversation": conversation()})).await;
        assert!(matches!(opened, Acknowledgement::Opened(row) if row.id.to_string() == id(0xd)));
    }

    let marker =
        json!({"conversation_id": id(0xd), "person_id": id(ME), "delivered_seq": 20, "read_seq": 17, "version": 3});
    let marked = acknowledged(mark(1), "applied", json!({"read_marker": marker})).await;
    assert!(matches!(marked, Acknowledgement::Marked(marker) if marker.read_seq == Seq::new(17)));
}

#[tokio::test]
async fn an_edit_is_answered_with_its_row_or_with_nothing() {
    let mut row = message();
    row["edited_at"] = json!(T);
    let stored = acknowledged(edit(1, &[]), "applied", json!({"message": row})).await;
    assert!(matches!(stored, Acknowledgement::Stored(message) if message.edited_at.is_some()));

    row["id"] = json!(id(0x77));
    let other = acknowledged(edit(1, &[]), "applied", json!({"message": row})).await;
    assert_eq!(other, Acknowledgement::Bare, "the row of another message is not taken for it");
    let keyed = acknowledged(edit(1, &[]), "applied", json!({"message": row, "named": id(MESSAGE)})).await;
    assert!(matches!(keyed, Acknowledgement::Stored(message) if message.id.to_string() == id(0x77)));
    let wrong = acknowledged(edit(1, &[]), "applied", json!({"message": row, "named": id(0x78)})).await;
    assert_eq!(wrong, Acknowledgement::Bare, "nor if another one was named");

    assert_eq!(acknowledged(edit(1, &[]), "duplicate", json!({})).await, Acknowledgement::Bare);
    let deleted = one(edit(1, &[]), "rejected", json!({"code": "message_deleted"})).await.unwrap();
    assert!(matches!(deleted, PushOutcome::Rejected(refusal) if refusal.code == RefusalCode::MessageDeleted));
}

#[tokio::test]
async fn a_message_that_an_older_app_sent_comes_under_the_id_it_got_then() {
    let mut stored = message();
    stored["id"] = json!(id(0x77));
    let results = json!([
        result(1, "duplicate", json!({"message": stored})),
        result(2, "applied", json!({"conversation": conversation()})),
    ]);
    let outcomes = push(&[send(1), open(2)], results).await.unwrap();
    let PushOutcome::Acknowledged(Acknowledgement::Stored(row)) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((row.id.to_string(), row.seq), (id(0x77), Seq::new(5)));

    // Somebody else's message is not the same one: accepting it as the result would lose what she wrote.
    stored["sender_id"] = json!(id(0xb));
    let error = one(send(1), "duplicate", json!({"message": stored})).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Malformed);
    let tombstone = json!({"entity": "message", "id": id(0x77), "conversation_id": id(0xd), "seq": 5, "version": 2});
    let error = one(send(1), "duplicate", json!({"tombstone": tombstone})).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Malformed, "no row, no key in it: nothing but the id says whose it is");
}

#[tokio::test]
async fn refusals_and_retries_keep_their_codes() {
    let refused = |code: &str| json!({"code": code, "detail": "medic_id"});
    for (code, known) in [("id_taken", RefusalCode::IdTaken), ("moon", RefusalCode::Unknown("moon".to_owned()))] {
        let PushOutcome::Rejected(refusal) = one(send(1), "rejected", refused(code)).await.unwrap() else { panic!() };
        assert_eq!((refusal.code, refusal.detail.as_deref()), (known, Some("medic_id")));
    }
    let retried = one(send(1), "retry", json!({"code": "after_retry"})).await.unwrap();
    assert_eq!(retried, PushOutcome::Retry(RetryCode::AfterRetry));
    let PushOutcome::Rejected(refusal) = one(send(1), "rejected", json!({})).await.unwrap() else { panic!() };
    assert_eq!(refusal.code, RefusalCode::Unknown("unspecified".to_owned()));
}

#[tokio::test]
async fn a_clear_status_without_its_row_is_enough_where_the_pull_brings_the_row() {
    let mut bad_ack = ack();
    bad_ack["seq"] = json!(0);
    for more in [json!({}), json!({"ack": null}), json!({"ack": bad_ack}), json!({"ack": "soon"})] {
        for status in ["applied", "duplicate"] {
            assert_eq!(acknowledged(send(1), status, more.clone()).await, Acknowledgement::Bare, "{more}");
        }
    }
    assert_eq!(acknowledged(mark(1), "duplicate", json!({})).await, Acknowledgement::Bare);
    let mut bad_conversation = conversation();
    bad_conversation["id"] = json!(null);
    for more in [json!({}), json!({"conversation": bad_conversation})] {
        let error = one(open(1), "applied", more).await.unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::Malformed, "the canonical id is what was asked for");
    }
}

#[tokio::test]
async fn results_that_do_not_match_the_batch_say_nothing_about_it() {
    let applied = |n: u8| result(n, "applied", json!({"ack": ack()}));
    let mut other = ack();
    other["message_id"] = json!(id(0x77));
    let null_id = json!({"id": null, "status": "rejected", "code": "bad_request"});
    for results in [
        json!([applied(1)]),
        json!([]),
        json!(null),
        json!([applied(1), applied(2), applied(3)]),
        json!([applied(2), applied(1)]),
        json!([applied(1), applied(1)]),
        json!([applied(1), null_id]),
        json!([applied(1), "applied"]),
        json!([applied(1), null]),
        json!([applied(1), result(2, "perhaps", json!({}))]),
        json!([applied(1), {"id": id(2)}]),
        json!([applied(1), result(2, "applied", json!({"ack": other}))]),
        json!([applied(1), result(2, "rejected", json!({"code": 7}))]),
        json!({"0": applied(1)}),
    ] {
        let error = push(&[send(1), send(2)], results.clone()).await.unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::Malformed, "{results}");
        assert!(!error.to_string().contains("on my way"));
    }
    assert_eq!(push(&[send(1), send(2)], json!([applied(1), applied(2)])).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_the_project_stored_instead_comes_beside_the_acknowledgement() {
    let mut stored = message();
    stored["content"] = json!("on my ****");
    let beside = json!({"ack": ack(), "message": stored});
    let Acknowledgement::Stored(row) = acknowledged(send(1), "applied", beside).await else { panic!() };
    assert_eq!((row.content.as_deref(), row.seq), (Some("on my ****"), Seq::new(5)));

    stored["seq"] = json!(0);
    let unreadable = json!({"ack": ack(), "message": stored});
    assert_eq!(acknowledged(send(1), "applied", unreadable).await, Acknowledgement::Bare, "a pull brings the row");
    let mut other = message();
    other["id"] = json!(id(0x77));
    let error = one(send(1), "applied", json!({"ack": ack(), "message": other})).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Malformed);
}

#[tokio::test]
async fn what_the_project_refuses_comes_in_its_own_words() {
    let words = json!({"code": "refused", "detail": "You are suspended (P0001)"});
    let PushOutcome::Rejected(refusal) = one(send(1), "rejected", words).await.unwrap() else { panic!() };
    assert_eq!((refusal.code, refusal.detail.as_deref()), (RefusalCode::Refused, Some("You are suspended (P0001)")));
}

#[tokio::test]
async fn a_push_with_a_cursor_learns_whether_it_was_quiet() {
    let server = Server::start().await;
    let cursor = |text: &str| fieldpost_domain::Cursor::new(text).unwrap();
    let asked = PushRequest { mutations: Vec::new(), cursor: Some(cursor("here")) };
    for (quiet, expected) in [
        (json!({"cursor": "there"}), Some(cursor("there"))),
        (json!({"cursor": "there", "more": 1}), Some(cursor("there"))),
        (json!({"cursor": ""}), None),
        (json!({"cursor": 7}), None),
        (json!("there"), None),
        (json!(null), None),
    ] {
        server.push().answers(json!({"results": [], "quiet": quiet}));
        assert_eq!(server.remote().push(&token(), &asked).await.unwrap().quiet, expected, "{quiet}");
    }
    assert_eq!(server.requests()[0].body["p_cursor"], "here");
    server.push().answers(json!({"results": [], "quiet": {"cursor": "there"}}));
    let unasked = server.remote().push(&token(), &PushRequest::default()).await.unwrap();
    assert_eq!(unasked.quiet, None, "nobody asked");
    let requests = server.requests();
    let sent = &requests.last().unwrap().body;
    assert!(sent.get("p_cursor").is_none(), "an older server does not know the argument");
}
