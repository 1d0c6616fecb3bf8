//! Frames, in both versions of the protocol.

use axum::extract::ws::Message;
use fieldpost_domain::PushTag;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The version that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Objects, always as text.
    One,
    /// Arrays; broadcasts may be binary.
    Two,
}

impl Version {
    pub(super) fn of(vsn: Option<&str>) -> Option<Self> {
        match vsn {
            None | Some("1.0.0") => Some(Self::One),
            Some("2.0.0") => Some(Self::Two),
            Some(_) => None,
        }
    }
}

/// A frame from a client.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Received {
    pub(super) join_ref: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) topic: String,
    pub(super) event: String,
    pub(super) payload: Value,
}

#[derive(Deserialize)]
struct Array(Option<String>, Option<String>, String, String, Value);

impl Received {
    /// None if it is no frame of this version. Phoenix ends the connection then.
    pub(super) fn text(version: Version, text: &str) -> Option<Self> {
        match version {
            // A struct could be read from an array as well.
            Version::One => serde_json::from_str::<Map<String, Value>>(text)
                .and_then(|fields| serde_json::from_value(Value::Object(fields)))
                .ok(),
            Version::Two => {
                let Array(join_ref, reference, topic, event, payload) = serde_json::from_str(text).ok()?;
                Some(Self { join_ref, reference, topic, event, payload })
            }
        }
    }

    /// A broadcast of a client: 3, the lengths of the reference of the join, the reference, topic, event and metadata, the
    /// encoding of the payload, then these.
    pub(super) fn binary(version: Version, bytes: &[u8]) -> Option<Self> {
        let (&[kind, join_ref, reference, topic, event, metadata, encoding], rest) = bytes.split_first_chunk::<7>()?;
        if kind != 3 || version == Version::One {
            return None;
        }
        let mut rest = rest;
        let mut take = |length: u8| {
            let (taken, left) = rest.split_at_checked(length.into())?;
            rest = left;
            str::from_utf8(taken).ok().map(str::to_owned)
        };
        let (join_ref, reference, topic, event) = (take(join_ref)?, take(reference)?, take(topic)?, take(event)?);
        take(metadata)?;
        // What is not JSON has no form here.
        let payload = if encoding == 1 { serde_json::from_slice(rest).ok()? } else { Value::Null };
        let payload = json!({"type": "broadcast", "event": event, "payload": payload});
        let named = |text: String| (!text.is_empty()).then_some(text);
        Some(Self {
            join_ref: named(join_ref),
            reference: named(reference),
            topic,
            event: "broadcast".to_owned(),
            payload,
        })
    }
}

/// A frame to a client.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sent {
    /// What concerns one client.
    Push { join_ref: Option<String>, reference: Option<String>, topic: String, event: &'static str, payload: Value },
    /// A broadcast of the database.
    Hint { topic: String, id: String, push: Option<PushTag> },
}

impl Sent {
    pub(super) fn message(&self, version: Version) -> Message {
        match (self, version) {
            (Self::Push { join_ref, reference, topic, event, payload }, Version::Two) => {
                Message::text(json!([join_ref, reference, topic, event, payload]).to_string())
            }
            (Self::Push { reference, topic, event, payload, .. }, Version::One) => {
                Message::text(json!({"ref": reference, "topic": topic, "event": event, "payload": payload}).to_string())
            }
            (Self::Hint { topic, id, push }, Version::Two) => Message::binary(binary_hint(topic, id, *push)),
            (Self::Hint { topic, id, push }, Version::One) => {
                let payload =
                    json!({"type": "broadcast", "event": "hint", "payload": content(*push), "meta": {"id": id}});
                Message::text(
                    json!({"ref": null, "topic": topic, "event": "broadcast", "payload": payload}).to_string(),
                )
            }
        }
    }
}

/// What a hint holds.
fn content(push: Option<PushTag>) -> Value {
    push.map_or_else(|| json!({}), |push| json!({"push": push.to_string()}))
}

/// 4, the lengths of topic, event and metadata, 1 for JSON, then these and the payload.
fn binary_hint(topic: &str, id: &str, push: Option<PushTag>) -> Vec<u8> {
    const EVENT: &str = "hint";
    let metadata = json!({"id": id}).to_string();
    // Topics have a prefix and a UUID.
    let length = |text: &str| u8::try_from(text.len()).unwrap_or_default();
    let mut bytes = vec![4, length(topic), length(EVENT), length(&metadata), 1];
    for part in [topic, EVENT, &metadata, &content(push).to_string()] {
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_each_version_is_read_and_nothing_else() {
        let payload = json!({"a": 1});
        let frame = Received {
            join_ref: Some("1".to_owned()),
            reference: Some("2".to_owned()),
            topic: "realtime:x".to_owned(),
            event: "phx_join".to_owned(),
            payload: payload.clone(),
        };
        let array = json!(["1", "2", "realtime:x", "phx_join", payload]).to_string();
        let object =
            json!({"join_ref": "1", "ref": "2", "topic": "realtime:x", "event": "phx_join", "payload": payload});
        let object = object.to_string();
        assert_eq!(Received::text(Version::Two, &array), Some(frame.clone()));
        assert_eq!(Received::text(Version::One, &object), Some(frame));
        for (version, odd) in
            [(Version::One, &*array), (Version::Two, &*object), (Version::Two, "[]"), (Version::Two, "")]
        {
            assert_eq!(Received::text(version, odd), None, "{odd}");
        }
    }

    #[test]
    fn a_binary_broadcast_is_read_and_a_cut_one_is_not() {
        let bytes = [b"\x03\x01\x01\x0a\x06\x00\x01" as &[u8], b"12realtime:xtyping{\"a\":1}"].concat();
        let read = Received::binary(Version::Two, &bytes).unwrap();
        assert_eq!((read.join_ref.as_deref(), read.reference.as_deref()), (Some("1"), Some("2")));
        assert_eq!((&*read.topic, &*read.event), ("realtime:x", "broadcast"));
        assert_eq!(read.payload, json!({"type": "broadcast", "event": "typing", "payload": {"a": 1}}));
        for length in 0..bytes.len() {
            assert_eq!(Received::binary(Version::Two, &bytes[..length]), None, "{length}");
        }
        assert_eq!(Received::binary(Version::One, &bytes), None);
    }

    #[test]
    fn a_hint_is_binary_in_the_second_version_only() {
        let hint = Sent::Hint { topic: "realtime:x".to_owned(), id: "i".to_owned(), push: None };
        let Message::Binary(bytes) = hint.message(Version::Two) else { panic!("binary") };
        assert_eq!(&bytes[..], b"\x04\x0a\x04\x0a\x01realtime:xhint{\"id\":\"i\"}{}");
        let Message::Text(text) = hint.message(Version::One) else { panic!("text") };
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["payload"]["event"], "hint");
    }
}
