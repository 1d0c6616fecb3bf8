//! What must hold whatever happens, by name (docs/invariants.md).

use serde::Serialize;
use std::fmt;

/// One of the eleven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// A message that was accepted is on the server after healing, or a dead letter that the person can see.
    NoLoss,
    /// One message per intention, after lost answers, kills and repeated requests.
    NoDuplicate,
    /// The order on the server is the order on the device, per conversation.
    LaneOrder,
    /// A lane that cannot go on delays no other.
    Isolation,
    /// Every committed row is on every device that may see it, by the first pass after its commit.
    GapFree,
    /// After healing every device shows what the server has for its person.
    Convergence,
    /// After healing the outbox drains and passes end, in bounded steps.
    Liveness,
    /// What is unread is counted right, and what was read does not become unread again.
    UnreadExact,
    /// Nothing is delivered that its rule hides, and what was lost from sight leaves the device.
    Privacy,
    /// Whatever was accepted before a kill is there after it.
    CrashSafe,
    /// Requests and pages stay within their bounds.
    Bounded,
}

impl Invariant {
    /// All of them, in the order of docs/invariants.md.
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

    /// Its name in the docs.
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
