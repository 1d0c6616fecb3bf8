//! What passes of syncing have learned, kept in the store.
//!
//! An app may be a process that lives for one pass. So whatever a pass finds out about the line and the server is kept beside
//! the position, and the next process begins with it instead of finding it out again.

use fieldpost_domain::{Capabilities, ConversationDigest, ConversationId, ServerLimits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What one pass leaves to the next, whichever process runs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncMemory {
    /// The server's limits as last stated.
    pub limits: ServerLimits,
    /// How much of a batch gets through.
    pub push_size: ReducedSize,
    /// How much of a page gets through.
    pub page_size: ReducedSize,
    /// How fast the line is.
    pub line: LineSpeed,
    /// By how many milliseconds the device's clock is ahead of the server's, when that was last seen.
    pub clock_ahead_ms: Option<i64>,
    /// Lanes that are tried after all others, because a mutation of theirs made a whole call fail.
    pub suspects: BTreeSet<ConversationId>,
    /// The server's digest for which a new first load changed nothing. Another one would not either.
    pub unresolved_digest: Option<ConversationDigest>,
    /// The conversation that was checked last.
    pub checked: Option<ConversationId>,
    /// The capabilities that the client named when its last first load began; none if that was before it kept them. A client
    /// that has learned to read more since loads once more, because rows of a kind that it did not name passed it by.
    pub named: Option<Capabilities>,
    /// How often something had to be put right.
    pub health: Health,
}

/// How much may be asked for at once where the line or the server does not take all that the server's limits allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReducedSize {
    /// Rows; none: as many as the server accepts.
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

/// How often something had to be put right since the store was made, by whichever process. All of it is ordinary on a bad
/// network, but for `diverged` and `oversized`: those should stay at nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Passes that ended, whichever way.
    pub passes: u64,
    /// Passes that came to nothing, or not to their end.
    pub failed_passes: u64,
    /// Calls made again because their answer was lost.
    pub repeated: u64,
    /// Parts of threads that were missing and have been fetched.
    pub gaps: u64,
    /// First loads begun, the very first included.
    pub reloads: u64,
    /// How often another process had moved the position.
    pub superseded: u64,
    /// Conversations that were compared with the server.
    pub checked: u64,
    /// Of those, how many differed, and have been repaired.
    pub diverged: u64,
    /// Single things that were too large for the way to the server or back: held back, or passed over.
    pub oversized: u64,
}
