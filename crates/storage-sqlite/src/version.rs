//! Versions as stored: the server's number, and above it which of the server's histories ("epochs") it belongs to.
//!
//! When the server is restored from a backup, every version that is stored says nothing any more. Resetting them would mean
//! writing every row in one transaction. Instead the store counts epochs, and what arrives in a later one is newer than all
//! of an earlier one by plain comparison of integers: `epoch * 2^53 + version`.

use crate::sql::{int, signed};
use fieldpost_domain::Version;
use sea_orm::Value;

/// Of a row that the server has not told of yet: older than anything it sends, version 0 included.
pub(crate) const UNKNOWN_TO_SERVER: i64 = -1;

/// The server's numbers stay below 2^53.
const BITS: u32 = 53;
const MAX_VERSION: u64 = (1 << BITS) - 1;
/// More restored backups than any server sees, at two for each bootstrap that follows one; what would overflow stays in the
/// last one.
const MAX_EPOCH: i64 = (1 << (63 - BITS)) - 1;

/// One of the server's histories, counted by this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(i64);

impl Epoch {
    pub(crate) fn new(number: i64) -> Self {
        Self(number.clamp(0, MAX_EPOCH))
    }

    /// The lowest stored version of this epoch.
    pub(crate) const fn floor(self) -> i64 {
        self.0 << BITS
    }

    pub(crate) fn stored(self, version: Version) -> i64 {
        self.floor() + signed(version.get().min(MAX_VERSION))
    }

    pub(crate) fn bind(self, version: Version) -> Value {
        int(self.stored(version))
    }
}

/// The server's number back from a stored version.
pub(crate) fn told(stored: i64) -> Version {
    Version::new(if stored < 0 { 0 } else { stored.unsigned_abs() & MAX_VERSION })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_epoch_is_newer_than_any_version_of_an_earlier_one() {
        let (old, new) = (Epoch::new(3), Epoch::new(4));
        assert!(new.stored(Version::ZERO) > old.stored(Version::new(u64::MAX)));
        assert!(old.stored(Version::new(7)) > old.stored(Version::new(6)));
        assert!(Epoch::new(0).stored(Version::ZERO) > UNKNOWN_TO_SERVER);
        assert_eq!(told(new.stored(Version::new(42))), Version::new(42));
    }

    #[test]
    fn the_last_epoch_does_not_overflow() {
        assert!(Epoch::new(i64::MAX).stored(Version::new(u64::MAX)) > 0);
    }
}
