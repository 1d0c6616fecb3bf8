//! The WebSocket of live hints, against a server of which a test decides each byte.

use crate::support::{ANON_KEY, Answer, Server, token};
use fieldpost_domain::Retry;
use fieldpost_remote::{LiveConnection, LiveEvent, LiveHints, RemoteError, RemoteErrorKind, Topic};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use futures::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        protocol::{
            CloseFrame,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

const PATH: &str = "/realtime/v1/websocket?apikey=sb_publishable_test&vsn=2.0.0";
const ID: &str = "0198c1f0-0000-7000-8000-000000000001";

fn topic() -> Topic {
    Topic::Person(ID.parse().unwrap())
}

/// The other end of a WebSocket.
struct Peer {
    socket: WebSocketStream<TcpStream>,
    request: Request,
}

impl Peer {
    async fn says(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn hears(&mut self) -> Value {
        let message = self.socket.next().await.expect("a frame").expect("a frame");
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }
}

async fn connected_by(config: impl FnOnce(SupabaseConfig) -> SupabaseConfig) -> (Box<dyn LiveConnection>, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let remote = SupabaseRemote::new(config(SupabaseConfig::new(url, ANON_KEY))).unwrap();
    let peer = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut request = None;
        #[expect(clippy::result_large_err, reason = "the type of the callback")]
        let keep = |asked: &Request, response: Response| {
            request = Some(asked.clone());
            Ok(response)
        };
        let socket = accept_hdr_async(stream, keep).await.unwrap();
        Peer { socket, request: request.unwrap() }
    };
    let token = token();
    let (connection, peer) = tokio::join!(remote.connect(&token), peer);
    (connection.unwrap(), peer)
}

async fn connected() -> (Box<dyn LiveConnection>, Peer) {
    connected_by(|config| config).await
}

/// With one topic joined.
async fn joined() -> (Box<dyn LiveConnection>, Peer) {
    let (mut connection, mut peer) = connected().await;
    connection.join(topic(), &token()).await.unwrap();
    peer.hears().await;
    peer.says(reply()).await;
    assert!(matches!(connection.next().await.unwrap(), LiveEvent::Joined(joined) if joined == topic()));
    (connection, peer)
}

fn reply() -> Value {
    json!(["1", "1", format!("realtime:{}", topic()), "phx_reply", {"status": "ok", "response": {"postgres_changes": []}}])
}

fn hint() -> Value {
    json!([null, null, format!("realtime:{}", topic()), "broadcast", {"type": "broadcast", "event": "hint", "payload": {}}])
}

fn is_hint(event: &LiveEvent) -> bool {
    matches!(event, LiveEvent::Hint(of, _) if *of == topic())
}

#[tokio::test]
async fn the_connection_belongs_to_the_app_and_a_topic_to_a_person() {
    let (mut connection, mut peer) = connected().await;
    assert_eq!(peer.request.uri().to_string(), PATH);
    assert_eq!(peer.request.headers()["apikey"], ANON_KEY);
    assert!(!peer.request.headers().contains_key("authorization"));
    connection.join(topic(), &token()).await.unwrap();
    let join = peer.hears().await;
    assert_eq!((&join[2], &join[3]), (&json!(format!("realtime:{}", topic())), &json!("phx_join")));
    assert_eq!(join[4]["access_token"], token().reveal());
}

#[tokio::test]
async fn a_newer_token_reaches_every_topic() {
    let (mut connection, mut peer) = joined().await;
    let other = Topic::Org(ID.parse().unwrap());
    connection.join(other, &token()).await.unwrap();
    peer.hears().await;
    connection.renew(&fieldpost_domain::AccessToken::new("newer")).await.unwrap();
    for (topic, join_ref) in [(topic(), "1"), (other, "2")] {
        let frame = peer.hears().await;
        assert_eq!((&frame[0], &frame[2]), (&json!(join_ref), &json!(format!("realtime:{topic}"))));
        assert_eq!((&frame[3], &frame[4]), (&json!("access_token"), &json!({"access_token": "newer"})));
    }
}

#[tokio::test]
async fn frames_that_cannot_be_read_are_passed_over() {
    let (mut connection, mut peer) = joined().await;
    for odd in ["", "no JSON", "[]", "{}", "[1,2,3]", "null"] {
        peer.socket.send(Message::text(odd)).await.unwrap();
    }
    for odd in [&b""[..], b"\x04", b"\x04\xff\xff\xff\x01x", b"\x63"] {
        peer.socket.send(Message::binary(odd)).await.unwrap();
    }
    peer.says(hint()).await;
    assert!(is_hint(&connection.next().await.unwrap()));
}

/// Realtime sends presence to those who have not asked for it (supabase/realtime#643), says in each topic when it is about to close
/// connections, and tells of postgres_changes that fail (supabase/realtime#2093). Nor do answers to nobody's questions count, or the end of
/// a topic that is not joined.
#[tokio::test]
async fn frames_that_nobody_has_asked_for_are_passed_over() {
    let (mut connection, mut peer) = joined().await;
    let (ours, other) = (format!("realtime:{}", topic()), "realtime:room:1");
    let meta = json!({"metas": [{"phx_ref": "F", "user": "x"}]});
    for (join_ref, reference, topic, event, payload) in [
        (json!("1"), json!(null), &*ours, "presence_state", json!({"someone": meta})),
        (json!(null), json!(null), &*ours, "presence_diff", json!({"joins": {"someone": meta}, "leaves": {}})),
        (
            json!(null),
            json!(null),
            &*ours,
            "system",
            json!({"extension": "system", "status": "ok", "message": "Server requested disconnect"}),
        ),
        (json!("1"), json!(null), &*ours, "system", json!({"extension": "postgres_changes", "status": "error"})),
        (json!("1"), json!(null), &*ours, "postgres_changes", json!({"ids": [1], "data": {"type": "INSERT"}})),
        (json!("1"), json!("99"), &*ours, "phx_reply", json!({"status": "error", "response": {"reason": "?"}})),
        (json!("7"), json!("7"), &*ours, "phx_close", json!({})),
        (json!("1"), json!("1"), other, "phx_close", json!({})),
        (json!("1"), json!("1"), other, "phx_reply", json!({"status": "ok", "response": {}})),
        (json!(null), json!(null), other, "broadcast", json!({"event": "hint"})),
        (json!(1.5), json!([]), &*ours, "no such event", json!([[[]]])),
    ] {
        peer.says(json!([join_ref, reference, topic, event, payload])).await;
    }
    peer.says(hint()).await;
    assert!(is_hint(&connection.next().await.unwrap()));
}

#[tokio::test]
async fn a_ping_is_answered_and_is_no_event() {
    let (mut connection, mut peer) = joined().await;
    peer.socket.send(Message::Ping("x".into())).await.unwrap();
    peer.says(hint()).await;
    assert!(is_hint(&connection.next().await.unwrap()));
    // The answer leaves while the next event is awaited.
    let (pong, _) = tokio::join!(peer.socket.next(), async { connection.next().now_or_never() });
    assert_eq!(pong.unwrap().unwrap(), Message::Pong("x".into()));
}

/// A phone must not give a megabyte to anybody who sends one, not even in small pieces.
#[tokio::test]
async fn a_message_that_is_too_large_ends_the_connection() {
    let piece = |opcode| Message::Frame(Frame::message(vec![b'x'; 9_000], OpCode::Data(opcode), false));
    let pieces = (0..9).map(|at| piece(if at == 0 { Data::Text } else { Data::Continue }));
    for messages in
        [vec![Message::text("x".repeat(70_000))], vec![Message::binary(vec![4; 70_000])], pieces.collect::<Vec<_>>()]
    {
        let (mut connection, mut peer) = joined().await;
        for message in messages {
            peer.socket.send(message).await.unwrap();
        }
        let next = tokio::time::timeout(Duration::from_secs(10), connection.next()).await;
        let error = next.expect("it ends").unwrap_err();
        assert_eq!((error.kind(), error.detail()), (RemoteErrorKind::Malformed, Some("a frame is too large")));
        assert!(connection.next().await.is_err());
    }
}

/// Nothing is kept of a large frame until it is complete: its head is enough.
#[tokio::test]
async fn the_head_of_a_frame_that_is_too_large_ends_the_connection() {
    let (mut connection, mut peer) = joined().await;
    let length = 10_000_000_u64.to_be_bytes();
    peer.socket.get_mut().write_all(&[&[0x82, 127], &length as &[u8]].concat()).await.unwrap();
    let next = tokio::time::timeout(Duration::from_secs(10), connection.next()).await;
    assert_eq!(next.expect("it ends").unwrap_err().detail(), Some("a frame is too large"));
}

#[tokio::test]
async fn the_end_of_the_connection_is_an_error_that_a_new_one_may_follow() {
    let (mut connection, mut peer) = joined().await;
    let frame = CloseFrame { code: CloseCode::Away, reason: "".into() };
    peer.socket.close(Some(frame)).await.unwrap();
    assert_eq!(connection.next().await.unwrap_err().kind(), RemoteErrorKind::Interrupted);
    let (mut connection, peer) = joined().await;
    drop(peer);
    let error = connection.next().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (RemoteErrorKind::Interrupted, Retry::WhenOnline));
    // Sooner or later nothing can be sent either.
    while connection.heartbeat().await.is_ok() {}
}

