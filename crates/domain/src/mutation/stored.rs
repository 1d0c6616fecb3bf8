//! The stored payload of a mutation, as JSON.
//!
//! A later version may read it, so snapshot tests fix its form, and an added field must have a default. It does not
//! contain the ids that the server may replace: the conversation and the target message are stored beside it, where a
//! re-key updates them. The kind is stored beside it too, so an entry of an unknown kind is recognised without reading
//! the payload.

use super::{Intent, MutationKind};
use crate::{ConversationId, MessageId};

/// Why a stored mutation cannot be sent by this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// A newer version wrote it: its kind is not known here.
    #[error("this version does not know what kind of change this is")]
    UnknownKind,
    /// The payload does not fit its kind.
    #[error("what was recorded cannot be read")]
    BadPayload,
}

impl Intent {
    /// The payload.
    ///
    /// # Errors
    /// Cannot happen: every intent serializes.
    pub fn payload(&self) -> serde_json::Result<String> {
        self.to_json()
    }

    /// Decodes a stored entry from its kind, its conversation, its target message and the payload.
    ///
    /// # Errors
    /// [`Undecodable`] says why this version cannot read it.
    pub fn from_payload(
        kind: &MutationKind,
        lane: ConversationId,
        target: Option<MessageId>,
        payload: &str,
    ) -> Result<Self, Undecodable> {
        let mut intent = Self::from_json(kind, payload)?;
        intent.address(lane, target);
        Ok(intent)
    }

    /// The text in a payload that cannot be decoded, so its author can see what was not sent.
    #[must_use]
    pub fn text_in(payload: &str) -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(payload).ok()?;
        value.get("content")?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Archived, Emoji, MarkRead, MedicId, MessageContent, MessageId, MessageKind, Metadata, NewMessage,
        OpenBroadcast, OpenDirect, OrgId, PersonId, React, ReportMessage, ReportReason, Seq, SetConversation,
        SettingsChange, Time,
    };
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
            mentions: crate::Mentions::new(),
            composed_at: Time::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
        })
    }

    fn metadata() -> Metadata {
        Metadata::from_stored(serde_json::from_str(r#"{"site":"A7"}"#).unwrap())
    }

    fn set(change: SettingsChange) -> Intent {
        Intent::SetConversation(SetConversation { conversation_id: LANE, change })
    }

    fn time() -> Time {
        Time::from_timestamp_micros(1_700_000_000_123_456).unwrap()
    }

    fn report(note: &str) -> ReportMessage {
        let message = MessageId::from_uuid(Uuid::from_u128(2));
        ReportMessage::new(LANE, message, ReportReason::Harassment, note).unwrap()
    }

    /// Payloads in existing files. Lines may be added here, never changed.
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
                Intent::OpenDirect(OpenDirect { conversation_id: LANE, medic_id, org_id: Some(org_id) }),
                r#"{"medic_id":"00000000-0000-0000-0000-000000000005","org_id":"00000000-0000-0000-0000-000000000006"}"#,
            ),
            (Intent::OpenDirect(OpenDirect { conversation_id: LANE, medic_id: None, org_id: None }), "{}"),
            (
                Intent::OpenBroadcast(OpenBroadcast { conversation_id: LANE, org_id, subject }),
                r#"{"org_id":"00000000-0000-0000-0000-000000000006","subject":"Crane 3"}"#,
            ),
            (
                Intent::React(React {
                    conversation_id: LANE,
                    message_id: MessageId::from_uuid(Uuid::from_u128(2)),
                    emoji: Emoji::new("👍").unwrap(),
                    removed: true,
                }),
                r#"{"emoji":"👍","removed":true}"#,
            ),
            (Intent::ReportMessage(report("")), r#"{"reason":"harassment"}"#),
            (Intent::ReportMessage(report(" again\n")), r#"{"reason":"harassment","note":"again"}"#),
            (Intent::MarkRead(MarkRead { conversation_id: LANE, read_seq: Seq::new(17) }), r#"{"read_seq":17}"#),
            (
                set(SettingsChange {
                    muted_until: Some(Some(time())),
                    pinned_at: Some(None),
                    archived: Some(Some(Archived { at: time(), seq: Seq::new(9) })),
                    unread_from: Some(Some(Seq::new(4))),
                }),
                r#"{"muted_until":1700000000123456,"pinned_at":null,"archived":{"at":1700000000123456,"seq":9},"unread_from":4}"#,
            ),
            (set(SettingsChange::archive(None)), r#"{"archived":null}"#),
        ]
    }

    #[test]
    fn payloads_are_written_as_they_always_were_and_old_ones_are_read() {
        for (intent, payload) in snapshots() {
            assert_eq!(intent.payload().unwrap(), payload);
            assert_eq!(Intent::from_payload(&intent.kind(), LANE, intent.target(), payload), Ok(intent));
        }
    }

    /// SQL writes ids without hyphens.
    #[test]
    fn a_sender_that_a_statement_filled_in_is_read() {
        let (intent, payload) = snapshots().remove(0);
        let filled = payload.replace("00000000-0000-0000-0000-000000000003", "00000000000000000000000000000003");
        assert_ne!(filled, payload);
        assert_eq!(Intent::from_payload(&MutationKind::SendMessage, LANE, None, &filled), Ok(intent));
    }

    #[test]
    fn fields_of_a_newer_version_do_not_make_a_payload_unreadable() {
        let newer = r#"{"read_seq":17,"device":"tablet"}"#;
        assert!(Intent::from_payload(&MutationKind::MarkRead, LANE, None, newer).is_ok());
    }

    fn decode(kind: &str, payload: &str) -> Result<Intent, Undecodable> {
        Intent::from_payload(&MutationKind::from(kind), LANE, None, payload)
    }

    #[test]
    fn a_delivery_says_how_far() {
        let intent = Intent::MarkDelivered(crate::MarkDelivered { conversation_id: LANE, delivered_seq: Seq::new(17) });
        assert_eq!(intent.payload().unwrap(), r#"{"delivered_seq":17}"#);
        assert_eq!(Intent::from_payload(&intent.kind(), LANE, None, r#"{"delivered_seq":17}"#), Ok(intent));
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        assert_eq!(decode("dance", "{}"), Err(Undecodable::UnknownKind));
        assert_eq!(decode("send_message", "{}"), Err(Undecodable::BadPayload));
        assert_eq!(decode("mark_read", "not json"), Err(Undecodable::BadPayload));
    }
}
