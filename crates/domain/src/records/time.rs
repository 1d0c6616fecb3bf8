//! When a record was changed, by which clock.

use crate::Time;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// One run of one clock: from the start of a process to its end it never jumps. Clocks of two runs say nothing about
/// each other, because somebody may have set the device's clock in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockId(Uuid);

impl ClockId {
    /// Wraps a random UUID.
    #[must_use]
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID.
    #[must_use]
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

/// A time on a device: comparable with other times of the same clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceTime {
    /// The clock.
    pub clock: ClockId,
    /// What it showed.
    pub at: Time,
}

/// When a change was made, as it is told to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modified {
    /// This long before the call. It counts from the arrival, so a call that is slow, or that the network repeats later,
    /// makes a change look later than it was.
    Ago(Duration),
    /// At this time of the server's clock: it was compared with the clock of the device while that ran. However often and
    /// whenever the call arrives, the time is the same.
    At(Time),
}

impl DeviceTime {
    /// What to tell the server.
    ///
    /// `now` is the time of the call. `ahead_micros` is by how much this time's clock was ahead of the server's, if that
    /// was ever measured; then the change has a time of the server's clock. Otherwise it has an age. A time of another
    /// clock that was never compared with the server's is taken as a time of today's clock: that is right unless somebody
    /// has set the device's clock since. A time in the future counts as now.
    #[must_use]
    pub fn modified(self, now: Self, ahead_micros: Option<i64>) -> Modified {
        match ahead_micros {
            Some(ahead) => {
                let at = chrono::TimeDelta::microseconds(ahead);
                Modified::At(self.at.checked_sub_signed(at).unwrap_or(self.at))
            }
            None => Modified::Ago((now.at - self.at).to_std().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clock: u128, seconds: i64) -> DeviceTime {
        let at = Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        DeviceTime { clock: ClockId::from_uuid(Uuid::from_u128(clock)), at }
    }

    #[test]
    fn a_time_of_the_running_clock_is_an_age_until_that_clock_was_measured() {
        assert_eq!(at(1, 0).modified(at(1, 7200), None), Modified::Ago(Duration::from_secs(7200)));
        assert_eq!(at(1, 60).modified(at(1, 7200), Some(60_000_000)), Modified::At(at(1, 0).at));
    }

    #[test]
    fn a_time_of_a_measured_clock_is_one_of_the_server() {
        assert_eq!(at(1, 60).modified(at(2, 0), Some(60_000_000)), Modified::At(at(1, 0).at));
    }

    #[test]
    fn a_time_of_an_unmeasured_clock_is_taken_for_one_of_todays() {
        assert_eq!(at(1, 0).modified(at(2, 60), None), Modified::Ago(Duration::from_secs(60)));
        assert_eq!(at(1, 60).modified(at(2, 0), None), Modified::Ago(Duration::ZERO));
    }
}
