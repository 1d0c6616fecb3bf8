//! The invariants, by name (docs/invariants.md).

use serde::Serialize;
use std::fmt;

/// One of the eleven invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// After healing, an accepted message is on the server, or is a dead letter that the person can see.
    NoLoss,
    /// One message per intention, despite lost responses, kills and repeated requests.
    NoDuplicate,
    /// The order on the server is the order on the device, per conversation.
    LaneOrder,
    /// A blocked lane delays no other.
    Isolation,
    /// Every committed row reaches every device that may see it, with the first pass after its commit.
    GapFree,
    /// After healing, every device shows what the server has for its person.
    Convergence,
    /// After healing, the outbox drains and passes end, in a bounded number of steps.
    Liveness,
    /// Unread counts are right, and what was read does not become unread again.
    UnreadExact,
    /// Nothing hidden by a rule is delivered, and a row that its person may no longer see leaves the device.
    Privacy,
    /// Everything accepted before a kill is still there after it.
    CrashSafe,
    /// Requests and pages stay within their limits.
    Bounded,
}

impl Invariant {
    /// All invariants, in the order of docs/invariants.md.
    pub const ALL: [Self; 11] = [
        Self::NoLoss,
        Self::NoDuplicate,
        Self::LaneOrder,
        Self::Isolation,
        Self::GapFree,
        Self::Convergence,
        Self::Liveness,
        Self::UnreadExact,
        Self::Privacy,
        Self::CrashSafe,
        Self::Bounded,
    ];

    /// The invariant's name in the docs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoLoss => "no_loss",
            Self::NoDuplicate => "no_duplicate",
            Self::LaneOrder => "lane_order",
            Self::Isolation => "isolation",
            Self::GapFree => "gap_free",
            Self::Convergence => "convergence",
            Self::Liveness => "liveness",
            Self::UnreadExact => "unread_exact",
            Self::Privacy => "privacy",
            Self::CrashSafe => "crash_safe",
            Self::Bounded => "bounded",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
