//! A short fingerprint of which conversations somebody can see, to notice a difference that no change has told.

use crate::ConversationId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The count of visible conversations and the SHA-256 of their ids (as text, sorted, concatenated), in hex.
/// docs/protocol.md defines it; the server computes the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationDigest {
    /// How many conversations are visible.
    pub count: u64,
    /// 64 lower-case hex digits.
    pub sha256: String,
}

impl ConversationDigest {
    /// The digest of these conversations, in any order, each once. Those that the server does not know yet must not be among
    /// them.
    #[must_use]
    pub fn of(ids: impl IntoIterator<Item = ConversationId>) -> Self {
        // The text of a UUID sorts as its bytes do.
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
        Self { count: ids.len() as u64, sha256 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_hash_of_the_empty_text() {
        let digest = ConversationDigest::of([]);
        assert_eq!(digest.count, 0);
        assert_eq!(digest.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn the_digest_does_not_depend_on_order() {
        let a: ConversationId = "0198c0de-0000-7000-8000-00000000000a".parse().unwrap();
        let b: ConversationId = "0198c0de-0000-7000-8000-00000000000b".parse().unwrap();
        assert_eq!(ConversationDigest::of([a, b]), ConversationDigest::of([b, a]));
        assert_ne!(ConversationDigest::of([a]), ConversationDigest::of([b]));
    }
}
