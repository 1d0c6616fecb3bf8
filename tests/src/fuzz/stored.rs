//! Payloads of the outbox, as this version, another one or a faulty disk has left them.

use fieldpost::ConversationId;
use fieldpost_storage_sqlite::fuzzing::{decode, encode};
use uuid::Uuid;

const KINDS: [&str; 5] = ["send_message", "open_direct", "open_broadcast", "mark_read", "a_kind_of_tomorrow"];

/// Reads the bytes as the payload of every kind there is.
///
/// # Panics
/// When what was read is not written as it is read.
pub fn stored(bytes: &[u8]) {
    let Ok(payload) = std::str::from_utf8(bytes) else { return };
    let lane = ConversationId::from_uuid(Uuid::from_u128(1));
    for kind in KINDS {
        let Some(intent) = decode(kind, lane, payload) else { continue };
        assert_eq!((intent.kind().as_str(), intent.lane()), (kind, lane));
        let written = encode(&intent);
        let again = written.as_deref().and_then(|written| decode(kind, lane, written));
        assert_eq!(again, Some(intent), "{kind}: written as {written:?}");
    }
}
