//! Frames of Realtime (protocol 2.0.0; 1.0.0 is read too).
//!
//! A text frame is `[join_ref, ref, topic, event, payload]`, in 1.0.0 an object with fields of these names, but without
//! `join_ref`. A broadcast may come as a binary frame: 4, the lengths of topic, event and metadata, the encoding of the payload,
//! then these four. `join_ref` names the join that a frame belongs to. What cannot be read is none.

use fieldpost_domain::{AccessToken, ConversationId, PersonId, PushTag};
use fieldpost_remote::Topic;
use serde_json::{Value, json};

/// The topic of heartbeats.
pub(super) const PHOENIX: &str = "phoenix";

/// What all topics begin with.
const PREFIX: &str = "realtime:";

/// The event that tells who is writing.
const TYPING: &str = "typing";

/// The event that tells of a change.
const HINT: &str = "hint";

/// The first byte of a broadcast as a binary frame.
const BINARY_BROADCAST: u8 = 4;

/// The encoding of a payload that is JSON.
const JSON: u8 = 1;

/// A frame from the server.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame {
    pub(super) join_ref: Option<String>,
    /// The `ref` of what is answered.
    pub(super) reference: Option<String>,
    pub(super) topic: String,
    pub(super) body: Body,
}

/// What a frame says.
#[derive(Debug, PartialEq)]
pub(super) enum Body {
    /// An answer; a refusal has a reason, perhaps an empty one.
    Reply(Result<(), String>),
    /// What the server says of a topic.
    System(System),
    /// The topic has ended.
    Closed,
    /// The topic has failed.
    Failed,
    /// Something has changed.
    Hint(Option<PushTag>),
    /// Somebody is writing.
    Typing(PersonId),
    /// Nothing for Fieldpost.
    Other,
}

/// A message of the server about a topic.
#[derive(Debug, PartialEq)]
pub(super) enum System {
    /// Changes are heard from now on.
    Ready,
    /// The topic ends, for this reason.
    Ends(String),
    /// Anything else.
    Other,
}

impl Frame {
    pub(crate) fn text(text: &str) -> Option<Self> {
        let fields = match serde_json::from_str(text).ok()? {
            Value::Array(fields) => fields.try_into().ok()?,
            Value::Object(mut fields) => {
                ["join_ref", "ref", "topic", "event", "payload"].map(|name| fields.remove(name).unwrap_or_default())
            }
            _ => return None,
        };
        let [join_ref, reference, Value::String(topic), Value::String(event), payload] = fields else { return None };
        let body = Body::of(&event, &payload);
        Some(Self { join_ref: reference_of(join_ref), reference: reference_of(reference), topic, body })
    }

    pub(crate) fn binary(bytes: &[u8]) -> Option<Self> {
        let (&[kind, topic, event, metadata, encoding], rest) = bytes.split_first_chunk::<5>()?;
        if kind != BINARY_BROADCAST {
            return None;
        }
        let (topic, rest) = rest.split_at_checked(topic.into())?;
        let (event, rest) = rest.split_at_checked(event.into())?;
        let (_, payload) = rest.split_at_checked(metadata.into())?;
        let payload = if encoding == JSON { serde_json::from_slice(payload).unwrap_or_default() } else { Value::Null };
        let body = Body::broadcast(str::from_utf8(event).ok()?, &payload);
        Some(Self { join_ref: None, reference: None, topic: str::from_utf8(topic).ok()?.to_owned(), body })
    }

    /// The topic, if it is one of Fieldpost's.
    pub(super) fn topic(&self) -> Option<Topic> {
        self.topic.strip_prefix(PREFIX)?.parse().ok()
    }
}

