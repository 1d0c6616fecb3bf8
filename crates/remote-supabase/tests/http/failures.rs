//! Every failure, over a real socket.

use crate::support::{ANON_KEY, Act, Answer, Server, pull_request, token};
use fieldpost_domain::{AccessToken, Retry};
use fieldpost_remote::{ExpiredReason, MessagingApi, RemoteError, RemoteErrorKind};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use serde_json::{Value, json};
use std::{future, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

async fn pull(remote: &SupabaseRemote) -> RemoteError {
    let error = remote.pull(&token(), pull_request()).await.expect_err("it fails");
    assert_eq!(error.operation(), "pull");
    let everything = format!("{error} {error:?}");
    assert!(!everything.contains("secret") && !everything.contains(ANON_KEY), "{everything}");
    error
}

async fn answered(answer: Answer) -> RemoteError {
    let server = Server::start().await;
    server.pull().does(Act::Answer(answer));
    pull(&server.remote()).await
}

async fn refused(status: u16, body: Value) -> RemoteError {
    answered(Answer::new(status, "application/json", body.to_string())).await
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = pull(&SupabaseRemote::new(SupabaseConfig::new(format!("http://{address}"), ANON_KEY)).unwrap()).await;
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
    assert_eq!(error.retry(), Retry::WhenOnline);
    assert!(error.detail().is_some_and(|detail| detail.starts_with("127.0.0.1: ")), "{error}");
}

#[tokio::test]
async fn a_host_without_an_address_is_unreachable() {
    // A label above 63 characters: no resolver queries the network for it.
    let url = format!("https://{}.example", "a".repeat(64));
    let error = pull(&SupabaseRemote::new(SupabaseConfig::new(url, ANON_KEY)).unwrap()).await;
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_buf(&mut Vec::new()).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let error = pull(&SupabaseRemote::new(SupabaseConfig::new(url, ANON_KEY)).unwrap()).await;
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
}

#[tokio::test]
async fn a_timeout_while_connecting_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let _stream = listener.accept().await.unwrap();
        // The TLS handshake never completes.
        future::pending::<()>().await;
    });
    let config = SupabaseConfig::new(url, ANON_KEY).with_connect_timeout(Duration::from_millis(40));
    let error = pull(&SupabaseRemote::new(config).unwrap()).await;
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable, "{error:?}");
    task.abort();
}

#[tokio::test]
async fn a_connection_that_closes_instead_of_answering_is_interrupted() {
    let server = Server::start().await;
    server.pull().does(Act::Close);
    let error = pull(&server.remote()).await;
    assert_eq!(error.kind(), RemoteErrorKind::Interrupted);
    assert_eq!(server.requests().len(), 1, "nothing is repeated behind the caller's back");
}

#[tokio::test]
async fn a_timeout_after_sending_is_told_from_a_broken_connection() {
    let server = Server::start().await;
    server.pull().does(Act::Hang);
    let body = json!({"protocol": 1}).to_string();
    server.pull().does(Act::Answer(Answer::new(200, "application/json", body).hang_at(5)));
    for _ in 0..2 {
        let error = pull(&server.impatient()).await;
        assert_eq!(error.kind(), RemoteErrorKind::TimedOut);
        assert_eq!(error.retry(), Retry::WhenOnline);
        assert!(error.to_string().starts_with("the answer took too long (pull)"), "{error}");
    }
    assert_eq!(server.requests().len(), 2, "nothing is repeated behind the caller's back");
}

#[tokio::test]
async fn half_a_body_is_interrupted() {
    let body = json!({"protocol": 1, "cursor": "c", "more": false}).to_string();
    let error = answered(Answer::new(200, "application/json", body).cut_at(20)).await;
    assert_eq!(error.kind(), RemoteErrorKind::Interrupted);
}

#[tokio::test]
async fn refusals_of_the_interfaces() {
    use RemoteErrorKind::*;
    for (status, body, kind) in [
        (401, json!({"code": "PT401", "message": "not signed in"}), Unauthorized),
        (401, json!({"code": "PGRST303", "message": "JWT expired"}), Unauthorized),
        (401, json!({"message": "No API key found in request"}), WrongApiKey),
        (401, json!({"message": "Invalid API key", "hint": "Double check your Supabase key."}), WrongApiKey),
        (404, json!({"code": "PGRST202", "message": "Could not find the function"}), NotFieldpost),
        (500, json!({"code": "57014", "message": "canceling statement due to statement timeout"}), StatementTimeout),
        (500, json!({"code": "40001", "message": "could not serialize access"}), Unavailable),
        (413, json!({"message": "too large"}), Oversized),
        (400, json!({"code": "PGRST102", "message": "Empty or invalid json"}), BadRequest),
    ] {
        assert_eq!(refused(status, body.clone()).await.kind(), kind, "{status} {body}");
    }
}

