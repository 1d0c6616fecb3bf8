//! What passes have learned, kept in the store.
//!
//! An app may run one pass per process. So whatever a pass learns about the network and the server is stored beside the
//! position, and the next process starts with it.

use fieldpost_domain::{Capabilities, ConversationDigest, ConversationId, ServerLimits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a pass leaves for the next one, in any process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncMemory {
    /// The server's limits, as it last stated them.
    pub limits: ServerLimits,
    /// The size of batches that gets through.
    pub push_size: ReducedSize,
    /// The size of pages that gets through.
    pub page_size: ReducedSize,
    /// How fast the line is.
    pub line: LineSpeed,
    /// By how many milliseconds the device's clock is ahead of the server's, when that was last seen.
    pub clock_ahead_ms: Option<i64>,
    /// Lanes that are tried last, because one of their mutations failed a whole call.
    pub suspects: BTreeSet<ConversationId>,
    /// A digest that still differed after a bootstrap. Another bootstrap would not help.
    pub unresolved_digest: Option<ConversationDigest>,
    /// The conversation that was checked last.
    pub checked: Option<ConversationId>,
    /// The capabilities that the client named when its last bootstrap began; none if an older client did not record
    /// them. A client with a new capability bootstraps again, because the rows that need the capability were not sent.
    pub named: Option<Capabilities>,
    /// How often something had to be repaired.
    pub health: Health,
}

/// The reduced size of batches or pages, for a network or server that does not take what the limits allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReducedSize {
    /// The number of rows; none for the server's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u32>,
    /// As many rows as this were refused because they were too many. The size grows towards it in ever smaller steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u32>,
    /// Calls of the full size that got through since the size stopped growing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub passed: u32,
}

/// How fast the line was when something large enough to tell went over it, in bytes of JSON per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineSpeed {
    /// From the server; none: not measured, or fast enough for full pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<u32>,
    /// To the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How often something had to be repaired since the store was created, by any process. All of it is normal on a bad
/// network, except `diverged` and `oversized`, which should stay zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Passes that ended, successful or not.
    pub passes: u64,
    /// Passes that failed, as a whole or in part.
    pub failed_passes: u64,
    /// Calls that were repeated because their response was lost.
    pub repeated: u64,
    /// Missing parts of threads that were fetched.
    pub gaps: u64,
    /// Bootstraps that were begun, including the first.
    pub reloads: u64,
    /// How often another process had moved the position.
    pub superseded: u64,
    /// Conversations that were compared with the server.
    pub checked: u64,
    /// Comparisons that found a difference; it has been repaired.
    pub diverged: u64,
    /// Single mutations or rows that are too large to be transferred; they were held or skipped.
    pub oversized: u64,
}
