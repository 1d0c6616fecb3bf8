//! A clock that moves only on command.

use chrono::TimeDelta;
use fieldpost_domain::Time;
use fieldpost_sync::Clock;
use std::sync::atomic::{AtomicI64, Ordering};

/// A device's clock in a test. It can be set to any moment, also backwards, like a real one.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// The time of a new clock: 2026-01-05 08:00:00 UTC, a Monday morning, in microseconds since 1970.
    pub const START: i64 = 1_767_600_000_000_000;

    /// Moves the clock forward or back.
    pub fn advance(&self, by: TimeDelta) {
        self.micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }

    /// Sets the clock.
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
