//! Faults on demand happen exactly as often as ordered.

use crate::client::{ada, ask, call, demo};
use fieldpost_devserver::Endpoint;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn mark(conversation: &Value, seq: u64) -> Value {
    let id = "0198c0de-0000-7000-8000-000000000001";
    json!({"p_mutations": [{"id": id, "kind": "mark_read", "conversation_id": conversation, "read_seq": seq}]})
}

#[tokio::test]
async fn a_lost_answer_was_carried_out_and_only_the_ordered_one_is_lost() {
    let server = demo().await;
    let token = ada(&server).await;
    let start = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await.json();
    let direct = &start["conversations"][1]["id"];
    server.faults().lose_answers(Endpoint::Push, 1);

    assert!(call(&server, &token, "fieldpost_push", mark(direct, 2)).try_send().await.is_err());
    let again = call(&server, &token, "fieldpost_push", mark(direct, 2)).send().await.json();
    assert_eq!(again["results"][0]["status"], "duplicate");
    assert_eq!(server.requests().count(Endpoint::Push), 2);
}

#[tokio::test]
async fn a_reset_connection_was_not_carried_out() {
    let server = demo().await;
    let token = ada(&server).await;
    let start = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await.json();
    let direct = &start["conversations"][1]["id"];
    server.faults().reset_connections(Endpoint::Push, 1);
    assert!(call(&server, &token, "fieldpost_push", mark(direct, 2)).try_send().await.is_err());
    let again = call(&server, &token, "fieldpost_push", mark(direct, 2)).send().await.json();
    assert_eq!(again["results"][0]["status"], "applied");
}

#[tokio::test]
async fn a_cut_answer_begins_and_breaks_off() {
    let server = demo().await;
    let token = ada(&server).await;
    let whole = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await.body.len();
    server.faults().cut_answers(Endpoint::Bootstrap, 1);
    let body = json!({"p_protocol": 1, "p_app": "t", "p_capabilities": []}).to_string();
    let request = format!(
        "POST /rest/v1/rpc/fieldpost_bootstrap HTTP/1.1\r\nhost: x\r\napikey: {}\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\n\r\n{body}",
        server.anon_key(),
        body.len()
    );
    let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    let body = text.split_once("\r\n\r\n").unwrap().1.len();
    assert!(body > 0 && body < whole, "{body} of {whole}");
}

#[tokio::test]
async fn a_gateway_answers_in_html_and_a_rate_limit_says_when_to_come_back() {
    let server = demo().await;
    server.faults().bad_gateway(Endpoint::Token, 1);
    server.faults().rate_limit(Endpoint::Token, 1, Duration::from_secs(7));
    let request = || ask(&server, "POST", "/auth/v1/token?grant_type=password").body("{}");
    let html = request().send().await;
    assert_eq!((html.status, html.header("content-type")), (502, Some("text/html")));
    let limited = request().send().await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    assert_eq!(request().send().await.status, 400, "the orders are spent");
}

#[tokio::test]
async fn a_fault_of_one_endpoint_is_not_spent_on_another() {
    let server = demo().await;
    server.faults().unavailable(Endpoint::Pull, 1);
    let token = ada(&server).await;
    assert_eq!(call(&server, &token, "fieldpost_pull", json!({"p_cursor": "x"})).send().await.status, 503);
    server.faults().unavailable(None, 5);
    server.faults().clear();
    assert_eq!(call(&server, &token, "fieldpost_pull", json!({"p_cursor": "x"})).send().await.status, 200);
}

#[tokio::test]
async fn a_delay_makes_an_answer_late() {
    let server = demo().await;
    server.faults().delay(Endpoint::Token, 1, Duration::from_millis(80));
    let before = Instant::now();
    assert_eq!(ask(&server, "POST", "/auth/v1/token?grant_type=password").body("{}").send().await.status, 400);
    assert!(before.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn offline_refuses_connections_and_breaks_those_there_are() {
    let server = demo().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).await.unwrap();

    server.faults().offline(true).await;
    let refused = TcpStream::connect(&address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.expect("it breaks");

    server.faults().offline(false).await;
    assert_eq!(ask(&server, "POST", "/auth/v1/token?grant_type=password").body("{}").send().await.status, 400);
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let server = demo().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    server.shutdown().await;
    assert!(TcpStream::connect(&address).await.is_err());
}
