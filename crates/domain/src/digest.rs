//! A fingerprint of the conversations that a person can see. It reveals a difference that no change has reported.
//!
//! There are two kinds. The *set* digest can be updated incrementally when one conversation is added or removed,
//! without reading the others. Older servers send the *sorted* digest, which is computed from all ids at once.

use crate::ConversationId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The number of visible conversations and the fingerprint of their ids. Defined in docs/protocol.md; client and server
/// compute the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationDigest {
    /// The number of visible conversations.
    pub count: u64,
    /// The fingerprint of their ids.
    pub fingerprint: Fingerprint,
}

/// The two kinds of fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fingerprint {
    /// The XOR over all ids.
    Set(SetFingerprint),
    /// The SHA-256 of all ids as text, sorted and concatenated: 64 lower-case hex digits.
    Sorted(String),
}

/// The XOR over all ids of the first 16 bytes of SHA-256(id). Adding an id twice removes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SetFingerprint([u8; 16]);

impl SetFingerprint {
    /// From its stored form.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its stored form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Parses 32 hex digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(text, 16).ok().filter(|_| digits).map(|number| Self(number.to_be_bytes()))
    }

    /// 32 lower-case hex digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// Adds a conversation, or removes it if it is in the set.
    pub fn toggle(&mut self, id: ConversationId) {
        let hash = Sha256::digest(id.as_uuid().as_bytes());
        for (byte, hashed) in self.0.iter_mut().zip(hash) {
            *byte ^= hashed;
        }
    }
}

impl FromIterator<ConversationId> for SetFingerprint {
    fn from_iter<T: IntoIterator<Item = ConversationId>>(ids: T) -> Self {
        let mut set = Self::default();
        ids.into_iter().for_each(|id| set.toggle(id));
        set
    }
}

impl ConversationDigest {
    /// The set digest of these conversations: in any order, each once, only those that the server has.
    #[must_use]
    pub fn of(ids: impl IntoIterator<Item = ConversationId>) -> Self {
        let mut count = 0;
        let set = ids.into_iter().inspect(|_| count += 1).collect();
        Self { count, fingerprint: Fingerprint::Set(set) }
    }

    /// The digest of these conversations, of the same kind as another digest.
    #[must_use]
    pub fn like(other: &Self, ids: impl IntoIterator<Item = ConversationId>) -> Self {
        match other.fingerprint {
            Fingerprint::Set(_) => Self::of(ids),
            Fingerprint::Sorted(_) => Self::sorted(ids),
        }
    }

    /// The digest of these conversations as older servers compute it.
    #[must_use]
    pub fn sorted(ids: impl IntoIterator<Item = ConversationId>) -> Self {
        // UUIDs sort the same as text and as bytes.
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_unstable();
        let mut hash = Sha256::new();
        for id in &ids {
            hash.update(id.to_string());
        }
        let sha256 = hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Self { count: ids.len() as u64, fingerprint: Fingerprint::Sorted(sha256) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0198c0de-0000-7000-8000-00000000000a";
    const B: &str = "0198c0de-0000-7000-8000-00000000000b";

    fn id(text: &str) -> ConversationId {
        text.parse().unwrap()
    }

    fn hex(digest: &ConversationDigest) -> String {
        match &digest.fingerprint {
            Fingerprint::Set(set) => set.to_hex(),
            Fingerprint::Sorted(sha256) => sha256.clone(),
        }
    }

    /// The expected values come from another implementation (Python's hashlib).
    #[test]
    fn a_set_is_the_xor_of_what_each_id_hashes_to() {
        assert_eq!((ConversationDigest::of([]).count, hex(&ConversationDigest::of([]))), (0, "0".repeat(32)));
        assert_eq!(hex(&ConversationDigest::of([id(A)])), "9ea6bc0cf93156340fbed3dc963ebb9c");
        let both = ConversationDigest::of([id(A), id(B)]);
        assert_eq!((both.count, hex(&both)), (2, "c86281ae0e0f2707e4e55ceaa7809d3e".to_owned()));
        assert_eq!(both, ConversationDigest::of([id(B), id(A)]));
    }

    #[test]
    fn what_is_taken_in_twice_is_out() {
        let mut set: SetFingerprint = [id(A), id(B)].into_iter().collect();
        set.toggle(id(A));
        assert_eq!(set, [id(B)].into_iter().collect());
        assert_eq!(SetFingerprint::from_hex(&set.to_hex().to_uppercase()), Some(set));
        let wrong = ["", "xyz", "+0000000000000000000000000000001", &"0".repeat(33)];
        assert!(wrong.iter().all(|text| SetFingerprint::from_hex(text).is_none()));
    }

    #[test]
    fn the_sorted_digest_of_nothing_is_the_hash_of_the_empty_text() {
        let digest = ConversationDigest::sorted([]);
        assert_eq!(digest.count, 0);
        assert_eq!(hex(&digest), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn the_sorted_digest_does_not_depend_on_order() {
        assert_eq!(ConversationDigest::sorted([id(A), id(B)]), ConversationDigest::sorted([id(B), id(A)]));
        assert_ne!(ConversationDigest::sorted([id(A)]), ConversationDigest::sorted([id(B)]));
    }
}
