//! A clock that moves when it is told to.

use chrono::TimeDelta;
use fieldpost_domain::Time;
use fieldpost_sync::Clock;
use std::sync::atomic::{AtomicI64, Ordering};

/// A device's clock in a test. It may be set to any moment, also backwards: real ones do that.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// Where a new clock stands: 2026-01-05 08:00:00 UTC, a Monday morning, in microseconds since 1970.
    pub const START: i64 = 1_767_600_000_000_000;

    /// Moves on, or back.
    pub fn advance(&self, by: TimeDelta) {
        self.micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }

    /// Jumps to a moment.
    pub fn set(&self, to: Time) {
        self.micros.store(to.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { micros: AtomicI64::new(Self::START) }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_timestamp_micros(self.micros.load(Ordering::SeqCst)).unwrap_or(Time::UNIX_EPOCH)
    }
}
