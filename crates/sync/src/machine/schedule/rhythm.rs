//! The intervals of the timer and of backoff.

use std::time::Duration;

/// How often the timer starts a pass, and how long to wait after a failed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// The time between two passes in the foreground. Default: 30 seconds.
    pub foreground: Duration,
    /// The time between two passes in the foreground while live hints come. None for the same as without. Default: none,
    /// because a hint can be lost.
    pub live: Option<Duration>,
    /// The time between two passes in the background. Default: 15 minutes.
    pub background: Duration,
    /// The ceiling of the first wait after a failure. Default: 1 second.
    pub first_wait: Duration,
    /// The highest ceiling in the foreground; in the background it is at least the time between two passes. Default: 1
    /// minute.
    pub longest_wait: Duration,
    /// How long marks of what has arrived wait for something to ride with. Default: 5 seconds.
    pub deliver: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            foreground: Duration::from_secs(30),
            live: None,
            background: Duration::from_secs(15 * 60),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            deliver: Duration::from_secs(5),
        }
    }
}
