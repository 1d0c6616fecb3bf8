//! What a live hint says of the push that caused it, so that the device that pushed need not pull for its own change.

use crate::MutationId;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// The first 8 bytes of SHA-256 of the id of a push's first mutation: 16 lower-case hex digits on the wire
/// (docs/protocol.md, *Live*). Only the device that made the id recognizes it; to others it is a random number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PushTag(u64);

/// The text is no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("16 hex digits were expected")]
pub struct NoPushTag;

impl PushTag {
    /// The tag of a push that begins with this mutation.
    #[must_use]
    pub fn of(first: MutationId) -> Self {
        let hash = Sha256::digest(first.to_string());
        Self(hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for PushTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for PushTag {
    type Err = NoPushTag;

    fn from_str(text: &str) -> Result<Self, NoPushTag> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(text, 16).ok().filter(|_| digits).map(Self).ok_or(NoPushTag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_same_on_both_sides() {
        // `select left(encode(sha256('0198c1f0-0000-7000-8000-000000000001'), 'hex'), 16)` in PostgreSQL.
        let tag = PushTag::of("0198c1f0-0000-7000-8000-000000000001".parse().unwrap());
        assert_eq!(tag.to_string(), "2186706cb567dce0");
        assert_eq!(tag.to_string().parse(), Ok(tag));
        for odd in ["", "0", "+123456789abcdef", "0123456789abcdeg", "0123456789abcdef0"] {
            assert_eq!(odd.parse::<PushTag>(), Err(NoPushTag), "{odd}");
        }
    }
}