/// A reference is a text; a number means the same.
fn reference_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Body {
    fn of(event: &str, payload: &Value) -> Self {
        match event {
            "phx_reply" => Self::reply(payload),
            "phx_close" => Self::Closed,
            "phx_error" => Self::Failed,
            "system" => Self::System(System::of(payload)),
            "broadcast" => Self::broadcast(text(payload, "event"), &payload["payload"]),
            _ => Self::Other,
        }
    }

    fn reply(payload: &Value) -> Self {
        match text(payload, "status") {
            "ok" => Self::Reply(Ok(())),
            _ => Self::Reply(Err(text(&payload["response"], "reason").to_owned())),
        }
    }

    /// Of a hint only the tag of the push is read. One that is no tag is none.
    fn broadcast(event: &str, payload: &Value) -> Self {
        match event {
            HINT => Self::Hint(text(payload, "push").parse().ok()),
            TYPING => text(payload, "person_id").parse().map_or(Self::Other, Self::Typing),
            _ => Self::Other,
        }
    }
}

impl System {
    fn of(payload: &Value) -> Self {
        let message = text(payload, "message");
        match (text(payload, "extension"), text(payload, "status")) {
            ("system", "ok") if message.eq_ignore_ascii_case("Replication connection established") => Self::Ready,
            ("system", "error") => Self::Ends(message.to_owned()),
            _ => Self::Other,
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

pub(super) fn join(reference: u64, topic: Topic, token: &AccessToken) -> String {
    // Where the replication of the project is broken, this ends the topic after a minute. Typing does not need it.
    let replication_ready = !matches!(topic, Topic::Typing(_));
    let config = json!({
        "broadcast": {"ack": false, "self": false, "replication_ready": replication_ready},
        "presence": {"key": "", "enabled": false},
        "postgres_changes": [],
        "private": true,
    });
    let payload = json!({"config": config, "access_token": token.reveal()});
    push(Some(reference), reference, &name(topic), "phx_join", payload)
}

pub(super) fn leave(join: u64, reference: u64, topic: Topic) -> String {
    push(Some(join), reference, &name(topic), "phx_leave", json!({}))
}

pub(super) fn access_token(join: u64, reference: u64, topic: Topic, token: &AccessToken) -> String {
    push(Some(join), reference, &name(topic), "access_token", json!({"access_token": token.reveal()}))
}

pub(super) fn heartbeat(reference: u64) -> String {
    push(None, reference, PHOENIX, "heartbeat", json!({}))
}

pub(super) fn typing(join: u64, reference: u64, conversation: ConversationId, person: PersonId) -> String {
    let payload = json!({"type": "broadcast", "event": TYPING, "payload": {"person_id": person.to_string()}});
    push(Some(join), reference, &name(Topic::Typing(conversation)), "broadcast", payload)
}

fn push(join: Option<u64>, reference: u64, topic: &str, event: &str, payload: Value) -> String {
    json!([join.map(|join| join.to_string()), reference.to_string(), topic, event, payload]).to_string()
}

fn name(topic: Topic) -> String {
    format!("{PREFIX}{topic}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UID: &str = "0198c1f0-0000-7000-8000-000000000001";

    fn topic() -> Topic {
        Topic::Person(UID.parse().unwrap())
    }

    fn read(text: &str) -> Frame {
        Frame::text(&text.replace("UID", UID)).unwrap()
    }

    /// The same text as JSON, so that the order of fields does not matter.
    fn same(written: &str, expected: &str) {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(parse(written), parse(&expected.replace("UID", UID)));
    }

    #[test]
    fn what_is_sent_is_what_the_server_expects() {
        let token = AccessToken::new("JWT");
        same(
            &join(1, topic(), &token),
            r#"["1","1","realtime:fieldpost:user:UID","phx_join",{"config":{"broadcast":{"ack":false,"self":false,"replication_ready":true},"presence":{"key":"","enabled":false},"postgres_changes":[],"private":true},"access_token":"JWT"}]"#,
        );
        let typing_topic: Value = serde_json::from_str(&join(1, Topic::Typing(UID.parse().unwrap()), &token)).unwrap();
        assert_eq!(typing_topic[4]["config"]["broadcast"]["replication_ready"], false);
        same(&heartbeat(2), r#"[null,"2","phoenix","heartbeat",{}]"#);
        same(
            &access_token(1, 3, topic(), &token),
            r#"["1","3","realtime:fieldpost:user:UID","access_token",{"access_token":"JWT"}]"#,
        );
        same(&leave(1, 4, topic()), r#"["1","4","realtime:fieldpost:user:UID","phx_leave",{}]"#);
        same(
            &typing(1, 5, UID.parse().unwrap(), UID.parse().unwrap()),
            r#"["1","5","realtime:fieldpost:conversation:UID","broadcast",{"type":"broadcast","event":"typing","payload":{"person_id":"UID"}}]"#,
        );
    }

    #[test]
    fn what_the_server_sends_is_read() {
        let refused = "InvalidJWTToken: Token has expired 300 seconds ago";
        for (text, body) in [
            (
                r#"["1","1","realtime:fieldpost:user:UID","phx_reply",{"status":"ok","response":{"postgres_changes":[]}}]"#,
                Body::Reply(Ok(())),
            ),
            (
                r#"["1","1","realtime:fieldpost:user:UID","phx_reply",{"status":"error","response":{"reason":"InvalidJWTToken: Token has expired 300 seconds ago"}}]"#,
                Body::Reply(Err(refused.to_owned())),
            ),
            (
                r#"["1",null,"realtime:fieldpost:user:UID","system",{"extension":"system","status":"ok","message":"Replication connection established","channel":"fieldpost:user:UID"}]"#,
                Body::System(System::Ready),
            ),
            (
                r#"["1",null,"realtime:fieldpost:user:UID","system",{"extension":"system","status":"error","message":"Token has expired 0 seconds ago","channel":"x"}]"#,
                Body::System(System::Ends("Token has expired 0 seconds ago".to_owned())),
            ),
            (
                r#"["1",null,"realtime:fieldpost:user:UID","system",{"extension":"postgres_changes","status":"error","message":"no","channel":"x"}]"#,
                Body::System(System::Other),
            ),
            (r#"["1","1","realtime:fieldpost:user:UID","phx_close",{}]"#, Body::Closed),
            (r#"["1","1","realtime:fieldpost:user:UID","phx_error",{}]"#, Body::Failed),
            (
                r#"[null,null,"realtime:fieldpost:user:UID","broadcast",{"type":"broadcast","event":"hint","payload":{},"meta":{"id":"UID"}}]"#,
                Body::Hint(None),
            ),
            (
                r#"[null,null,"realtime:fieldpost:user:UID","broadcast",{"type":"broadcast","event":"hint","payload":{"push":"0123456789abcdef"}}]"#,
                Body::Hint("0123456789abcdef".parse().ok()),
            ),
            (r#"[null,null,"realtime:fieldpost:user:UID","presence_state",{}]"#, Body::Other),
            (r#"[null,null,"realtime:fieldpost:user:UID","broadcast",{"event":"else"}]"#, Body::Other),
            (
                r#"[null,null,"realtime:fieldpost:user:UID","broadcast",{"event":"typing","payload":{"person_id":"x"}}]"#,
                Body::Other,
            ),
        ] {
            let frame = read(text);
            assert_eq!((frame.topic(), &frame.body), (Some(topic()), &body), "{text}");
        }
        assert_eq!(read(r#"[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]"#).topic, PHOENIX);
    }

    #[test]
    fn objects_of_the_first_version_mean_the_same() {
        let text = r#"{"topic":"realtime:fieldpost:user:UID","event":"phx_reply","ref":"7","payload":{"status":"ok","response":{}}}"#;
        let frame = read(text);
        assert_eq!((frame.join_ref, frame.reference.as_deref(), frame.body), (None, Some("7"), Body::Reply(Ok(()))));
        let text = r#"{"topic":"realtime:fieldpost:user:UID","event":"broadcast","ref":null,"payload":{"type":"broadcast","event":"hint","payload":{}}}"#;
        assert_eq!(read(text).body, Body::Hint(None));
    }

    fn binary(kind: u8, topic: &str, event: &str, metadata: &str, encoding: u8, payload: &[u8]) -> Vec<u8> {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        let head = [kind, length(topic), length(event), length(metadata), encoding];
        [&head as &[u8], topic.as_bytes(), event.as_bytes(), metadata.as_bytes(), payload].concat()
    }

    #[test]
    fn binary_broadcasts_are_read() {
        let name = format!("realtime:{}", topic());
        let person = format!(r#"{{"person_id":"{UID}"}}"#);
        for (event, metadata, encoding, payload, body) in [
            ("hint", r#"{"id":"1"}"#, 1, "{}", Body::Hint(None)),
            ("hint", "", 1, r#"{"push":"0123456789abcdef","id":"1"}"#, Body::Hint("0123456789abcdef".parse().ok())),
            ("hint", "", 1, r#"{"push":7}"#, Body::Hint(None)),
            ("hint", "", 1, r#"{"push":"0123"}"#, Body::Hint(None)),
            ("hint", "", 1, "no JSON", Body::Hint(None)),
            ("hint", "no JSON", 0, "\u{1}", Body::Hint(None)),
            ("typing", "", 1, &*person, Body::Typing(UID.parse().unwrap())),
            ("typing", "", 0, &*person, Body::Other),
            ("else", "", 1, "{}", Body::Other),
        ] {
            let frame = Frame::binary(&binary(4, &name, event, metadata, encoding, payload.as_bytes())).unwrap();
            assert_eq!((frame.topic(), frame.body), (Some(topic()), body), "{event} {metadata} {encoding} {payload}");
        }
        for kind in [0, 1, 2, 3, 5] {
            assert_eq!(Frame::binary(&binary(kind, &name, "hint", "", 1, b"{}")), None, "{kind}");
        }
        let whole = binary(4, &name, "hint", "{}", 1, b"");
        for length in 0..whole.len() {
            assert_eq!(Frame::binary(&whole[..length]), None, "{length}");
        }
    }

    /// Rows with deep JSON, or with no JSON at all, whose hints got lost with them (supabase/realtime#252 for large ones).
    #[test]
    fn a_hint_is_a_hint_whatever_it_contains() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        let text = r#"[null,null,"realtime:fieldpost:user:UID","broadcast",{"event":"hint","payload":NESTED}]"#;
        assert_eq!(read(&text.replace("NESTED", &nested(100))).body, Body::Hint(None));
        let name = format!("realtime:{}", topic());
        for payload in [nested(30_000).into_bytes(), vec![0xff; 1_000], Vec::new()] {
            assert_eq!(Frame::binary(&binary(4, &name, "hint", "", 1, &payload)).unwrap().body, Body::Hint(None));
        }
    }

    #[test]
    fn what_is_no_frame_is_none() {
        for text in ["", "null", "[]", "{}", "[1,2,3,4,5]", r#"["1","1","t","e"]"#, r#"["1","1",null,"e",{}]"#, "[[[["]
        {
            assert_eq!(Frame::text(text), None, "{text}");
        }
        assert_eq!(Frame::text(&"[".repeat(60_000)), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Frame::binary(&bytes);
            let _ = Frame::text(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn a_broadcast_with_any_lengths_is_read_whole_or_not_at_all(
            head in any::<[u8; 4]>(), rest in proptest::collection::vec(any::<u8>(), 0..900),
        ) {
            let bytes = [&[4], &head as &[u8], &rest].concat();
            let expected = usize::from(head[0]) + usize::from(head[1]) + usize::from(head[2]);
            prop_assert!(Frame::binary(&bytes).is_none() || rest.len() >= expected);
        }
    }
}
