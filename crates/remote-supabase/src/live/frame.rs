//! Frames of Realtime (protocol 2.0.0; 1.0.0 is read too).
//!
//! A text frame is `[join_ref, ref, topic, event, payload]`, in 1.0.0 an object with fields of these names, but without
//! `join_ref`. A broadcast may come as a binary frame: 4, the lengths of topic, event and metadata, the encoding of the payload,
//! then these four. `join_ref` names the join that a frame belongs to. What cannot be read is none.

use fieldpost_domain::{AccessToken, ConversationId, PersonId};
use fieldpost_remote::Topic;
use serde::Deserialize;
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
    Hint,
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

/// The fields of a frame of 1.0.0.
#[derive(Deserialize)]
struct Fields {
    join_ref: Option<Value>,
    #[serde(rename = "ref")]
    reference: Option<Value>,
    topic: String,
    event: String,
    #[serde(default)]
    payload: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Array(Option<Value>, Option<Value>, String, String, Value),
    Object(Fields),
}

impl Frame {
    pub(crate) fn text(text: &str) -> Option<Self> {
        let (join_ref, reference, topic, event, payload) = match serde_json::from_str(text).ok()? {
            Text::Array(join_ref, reference, topic, event, payload) => (join_ref, reference, topic, event, payload),
            Text::Object(fields) => (fields.join_ref, fields.reference, fields.topic, fields.event, fields.payload),
        };
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
fn reference_of(value: Option<Value>) -> Option<String> {
    match value? {
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

    /// What a hint contains is not looked at.
    fn broadcast(event: &str, payload: &Value) -> Self {
        match event {
            HINT => Self::Hint,
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
    let config = json!({
        "broadcast": {"ack": false, "self": false, "replication_ready": true},
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
