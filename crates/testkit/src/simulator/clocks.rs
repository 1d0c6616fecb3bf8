//! Clocks of a run: they follow virtual time. The schedule sets how wrong a device's clock is.

use crate::ManualClock;
use chrono::TimeDelta;
use fieldpost_domain::Time;
use fieldpost_sync::Clock;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// The clock of a device, or of the server.
#[derive(Debug)]
pub(super) struct RunningClock {
    start: Instant,
    /// The clock's error in seconds.
    wrong_by: AtomicI64,
}

impl RunningClock {
    pub(super) fn new(wrong_by: i64) -> Self {
        Self { start: Instant::now(), wrong_by: AtomicI64::new(wrong_by) }
    }

    /// By how many microseconds it is ahead.
    pub(super) fn wrong_by_micros(&self) -> i64 {
        self.wrong_by.load(Ordering::SeqCst) * 1_000_000
    }

    /// Moves the clock by `seconds`.
    pub(super) fn jump(&self, seconds: i64) {
        self.wrong_by.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for RunningClock {
    fn now(&self) -> Time {
        let passed = i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX);
        let right = Time::from_timestamp_micros(ManualClock::START + passed).unwrap_or(Time::UNIX_EPOCH);
        right + TimeDelta::seconds(self.wrong_by.load(Ordering::SeqCst))
    }

    fn since_boot(&self) -> Duration {
        self.start.elapsed()
    }
}