#[tokio::test]
async fn a_gateways_limit_is_no_verdict_on_what_was_sent() {
    for (content_type, body) in [("text/html", "<html>413"), ("application/json", "{}"), ("text/plain", "")] {
        let error = answered(Answer::new(413, content_type, body).with_header("retry-after", "5")).await;
        assert_eq!((error.kind(), error.retry()), (RemoteErrorKind::Oversized, Retry::Never));
        assert!(error.detail().is_some_and(|detail| detail.starts_with("413: a gateway")), "{error}");
    }
}

#[tokio::test]
async fn refusals_in_the_envelope() {
    use RemoteErrorKind::*;
    for (error, kind) in [
        (json!({"code": "client_too_old"}), ClientTooOld),
        (json!({"code": "cursor_expired", "detail": "epoch"}), CursorExpired(ExpiredReason::Epoch)),
        (json!({"code": "cursor_expired"}), CursorExpired(ExpiredReason::Invalid)),
        (json!({"code": "not_found"}), NotFound),
        (json!({"code": "too_large", "detail": "push_rows"}), TooLarge),
        (json!({"code": "bad_request", "detail": "p_cursor"}), BadRequest),
        (json!({"code": "from_the_future", "detail": "d"}), Other),
        (json!({}), Other),
    ] {
        let server = Server::start().await;
        // The rest of such a response is ignored, even if it is incomplete or wrong.
        server.pull().replies(&json!({"error": error, "messages": [1]}));
        assert_eq!(pull(&server.remote()).await.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn a_server_that_no_longer_serves_this_protocol_says_so_without_an_error_too() {
    let server = Server::start().await;
    server.pull().answers(json!({"protocol": 3, "min_protocol": 2, "cursor": "c", "more": false}));
    server.pull().answers(json!({"protocol": 3, "min_protocol": 1, "cursor": "c", "more": false}));
    let remote = server.remote();
    assert_eq!(pull(&remote).await.kind(), RemoteErrorKind::ClientTooOld);
    remote.pull(&token(), pull_request()).await.unwrap();
}

#[tokio::test]
async fn the_server_says_when_to_come_back() {
    let answer = |status| Answer::new(status, "application/json", "{}");
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let later = "Sun, 06 Nov 1994 08:51:07 GMT";
    for (answer, kind, retry) in [
        (answer(429).with_header("retry-after", "17"), RemoteErrorKind::RateLimited, 17),
        (answer(503).with_header("retry-after", "5"), RemoteErrorKind::Unavailable, 5),
        (answer(503).with_header("date", date).with_header("retry-after", later), RemoteErrorKind::Unavailable, 90),
        (answer(503).with_header("retry-after", "soon"), RemoteErrorKind::Unavailable, 1),
        (answer(429), RemoteErrorKind::RateLimited, 1),
    ] {
        let error = answered(answer).await;
        assert_eq!((error.kind(), error.retry()), (kind, Retry::After(Duration::from_secs(retry))));
    }
    let error = answered(answer(401).with_header("retry-after", "5")).await;
    assert_eq!(error.retry(), Retry::AfterReauth, "a refusal stays one");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start().await;
    for status in [301, 302, 307, 308] {
        let location = format!("{}/rest/v1/rpc/fieldpost_pull", elsewhere.url());
        let error = answered(Answer::new(status, "text/html", "<a>").with_header("location", location)).await;
        assert_eq!(error.kind(), RemoteErrorKind::Intercepted);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_token_that_no_header_can_hold_needs_a_fresh_one() {
    let server = Server::start().await;
    let token = AccessToken::new("line\nbreak-secret");
    let error = server.remote().pull(&token, pull_request()).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Unauthorized);
    assert!(!format!("{error:?}").contains("secret"));
    assert_eq!(server.connections(), 0);
}
