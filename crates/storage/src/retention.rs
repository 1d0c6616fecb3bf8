//! Which messages stay on the device.

use fieldpost_domain::{ConversationId, Time};

/// What stays of each conversation. A message leaves the device only if none of the rules keeps it; it stays on the
/// server and comes back as history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The newest so many messages of each conversation.
    Last(u32),
    /// What the server has stored since then.
    Since(Time),
    /// Both: what one of the two rules keeps.
    LastOrSince(u32, Time),
}

impl Keep {
    /// The number of messages that stay; none if only their age counts.
    #[must_use]
    pub const fn last(self) -> Option<u32> {
        match self {
            Self::Last(last) | Self::LastOrSince(last, _) => Some(last),
            Self::Since(_) => None,
        }
    }

    /// The time since when all messages stay; none if only their number counts.
    #[must_use]
    pub const fn since(self) -> Option<Time> {
        match self {
            Self::Since(since) | Self::LastOrSince(_, since) => Some(since),
            Self::Last(_) => None,
        }
    }
}

/// What a step of trimming did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trimmed {
    /// How many messages have left the device.
    pub dropped: u64,
    /// Where the next step begins; none when all conversations have been looked at.
    pub next: Option<ConversationId>,
}

/// How many conversations one step of trimming looks at.
pub const TRIMMED_AT_ONCE: u32 = 50;