#[tokio::test]
async fn dropping_the_connection_closes_it() {
    let (connection, mut peer) = joined().await;
    drop(connection);
    assert!(!matches!(peer.socket.next().await, Some(Ok(_))));
}

/// The driver waits for events and for its own timers at once, so it drops this future all the time.
#[tokio::test]
async fn a_frame_that_comes_in_pieces_is_not_lost_when_nobody_waits_for_it_all_the_time() {
    let (mut connection, mut peer) = joined().await;
    let text = hint().to_string();
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    let bytes = [&[0x81, 126, length[0], length[1]], text.as_bytes()].concat();
    for piece in bytes.chunks(7) {
        peer.socket.get_mut().write_all(piece).await.unwrap();
        for _ in 0..3 {
            tokio::task::yield_now().await;
            if let Some(event) = connection.next().now_or_never() {
                assert!(is_hint(&event.unwrap()));
                return;
            }
        }
    }
    assert!(is_hint(&connection.next().await.unwrap()));
}

/// The time of a call ends with the answer. It would otherwise cut every connection after a minute.
#[tokio::test]
async fn the_timeout_of_calls_does_not_end_a_connection() {
    const CALL: Duration = Duration::from_millis(40);
    let (mut connection, mut peer) = connected_by(|config| config.with_timeout(CALL)).await;
    connection.join(topic(), &token()).await.unwrap();
    peer.hears().await;
    let long_after = async {
        tokio::time::sleep(3 * CALL).await;
        peer.says(reply()).await;
    };
    let (event, ()) = tokio::join!(connection.next(), long_after);
    assert!(matches!(event.unwrap(), LiveEvent::Joined(_)));
}

