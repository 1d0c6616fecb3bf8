//! A clock that moves only on command.

use chrono::TimeDelta;
use fieldpost_domain::Time;
use fieldpost_sync::Clock;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// A device's clock in a test. It can be set to any moment, also backwards, like a real one.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
    /// The steady time, which nobody sets.
    steady: AtomicI64,
}

impl ManualClock {
    /// The time of a new clock: 2026-01-05 08:00:00 UTC, a Monday morning, in microseconds since 1970.
    pub const START: i64 = 1_767_600_000_000_000;

    /// Lets time pass. Moved back, only what the clock shows goes back, as if somebody had set it.
    pub fn advance(&self, by: TimeDelta) {
        let micros = by.num_microseconds().unwrap_or(0);
        self.micros.fetch_add(micros, Ordering::SeqCst);
        self.steady.fetch_add(micros.max(0), Ordering::SeqCst);
    }

    /// Sets the clock. No time passes.
    pub fn set(&self, to: Time) {
        self.micros.store(to.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { micros: AtomicI64::new(Self::START), steady: AtomicI64::new(0) }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_timestamp_micros(self.micros.load(Ordering::SeqCst)).unwrap_or(Time::UNIX_EPOCH)
    }

    fn since_boot(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.steady.load(Ordering::SeqCst)).unwrap_or(0))
    }
}
