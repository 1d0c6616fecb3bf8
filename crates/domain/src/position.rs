//! Positions: where a message stands in its conversation, and which state of a row is newer.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! position {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Before the first.
            pub const ZERO: Self = Self(0);

            /// Wraps a number given by the server.
            #[must_use]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The next one; the largest stays where it is.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }

            /// The one before; zero stays where it is.
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
    /// The place of a message in its conversation: 1, 2, 3 … without holes, given by the server. Zero stands before the
    /// first message. It is the order of a thread and the unit of read markers, unread counts, gaps and backfill.
    Seq
);
position!(
    /// Which state of one row is newer: a number that the server raises with every change of that row. Not a time, and not
    /// comparable between rows. Zero is older than anything the server sends.
    Version
);