async fn refused(server: &Server) -> RemoteError {
    server.remote().connect(&token()).await.err().expect("no connection")
}

#[tokio::test]
async fn what_answers_in_place_of_the_connection_is_told_apart() {
    use RemoteErrorKind::*;
    let server = Server::start().await;
    for (status, content_type, body, kind) in [
        (401, "application/json", r#"{"error":"Token has expired"}"#, Unauthorized),
        (401, "application/json", r#"{"message":"Invalid API key"}"#, WrongApiKey),
        (403, "application/json", r#"{"error":"Realtime was disabled for this tenant"}"#, Forbidden),
        (404, "application/json", r#"{"error":"Tenant not found"}"#, NotFound),
        (404, "text/html", "<html>", Intercepted),
        (200, "text/html", "<html>", Intercepted),
        (200, "text/plain", "ok", Intercepted),
        (302, "text/html", "<html>", Intercepted),
        (426, "text/plain", "", Intercepted),
        (502, "text/html", "<html>", Unavailable),
        (503, "text/plain", "", Unavailable),
    ] {
        server.at(PATH).raw(status, content_type, body);
        let error = refused(&server).await;
        assert_eq!(error.kind(), kind, "{status} {body}");
        assert!(!error.to_string().contains(ANON_KEY), "{error}");
    }
    for (status, kind) in [(429, RateLimited), (503, Unavailable)] {
        let answer = Answer::new(status, "application/json", "{}").with_header("retry-after", "7");
        server.at(PATH).does(crate::support::Act::Answer(answer));
        let error = refused(&server).await;
        assert_eq!((error.kind(), error.retry()), (kind, Retry::After(Duration::from_secs(7))));
    }
}

#[tokio::test]
async fn a_server_that_accepts_something_else_is_not_believed() {
    let server = Server::start().await;
    for accept in [None, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")] {
        let mut answer =
            Answer::new(101, "text/plain", "").with_header("connection", "upgrade").with_header("upgrade", "websocket");
        if let Some(accept) = accept {
            answer = answer.with_header("sec-websocket-accept", accept);
        }
        server.at(PATH).does(crate::support::Act::Answer(answer));
        assert_eq!(refused(&server).await.kind(), RemoteErrorKind::Malformed);
    }
}

#[tokio::test]
async fn nothing_that_listens_is_unreachable_and_nothing_that_answers_has_timed_out() {
    let nobody = SupabaseRemote::new(SupabaseConfig::new("http://127.0.0.1:9", ANON_KEY)).unwrap();
    let error = nobody.connect(&token()).await.err().unwrap();
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
    let server = Server::start().await;
    server.at(PATH).does(crate::support::Act::Hang);
    let error = server.impatient().connect(&token()).await.err().unwrap();
    assert_eq!(error.kind(), RemoteErrorKind::TimedOut);
    assert!(!error.to_string().contains(ANON_KEY) && !format!("{error:?}").contains(ANON_KEY), "{error:?}");
}
