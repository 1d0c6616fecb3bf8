//! The form in which mutations are stored, for tests that make payloads up. Not part of the interface.

use crate::outbox::stored;
use fieldpost_domain::{ConversationId, Intent};

/// The intent of a stored entry; none if this version cannot read it.
#[must_use]
pub fn decode(kind: &str, lane: ConversationId, payload: &str) -> Option<Intent> {
    stored::decode(kind, lane, payload).ok()
}

/// The payload of an intent; none if it has no JSON form.
#[must_use]
pub fn encode(intent: &Intent) -> Option<String> {
    stored::encode(intent).ok()
}
