//! Ids that no other test and no earlier run has used, on any server.

use chrono::Utc;
use fieldpost_domain::{ConversationId, MessageId, MutationId};
use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

/// Ten random bytes. The operating system seeds the standard library's hasher.
#[must_use]
pub fn fresh_bytes() -> [u8; 10] {
    let word = || RandomState::new().build_hasher().finish().to_le_bytes();
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&word());
    bytes[8..].copy_from_slice(&word()[..2]);
    bytes
}

pub(super) fn message_id() -> MessageId {
    MessageId::from_parts(Utc::now(), fresh_bytes())
}

pub(super) fn conversation_id() -> ConversationId {
    ConversationId::from_parts(Utc::now(), fresh_bytes())
}

pub(super) fn mutation_id() -> MutationId {
    MutationId::from_parts(Utc::now(), fresh_bytes())
}

#[cfg(feature = "records")]
pub(super) fn record_id() -> fieldpost_domain::records::RecordId {
    fieldpost_domain::records::RecordId::from_parts(Utc::now(), fresh_bytes())
}
