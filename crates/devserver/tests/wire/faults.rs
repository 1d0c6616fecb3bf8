//! The network before the server: faults on demand happen exactly as often as ordered.

use crate::client::{Ask, ada, ask, call, demo, demo_behind_a_network};
use fieldpost_devserver::{DevServer, Endpoint, Fault, FaultProxy};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A mark that the server has not had yet.
async fn new_mark(server: &DevServer, token: &str) -> Value {
    let start = call(server, token, "fieldpost_bootstrap", json!({})).send().await.json();
    let id = "0198c0de-0000-7000-8000-000000000001";
    let conversation = &start["conversations"][1]["id"];
    json!({"p_mutations": [{"id": id, "kind": "mark_read", "conversation_id": conversation, "read_seq": 2}]})
}

fn sign_in<'a>(server: &'a DevServer, network: &'a FaultProxy) -> Ask<'a> {
    ask(server, "POST", "/auth/v1/token?grant_type=password").body("{}").through(network)
}

#[tokio::test]
async fn a_lost_answer_was_carried_out_and_only_the_ordered_one_is_lost() {
    let (server, network) = demo_behind_a_network().await;
    let token = ada(&server).await;
    let mark = new_mark(&server, &token).await;
    network.order(Endpoint::Push, 1, Fault::LoseAnswer);

    let push = || call(&server, &token, "fieldpost_push", mark.clone()).through(&network);
    assert!(push().try_send().await.is_err());
    assert_eq!(push().send().await.json()["results"][0]["status"], "duplicate");
    assert_eq!(server.requests().count(Endpoint::Push), 2);
}

#[tokio::test]
async fn a_reset_connection_was_not_carried_out() {
    let (server, network) = demo_behind_a_network().await;
    let token = ada(&server).await;
    let mark = new_mark(&server, &token).await;
    network.order(Endpoint::Push, 1, Fault::Reset);

    let push = || call(&server, &token, "fieldpost_push", mark.clone()).through(&network);
    assert!(push().try_send().await.is_err());
    assert_eq!(push().send().await.json()["results"][0]["status"], "applied");
}

#[tokio::test]
async fn a_cut_answer_begins_and_breaks_off() {
    let (server, network) = demo_behind_a_network().await;
    let token = ada(&server).await;
    let whole = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await.body.len();
    network.order(Endpoint::Bootstrap, 1, Fault::CutAnswer);
    let body = json!({"p_protocol": 1, "p_app": "t", "p_capabilities": []}).to_string();
    let request = format!(
        "POST /rest/v1/rpc/fieldpost_bootstrap HTTP/1.1\r\nhost: x\r\napikey: {}\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\n\r\n{body}",
        server.anon_key(),
        body.len()
    );
    let mut stream = TcpStream::connect(network.url().trim_start_matches("http://")).await.unwrap();
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
    let (server, network) = demo_behind_a_network().await;
    network.order(Endpoint::Token, 1, Fault::BadGateway);
    network.order(Endpoint::Token, 1, Fault::RateLimit(7));
    let html = sign_in(&server, &network).send().await;
    assert_eq!((html.status, html.header("content-type")), (502, Some("text/html")));
    let limited = sign_in(&server, &network).send().await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    assert_eq!(server.requests().count(Endpoint::Token), 0, "the server sees neither");
    assert_eq!(sign_in(&server, &network).send().await.status, 400, "the orders are spent");
}

#[tokio::test]
async fn a_fault_of_one_endpoint_is_not_spent_on_another() {
    let (server, network) = demo_behind_a_network().await;
    network.order(Endpoint::Pull, 1, Fault::Unavailable);
    assert_eq!(sign_in(&server, &network).send().await.status, 400);
    let token = ada(&server).await;
    let pull = || call(&server, &token, "fieldpost_pull", json!({"p_cursor": "x"})).through(&network);
    assert_eq!(pull().send().await.status, 503);
    network.order(None, 5, Fault::Unavailable);
    network.heal();
    assert_eq!(pull().send().await.status, 200);
}

#[tokio::test]
async fn a_delay_makes_an_answer_late() {
    let (server, network) = demo_behind_a_network().await;
    network.order(Endpoint::Token, 1, Fault::Delay(Duration::from_millis(80)));
    let before = Instant::now();
    assert_eq!(sign_in(&server, &network).send().await.status, 400);
    assert!(before.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn offline_refuses_connections_and_breaks_those_there_are() {
    let (server, network) = demo_behind_a_network().await;
    let address = network.url().trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).await.unwrap();

    network.offline(true).await;
    let refused = TcpStream::connect(&address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.expect("it breaks");

    network.offline(false).await;
    assert_eq!(sign_in(&server, &network).send().await.status, 400);
}

#[tokio::test]
async fn a_stopped_server_closes_its_connections() {
    let server = demo().await;
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    idle.read_exact(&mut [0]).await.unwrap();
    drop(server);
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.expect("it closes");
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let server = demo().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    server.shutdown().await;
    assert!(TcpStream::connect(&address).await.is_err());
}
