//! Payloads of the outbox, written by this version, by another one, or damaged by a faulty disk.

use fieldpost::ConversationId;
use fieldpost_domain::{Intent, MessageId, MutationKind};
use uuid::Uuid;

/// Decodes the bytes as the payload of every kind.
///
/// # Panics
/// When a decoded payload does not encode to the same value.
pub fn stored(bytes: &[u8]) {
    let Ok(payload) = std::str::from_utf8(bytes) else { return };
    let lane = ConversationId::from_uuid(Uuid::from_u128(1));
    let target = Some(MessageId::from_uuid(Uuid::from_u128(2)));
    for name in MutationKind::NAMES.iter().chain(&["a_kind_of_tomorrow"]) {
        let kind = MutationKind::from(*name);
        let Ok(intent) = Intent::from_payload(&kind, lane, target, payload) else { continue };
        assert_eq!((intent.kind(), intent.lane()), (kind.clone(), lane));
        let written = intent.payload().ok();
        let again = written.as_deref().and_then(|written| Intent::from_payload(&kind, lane, target, written).ok());
        assert_eq!(again, Some(intent), "{kind}: written as {written:?}");
    }
}
