//! The intervals of the live connection.

use crate::machine::backoff::Growth;
use std::time::Duration;

/// How often a connection is looked after, and how long to wait after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveRhythm {
    /// The time between two heartbeats. The one before must be answered by then. Default: 25 seconds, as Supabase's own clients.
    pub heartbeat: Duration,
    /// How long a join may take. Default: 10 seconds.
    pub join_timeout: Duration,
    /// The ceiling of the first wait after a failure. Default: 1 second.
    pub first_wait: Duration,
    /// The highest ceiling. Default: 1 minute.
    pub longest_wait: Duration,
    /// The highest ceiling of what the server refuses, and not because of a fault. Default: 10 minutes.
    pub longest_refused: Duration,
}

impl LiveRhythm {
    /// How the waits grow after a fault.
    pub(super) const fn after_a_fault(&self) -> Growth {
        Growth { first: self.first_wait, cap: self.longest_wait }
    }

    /// How they grow after a refusal.
    pub(super) fn after_a_refusal(&self) -> Growth {
        Growth { first: self.first_wait * 8, cap: self.longest_refused }
    }
}

impl Default for LiveRhythm {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(25),
            join_timeout: Duration::from_secs(10),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            longest_refused: Duration::from_secs(10 * 60),
        }
    }
}
