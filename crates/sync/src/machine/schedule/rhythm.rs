//! The intervals of the timer and of backoff.

use std::{ops::RangeInclusive, time::Duration};

/// No timer needs more, and a time cannot take much more on top.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Between two passes: less would never let the server rest.
const PASSES: RangeInclusive<Duration> = Duration::from_secs(1)..=LONGEST;

/// After a failure: without a wait, failures follow each other at once.
const WAITS: RangeInclusive<Duration> = Duration::from_millis(1)..=LONGEST;

/// A time of a [`Rhythm`] that is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {given:?}; it must be between {shortest:?} and a year")]
pub struct RhythmError {
    name: &'static str,
    given: Duration,
    shortest: Duration,
}

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

impl Rhythm {
    /// Whether timers can run like this.
    ///
    /// # Errors
    /// [`RhythmError`] names the first time that is too short or too long.
    pub fn check(&self) -> Result<(), RhythmError> {
        let live = self.live.map(|live| ("the time between two passes while live hints come", live, PASSES));
        let others = [
            ("the time between two passes in the foreground", self.foreground, PASSES),
            ("the time between two passes in the background", self.background, PASSES),
            ("the first wait after a failure", self.first_wait, WAITS),
            ("the longest wait after a failure", self.longest_wait, WAITS),
            ("the wait before marks of what has arrived go", self.deliver, Duration::ZERO..=LONGEST),
        ];
        match others.into_iter().chain(live).find(|(_, given, allowed)| !allowed.contains(given)) {
            None => Ok(()),
            Some((name, given, allowed)) => Err(RhythmError { name, given, shortest: *allowed.start() }),
        }
    }
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
