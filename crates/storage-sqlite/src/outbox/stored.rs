//! The payload of a mutation as it is stored, as JSON.
//!
//! It is written by one version and may be read by a later one, so its form is fixed by snapshot tests, and a field that is
//! added must have a default. The conversation is not in it: the lane is a column, which a re-key changes. The kind is a
//! column too, so that an entry of a kind that this version does not know can be told apart without reading it.

use fieldpost_domain::{
    ConversationId, Intent, MedicId, MessageContent, MessageId, MessageKind, Metadata, MutationKind, NewMessage, OrgId,
    PersonId, Seq, Time,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SendMessage {
    id: MessageId,
    sender_id: PersonId,
    #[serde(rename = "type")]
    kind: MessageKind,
    content: MessageContent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
    /// Microseconds since 1970.
    composed_at: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OpenDirect {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    medic_id: Option<MedicId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org_id: Option<OrgId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OpenBroadcast {
    org_id: OrgId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct MarkRead {
    read_seq: Seq,
}

/// Why a stored mutation cannot be sent by this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// A newer version wrote a kind that this one does not know.
    UnknownKind,
    /// The payload is not what its kind has.
    BadPayload,
}

impl Undecodable {
    /// For the person who looks at the dead letter; without content.
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::UnknownKind => "this version does not know what kind of change this is",
            Self::BadPayload => "what was recorded cannot be read",
        }
    }
}

/// The payload of an intent.
pub(crate) fn encode(intent: &Intent) -> Result<String, serde_json::Error> {
    match intent {
        Intent::SendMessage(message) => serde_json::to_string(&SendMessage {
            id: message.id,
            sender_id: message.sender_id,
            kind: message.kind.clone(),
            content: message.content.clone(),
            metadata: message.metadata.clone(),
            reply_to: message.reply_to,
            composed_at: message.composed_at.timestamp_micros(),
        }),
        Intent::OpenDirect { medic_id, org_id, .. } => {
            serde_json::to_string(&OpenDirect { medic_id: *medic_id, org_id: *org_id })
        }
        Intent::OpenBroadcast { org_id, subject, .. } => {
            serde_json::to_string(&OpenBroadcast { org_id: *org_id, subject: subject.clone() })
        }
        Intent::MarkRead { read_seq, .. } => serde_json::to_string(&MarkRead { read_seq: *read_seq }),
    }
}

/// The intent of a stored entry.
pub(crate) fn decode(kind: &str, lane: ConversationId, payload: &str) -> Result<Intent, Undecodable> {
    match MutationKind::from(kind) {
        MutationKind::SendMessage => read::<SendMessage>(payload)?.into_intent(lane),
        MutationKind::OpenDirect => {
            let OpenDirect { medic_id, org_id } = read(payload)?;
            Ok(Intent::OpenDirect { conversation_id: lane, medic_id, org_id })
        }
        MutationKind::OpenBroadcast => {
            let OpenBroadcast { org_id, subject } = read(payload)?;
            Ok(Intent::OpenBroadcast { conversation_id: lane, org_id, subject })
        }
        MutationKind::MarkRead => {
            let MarkRead { read_seq } = read(payload)?;
            Ok(Intent::MarkRead { conversation_id: lane, read_seq })
        }
        MutationKind::Unknown(_) => Err(Undecodable::UnknownKind),
    }
}

/// The text in a payload that is no valid mutation, so that its author can see what did not get through.
pub(crate) fn content(payload: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(payload).ok()?;
    value.get("content")?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

impl SendMessage {
    fn into_intent(self, lane: ConversationId) -> Result<Intent, Undecodable> {
        Ok(Intent::SendMessage(NewMessage {
            id: self.id,
            conversation_id: lane,
            sender_id: self.sender_id,
            kind: self.kind,
            content: self.content,
            metadata: self.metadata,
            reply_to: self.reply_to,
            composed_at: Time::from_timestamp_micros(self.composed_at).ok_or(Undecodable::BadPayload)?,
        }))
    }
}

fn read<'a, T: Deserialize<'a>>(payload: &'a str) -> Result<T, Undecodable> {
    serde_json::from_str(payload).map_err(|_| Undecodable::BadPayload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const LANE: ConversationId = ConversationId::from_uuid(Uuid::from_u128(1));

    fn message(metadata: Option<Metadata>, reply_to: Option<MessageId>) -> Intent {
        Intent::SendMessage(NewMessage {
            id: MessageId::from_uuid(Uuid::from_u128(2)),
            conversation_id: LANE,
            sender_id: PersonId::from_uuid(Uuid::from_u128(3)),
            kind: MessageKind::Text,
            content: MessageContent::new("Schnitt am Finger \"links\"").unwrap(),
            metadata,
            reply_to,
            composed_at: Time::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
        })
    }

    fn metadata() -> Metadata {
        Metadata::from_stored(serde_json::from_str(r#"{"site":"A7"}"#).unwrap())
    }

    /// What has been written to files that exist. A line here may be added, never changed.
    fn snapshots() -> Vec<(Intent, &'static str)> {
        let medic_id = Some(MedicId::from_uuid(Uuid::from_u128(5)));
        let org_id = OrgId::from_uuid(Uuid::from_u128(6));
        let subject = Some("Crane 3".to_owned());
        vec![
            (
                message(None, None),
                r#"{"id":"00000000-0000-0000-0000-000000000002","sender_id":"00000000-0000-0000-0000-000000000003","type":"text","content":"Schnitt am Finger \"links\"","composed_at":1700000000123456}"#,
            ),
            (
                message(Some(metadata()), Some(MessageId::from_uuid(Uuid::from_u128(4)))),
                r#"{"id":"00000000-0000-0000-0000-000000000002","sender_id":"00000000-0000-0000-0000-000000000003","type":"text","content":"Schnitt am Finger \"links\"","metadata":{"site":"A7"},"reply_to":"00000000-0000-0000-0000-000000000004","composed_at":1700000000123456}"#,
            ),
            (
                Intent::OpenDirect { conversation_id: LANE, medic_id, org_id: Some(org_id) },
                r#"{"medic_id":"00000000-0000-0000-0000-000000000005","org_id":"00000000-0000-0000-0000-000000000006"}"#,
            ),
            (Intent::OpenDirect { conversation_id: LANE, medic_id: None, org_id: None }, "{}"),
            (
                Intent::OpenBroadcast { conversation_id: LANE, org_id, subject },
                r#"{"org_id":"00000000-0000-0000-0000-000000000006","subject":"Crane 3"}"#,
            ),
            (Intent::MarkRead { conversation_id: LANE, read_seq: Seq::new(17) }, r#"{"read_seq":17}"#),
        ]
    }

    #[test]
    fn payloads_are_written_as_they_always_were_and_old_ones_are_read() {
        for (intent, payload) in snapshots() {
            assert_eq!(encode(&intent).unwrap(), payload);
            assert_eq!(decode(intent.kind().as_str(), LANE, payload), Ok(intent));
        }
    }

    /// SQL writes ids without hyphens.
    #[test]
    fn a_sender_that_a_statement_filled_in_is_read() {
        let (intent, payload) = snapshots().remove(0);
        let filled = payload.replace("00000000-0000-0000-0000-000000000003", "00000000000000000000000000000003");
        assert_ne!(filled, payload);
        assert_eq!(decode("send_message", LANE, &filled), Ok(intent));
    }

    #[test]
    fn fields_of_a_newer_version_do_not_make_a_payload_unreadable() {
        let newer = r#"{"read_seq":17,"device":"tablet"}"#;
        assert!(decode("mark_read", LANE, newer).is_ok());
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        assert_eq!(decode("edit_message", LANE, "{}"), Err(Undecodable::UnknownKind));
        assert_eq!(decode("send_message", LANE, "{}"), Err(Undecodable::BadPayload));
        assert_eq!(decode("mark_read", LANE, "not json"), Err(Undecodable::BadPayload));
    }
}
