//! The invariants, by name (docs/invariants.md).

use serde::Serialize;
use std::fmt;

/// One of the invariants: twelve of messages, then those of records.
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
    /// What the diffs of a timeline make equals what is drawn from scratch.
    Timeline,
    /// After healing, an accepted change of a record is on the server, or was superseded by a later one, or is kept as a
    /// conflict, or is a dead letter that the person can see.
    RecordsNoLoss,
    /// One row per record, despite lost responses, kills and repeated requests.
    RecordsNoDuplicate,
    /// The changes of a device to one record are applied in the order in which they were made, and after the creates of
    /// what they refer to.
    RecordsOrder,
    /// Every committed row reaches every device that may see it, with the first pass after its commit.
    RecordsGapFree,
    /// The change of a record stands that was made last, as far as the clocks can tell.
    LastWriteWins,
    /// An immediate change waits for no other and for no message.
    ImmediateFirst,
    /// After healing, every device shows the rows that its person may see.
    RecordsConvergence,
    /// Records, messages and the audit log end as each would alone.
    Independence,
    /// After healing, the queue drains and passes end, in a bounded number of steps.
    RecordsLiveness,
    /// No row of another org or hidden by a policy is delivered, and none stays on a device.
    RecordsPrivacy,
    /// Every read that was logged reaches the server's audit log once.
    AuditKept,
    /// Every change accepted before a kill is still there after it.
    RecordsCrashSafe,
    /// Batches and pages stay within their limits, and nothing is loaded anew without a reason.
    RecordsBounded,
}

impl Invariant {
    /// All invariants, in the order of docs/invariants.md.
    pub const ALL: [Self; 25] = [
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
        Self::Timeline,
        Self::RecordsNoLoss,
        Self::RecordsNoDuplicate,
        Self::RecordsOrder,
        Self::RecordsGapFree,
        Self::LastWriteWins,
        Self::ImmediateFirst,
        Self::RecordsConvergence,
        Self::Independence,
        Self::RecordsLiveness,
        Self::RecordsPrivacy,
        Self::AuditKept,
        Self::RecordsCrashSafe,
        Self::RecordsBounded,
    ];

    /// Whether it is judged in runs with records.
    #[must_use]
    pub fn is_of_records(self) -> bool {
        self > Self::Timeline
    }

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
            Self::Timeline => "timeline",
            Self::RecordsNoLoss => "records_no_loss",
            Self::RecordsNoDuplicate => "records_no_duplicate",
            Self::RecordsOrder => "records_order",
            Self::RecordsGapFree => "records_gap_free",
            Self::LastWriteWins => "last_write_wins",
            Self::ImmediateFirst => "immediate_first",
            Self::RecordsConvergence => "records_convergence",
            Self::Independence => "independence",
            Self::RecordsLiveness => "records_liveness",
            Self::RecordsPrivacy => "records_privacy",
            Self::AuditKept => "audit_kept",
            Self::RecordsCrashSafe => "records_crash_safe",
            Self::RecordsBounded => "records_bounded",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
