//! The place of a message in its conversation, and the version of a row.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! position {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The position before the first.
            pub const ZERO: Self = Self(0);

            /// Wraps a number from the server.
            #[must_use]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The next one; saturates at the largest.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }

            /// The previous one; saturates at zero.
            #[must_use]
            pub const fn previous(self) -> Self {
                Self(self.0.saturating_sub(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

position!(
    /// The place of a message in its conversation: 1, 2, 3 … without holes, assigned by the server. Zero is the place
    /// before the first message. It orders a thread; read markers, unread counts, gaps and backfill are in its terms.
    Seq
);
position!(
    /// The version of one row: the server raises it with every change of that row, so the higher one is newer. Not a
    /// time, and not comparable between rows. Zero is older than everything the server sends.
    Version
);
