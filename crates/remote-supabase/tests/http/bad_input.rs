//! Responses that break the protocol.

use crate::support::{Act, Answer, Server, envelope, pull_request, token};
use fieldpost_domain::ConversationId;
use fieldpost_remote::{BootstrapRequest, HistoryRequest, MessagingApi, PushRequest, RemoteError, RemoteErrorKind};
use fieldpost_remote_supabase::SupabaseRemote;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

async fn pull_of(answer: Answer) -> Result<(), RemoteError> {
    let server = Server::start().await;
    server.pull().does(Act::Answer(answer));
    server.remote().pull(&token(), pull_request()).await.map(drop)
}

async fn kind_of(answer: Answer) -> RemoteErrorKind {
    let error = pull_of(answer).await.expect_err("it fails");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    error.kind()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_web_page_is_a_portal_or_a_gateway_in_trouble() {
    use RemoteErrorKind::{Intercepted, NotFieldpost, Unavailable};
    for (status, kind) in
        [(200, Intercepted), (404, Intercepted), (403, Unavailable), (502, Unavailable), (522, Unavailable)]
    {
        assert_eq!(kind_of(Answer::new(status, HTML, "<!DOCTYPE html>secret")).await, kind, "{status}");
        assert_eq!(kind_of(Answer::new(status, JSON, " \n<html>secret")).await, kind, "{status}");
    }
    assert_eq!(kind_of(Answer::new(200, "text/plain", "secret, it works!")).await, NotFieldpost);
    assert_eq!(kind_of(Answer::new(200, JSON, r#"{"secret": "another API"}"#)).await, NotFieldpost);
}

#[tokio::test]
async fn the_content_type_may_be_wrong_if_the_body_is_right() {
    let body = envelope(json!({"cursor": "c", "more": false})).to_string();
    for content_type in ["text/plain", "application/octet-stream", "application/vnd.pgrst.object+json"] {
        pull_of(Answer::new(200, content_type, body.clone())).await.unwrap();
    }
}

#[tokio::test]
async fn json_that_ends_too_early_is_malformed() {
    let body = envelope(json!({"cursor": "c", "messages": [{"content": "secret"}], "more": false})).to_string();
    for end in [0, 1, body.len() / 2, body.len() - 1] {
        assert_eq!(kind_of(Answer::new(200, JSON, &body.as_bytes()[..end])).await, RemoteErrorKind::Malformed, "{end}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_malformed() {
    for body in ["null", "[]", "\"secret\"", "17", "{\"protocol\":\"secret\"}", "{]"] {
        assert_eq!(kind_of(Answer::new(200, JSON, body)).await, RemoteErrorKind::Malformed, "{body}");
    }
    assert_eq!(
        kind_of(Answer::new(200, JSON, b"{\"protocol\":1,\"cursor\":\"\xff\"}".to_vec())).await,
        RemoteErrorKind::Malformed
    );
    let twice = format!("{0}{0}", envelope(json!({"cursor": "c", "more": false})));
    assert_eq!(kind_of(Answer::new(200, JSON, twice)).await, RemoteErrorKind::Malformed);
    let bomb = format!("{{\"protocol\":1,\"x\":{}", "[".repeat(100_000));
    assert_eq!(kind_of(Answer::new(200, JSON, bomb)).await, RemoteErrorKind::Malformed);
}

#[tokio::test]
async fn an_envelope_without_what_the_call_is_for_is_malformed() {
    let server = Server::start().await;
    let remote = server.remote();
    for fields in [
        json!({"more": false}),
        json!({"cursor": null, "more": false}),
        json!({"cursor": "", "more": false}),
        json!({"cursor": 5, "more": false}),
        json!({"cursor": "x".repeat(1025), "more": false}),
        json!({"cursor": "c\nsecret", "more": false}),
        json!({"cursor": "c"}),
        json!({"cursor": "c", "more": "secret"}),
        json!({"cursor": "c", "more": false, "messages": {"secret": 1}}),
        json!({"cursor": "c", "more": false, "server_time": null}),
        json!({"cursor": "c", "more": false, "server_time": "secret"}),
    ] {
        server.pull().answers(fields.clone());
        let error = remote.pull(&token(), pull_request()).await.expect_err("it fails");
        assert_eq!(error.kind(), RemoteErrorKind::Malformed, "{fields}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    pull_of(Answer::new(200, JSON, envelope(json!({"cursor": "x".repeat(1024), "more": false})).to_string()))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_history_without_a_range_is_malformed() {
    let server = Server::start().await;
    let remote = server.remote();
    let conversation_id: ConversationId = "0198c0de-0000-7000-8000-00000000000c".parse().unwrap();
    let request = HistoryRequest { conversation_id, before: None, limit: None, bytes: None };
    for (from, to, complete, good) in [
        (json!(1), json!(0), json!(true), true),
        (json!(21), json!(120), json!(false), true),
        (json!(22), json!(20), json!(false), false),
        (json!(0), json!(3), json!(true), false),
        (json!(-1), json!(3), json!(true), false),
        (Value::Null, json!(3), json!(true), false),
        (json!(1), json!(9_007_199_254_740_992_u64), json!(true), false),
        (json!(1), json!(3), Value::Null, false),
    ] {
        server.history().answers(json!({"from_seq": from, "to_seq": to, "complete": complete}));
        let result = remote.history(&token(), request).await;
        assert_eq!(result.is_ok(), good, "{from} {to} {complete}");
        assert!(good || result.is_err_and(|error| error.kind() == RemoteErrorKind::Malformed));
    }
}

#[tokio::test]
async fn a_me_that_cannot_be_read_is_not_taken_for_no_membership() {
    let server = Server::start().await;
    server.bootstrap().answers(json!({"cursor": "c", "me": {"id": "secret"}}));
    let error = server.remote().bootstrap(&token(), BootstrapRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Malformed);
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn packed_answers_are_unpacked() {
    let body = gzip(envelope(json!({"cursor": "c", "more": true})).to_string().as_bytes());
    pull_of(Answer::new(200, JSON, body).with_header("content-encoding", "gzip")).await.unwrap();
}

#[tokio::test]
async fn a_packed_answer_that_does_not_unpack_is_malformed() {
    let mut body = gzip(envelope(json!({"cursor": "c", "more": true})).to_string().as_bytes());
    let middle = body.len() / 2;
    for byte in &mut body[middle..middle + 20] {
        *byte ^= 0xff;
    }
    for body in [body, b"secret, not packed".to_vec()] {
        let answer = Answer::new(200, JSON, body).with_header("content-encoding", "gzip");
        assert_eq!(kind_of(answer).await, RemoteErrorKind::Malformed);
    }
}

async fn with_cap(bytes: usize, answer: Answer) -> Result<(), RemoteError> {
    let server = Server::start().await;
    server.pull().does(Act::Answer(answer));
    let remote = SupabaseRemote::new(server.config().with_max_answer_bytes(bytes)).unwrap();
    remote.pull(&token(), pull_request()).await.map(drop)
}

#[tokio::test]
async fn an_answer_above_the_cap_is_oversized_however_it_comes() {
    let body = envelope(json!({"cursor": "c", "more": false, "padding": " ".repeat(100_000)})).to_string();
    let packed = gzip(body.as_bytes());
    assert!(packed.len() < 1000);
    let plain = Answer::new(200, JSON, body.clone());
    // A header that announces too much is enough; the body need not arrive.
    let announced = Answer::new(200, JSON, body.clone()).hang_at(10);
    let bomb = Answer::new(200, JSON, packed).with_header("content-encoding", "gzip");
    for answer in [plain.clone(), announced, bomb.clone()] {
        assert_eq!(with_cap(10_000, answer).await.unwrap_err().kind(), RemoteErrorKind::Oversized);
    }
    for answer in [plain, bomb] {
        with_cap(body.len(), answer).await.unwrap();
    }
}

/// Whatever came back, the server may have applied the push.
#[tokio::test]
async fn an_answer_to_a_push_above_the_cap_says_nothing_of_the_push() {
    let server = Server::start().await;
    server.push().answers(json!({"results": [], "padding": " ".repeat(100_000)}));
    let remote = SupabaseRemote::new(server.config().with_max_answer_bytes(10_000)).unwrap();
    let error = remote.push(&token(), &PushRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Malformed);
    assert!(!error.kind().is_certainly_not_carried_out());
}
