//! How often, and how long to wait.

use std::time::Duration;

/// How often the timer wants a pass, and how long to wait after one that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Between two passes while the person looks at the app. 30 seconds unless set.
    pub foreground: Duration,
    /// Between two passes while nobody does. 15 minutes unless set.
    pub background: Duration,
    /// The longest that the first wait after a failure can be. 1 second unless set.
    pub first_wait: Duration,
    /// The longest that any wait can be while the person looks at the app; in the background it is at least the time between
    /// two passes. 1 minute unless set.
    pub longest_wait: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            foreground: Duration::from_secs(30),
            background: Duration::from_secs(15 * 60),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
        }
    }
}
