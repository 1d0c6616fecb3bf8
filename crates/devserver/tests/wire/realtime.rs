//! Realtime, frame by frame, in both versions.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails has to fail its test")]

use crate::client::{ask, demo, sign_in};
use fieldpost_devserver::{DevServer, HintsByTopic, Interruption};
use fieldpost_domain::{Capability, PersonId};
use fieldpost_remote::reference::{DEMO_ADA, DEMO_ADMIN, ReferenceServer};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

struct Client {
    socket: WebSocketStream<TcpStream>,
    token: String,
    topic: String,
    person_id: PersonId,
}

/// Ada, who speaks this version.
async fn ada(server: &DevServer, vsn: &str) -> Client {
    let session = sign_in(server, DEMO_ADA).await;
    let person_id = session["user"]["id"].as_str().unwrap();
    let url = format!("ws://{}/realtime/v1/websocket?apikey={}{vsn}", server.address(), server.anon_key());
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (socket, _) = client_async(url, stream).await.unwrap();
    let topic = format!("realtime:fieldpost:user:{person_id}");
    let token = session["access_token"].as_str().unwrap().to_owned();
    Client { socket, token, topic, person_id: person_id.parse().unwrap() }
}

impl Client {
    async fn says(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn hears(&mut self) -> Value {
        match self.socket.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn wish(&self) -> Value {
        json!({
            "config": {"private": true, "broadcast": {"replication_ready": true}},
            "access_token": self.token,
        })
    }

    async fn joins(&mut self, reference: &str) {
        let (topic, wish) = (self.topic.clone(), self.wish());
        self.says(json!([reference, reference, topic, "phx_join", wish])).await;
    }

    async fn has_joined(&mut self, reference: &str) {
        self.joins(reference).await;
        let answer = json!({"status": "ok", "response": {"postgres_changes": []}});
        assert_eq!(self.hears().await, json!([reference, reference, self.topic, "phx_reply", answer]));
        let ready = json!({
            "extension": "system", "status": "ok", "message": "Replication connection established",
            "channel": self.topic.trim_start_matches("realtime:"),
        });
        assert_eq!(self.hears().await, json!([reference, null, self.topic, "system", ready]));
    }
}

fn change(server: &DevServer, client: &Client) {
    assert!(server.reference().rename_person(client.person_id, "Ada", "Byron"));
}

#[tokio::test]
async fn the_second_version_is_arrays_and_hints_are_binary() {
    let server = demo().await;
    let mut client = ada(&server, "&vsn=2.0.0").await;
    client.has_joined("1").await;
    client.says(json!([null, "2", "phoenix", "heartbeat", {}])).await;
    assert_eq!(client.hears().await, json!([null, "2", "phoenix", "phx_reply", {"status": "ok", "response": {}}]));
    change(&server, &client);
    let Message::Binary(bytes) = client.socket.next().await.unwrap().unwrap() else { panic!("binary") };
    let (topic, metadata) = (client.topic.as_bytes(), br#"{"id":"00000000-0000-0000-0000-000000000001"}"#);
    let head = [4, u8::try_from(topic.len()).unwrap(), 4, u8::try_from(metadata.len()).unwrap(), 1];
    assert_eq!(bytes, [&head, topic, b"hint", metadata, b"{}"].concat());
}

/// A medic's name concerns the admins too, and only she listens.
#[tokio::test]
async fn hints_are_counted_once_and_for_each_who_hears_them() {
    let server = demo().await;
    let mut client = ada(&server, "&vsn=2.0.0").await;
    client.has_joined("1").await;
    change(&server, &client);
    client.socket.next().await.unwrap().unwrap();
    assert_eq!(server.live().hints_by_topic(), HintsByTopic { person: 1, admins: 0, org: 0 });
    assert_eq!((server.live().hints(), server.reference().hints_told()), (1, 2));
}

#[tokio::test]
async fn the_first_version_is_objects_and_hints_are_text() {
    for vsn in ["", "&vsn=1.0.0"] {
        let server = demo().await;
        let mut client = ada(&server, vsn).await;
        let wish = client.wish();
        let topic = client.topic.clone();
        client.says(json!({"topic": topic, "event": "phx_join", "payload": wish, "ref": "1", "join_ref": "1"})).await;
        let answer = json!({"status": "ok", "response": {"postgres_changes": []}});
        let reply = json!({"topic": topic, "event": "phx_reply", "payload": answer, "ref": "1"});
        assert_eq!(client.hears().await, reply);
        assert_eq!(client.hears().await["event"], "system");
        change(&server, &client);
        let hint = client.hears().await;
        let fields = (&hint["event"], &hint["payload"]["event"], &hint["payload"]["payload"]);
        assert_eq!(fields, (&json!("broadcast"), &json!("hint"), &json!({})));
        client.says(json!({"topic": topic, "event": "phx_leave", "payload": {}, "ref": "2", "join_ref": "1"})).await;
        assert_eq!(client.hears().await["ref"], "2");
        let close = json!({"topic": topic, "event": "phx_close", "payload": {}, "ref": "1"});
        assert_eq!(client.hears().await, close);
    }
}

#[tokio::test]
async fn a_channel_ends_under_the_name_of_its_join() {
    let server = demo().await;
    let mut client = ada(&server, "&vsn=2.0.0").await;
    client.has_joined("1").await;
    // Joined once more: the earlier channel ends first.
    client.joins("2").await;
    let topic = client.topic.clone();
    assert_eq!(client.hears().await, json!(["1", "1", topic, "phx_close", {}]));
    assert_eq!(client.hears().await[3], "phx_reply");
    assert_eq!(client.hears().await[3], "system");
    client.says(json!(["2", "3", topic, "phx_leave", {}])).await;
    assert_eq!(client.hears().await, json!(["2", "3", topic, "phx_reply", {"status": "ok", "response": {}}]));
    assert_eq!(client.hears().await, json!(["2", "2", topic, "phx_close", {}]));
    client.says(json!(["2", "4", topic, "access_token", {"access_token": "x"}])).await;
    let unmatched = json!({"status": "error", "response": {"reason": "unmatched topic"}});
    assert_eq!(client.hears().await, json!(["2", "4", topic, "phx_reply", unmatched]));
    client.has_joined("5").await;
    server.live().interrupt(Interruption::FailTopics);
    assert_eq!(client.hears().await, json!(["5", "5", topic, "phx_error", {}]));
}

#[tokio::test]
async fn an_expired_token_ends_a_channel_with_a_message_and_then_a_close() {
    let server = demo().await;
    let mut client = ada(&server, "&vsn=2.0.0").await;
    client.has_joined("1").await;
    server.reference().expire_tokens(client.person_id);
    client.says(json!([null, "2", "phoenix", "heartbeat", {}])).await;
    assert_eq!(client.hears().await[3], "phx_reply");
    let system = client.hears().await;
    assert_eq!((&system[0], &system[3]), (&json!("1"), &json!("system")));
    assert_eq!(
        (&system[4]["status"], &system[4]["message"]),
        (&json!("error"), &json!("Token has expired 0 seconds ago"))
    );
    assert_eq!(client.hears().await, json!(["1", "1", client.topic, "phx_close", {}]));
    client.joins("3").await;
    let reason = json!({"reason": "InvalidJWTToken: Token has expired 300 seconds ago"});
    assert_eq!(client.hears().await[4], json!({"status": "error", "response": reason}));
}

#[tokio::test]
async fn joins_are_refused_with_the_reasons_of_realtime() {
    let server = demo().await;
    let mut client = ada(&server, "&vsn=2.0.0").await;
    let admin = sign_in(&server, DEMO_ADMIN).await["user"]["id"].as_str().unwrap().to_owned();
    let (own, token) = (client.topic.clone(), client.token.clone());
    let others = format!("realtime:fieldpost:user:{admin}");
    let not_allowed = |topic: &str| {
        let plain = topic.trim_start_matches("realtime:");
        format!("Unauthorized: You do not have permissions to read from this Channel topic: {plain}")
    };
    for (topic, private, token, reason) in [
        (&*others, true, &*token, not_allowed(&others)),
        ("realtime:else", true, &*token, not_allowed("else")),
        (&*own, true, server.anon_key(), not_allowed(&own)),
        (&*own, true, "sb_publishable_key", not_allowed(&own)),
        (&*own, true, "nonsense", "MalformedJWT: The token provided is not a valid JWT".to_owned()),
        (&*own, false, &*token, "PrivateOnly: This project only allows private channels".to_owned()),
    ] {
        let wish = json!({"config": {"private": private}, "access_token": token});
        client.says(json!(["1", "1", topic, "phx_join", wish])).await;
        assert_eq!(client.hears().await[4], json!({"status": "error", "response": {"reason": reason}}));
    }
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection() {
    let server = demo().await;
    for odd in [Message::text("no JSON"), Message::text("{}"), Message::binary(b"\x03\xff".as_slice())] {
        let mut client = ada(&server, "&vsn=2.0.0").await;
        client.socket.send(odd).await.unwrap();
        assert!(!matches!(client.socket.next().await, Some(Ok(Message::Text(_)))));
    }
}

#[tokio::test]
async fn who_may_not_connect_gets_an_answer_instead() {
    let server = demo().await;
    let path = "/realtime/v1/websocket";
    assert_eq!(ask(&server, "GET", path).without("apikey").send().await.status, 401);
    assert_eq!(ask(&server, "GET", path).with("apikey", "else").send().await.status, 401);
    assert_eq!(ask(&server, "GET", &format!("{path}?vsn=9.0.0")).send().await.status, 403);
    // No WebSocket is asked for.
    assert_eq!(ask(&server, "GET", path).send().await.status, 400);
    let without = ReferenceServer::builder().without(&Capability::Live).build();
    let server = DevServer::builder().reference(without).start().await.expect("a free port");
    assert_eq!(ask(&server, "GET", path).send().await.status, 404);
}
