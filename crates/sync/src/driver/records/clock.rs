//! The clock that dates changes of records.

use crate::Env;
use chrono::TimeDelta;
use fieldpost_domain::{
    Time,
    records::{ClockId, DeviceTime},
};
use std::{fmt, time::Duration};

/// A clock that never jumps, from its start to the end of the process. It begins with what the device's clock shows;
/// whether that is right is measured with every answer of the server.
pub struct RecordClock {
    id: ClockId,
    start: Time,
    /// The steady time at `start`.
    zero: Duration,
    env: Env,
}

impl RecordClock {
    /// Starts a clock.
    #[must_use]
    pub fn start(env: Env) -> Self {
        // Any UUID that no other clock has.
        let id = ClockId::from_uuid(env.mutation_id().as_uuid());
        Self { id, start: env.now(), zero: env.since_boot(), env }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> DeviceTime {
        let passed = self.env.since_boot().saturating_sub(self.zero);
        let passed = TimeDelta::microseconds(i64::try_from(passed.as_micros()).unwrap_or(i64::MAX));
        DeviceTime { clock: self.id, at: self.start.checked_add_signed(passed).unwrap_or(self.start) }
    }

    /// This run of the clock.
    #[must_use]
    pub const fn id(&self) -> ClockId {
        self.id
    }
}

impl fmt::Debug for RecordClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordClock").field("id", &self.id).finish_non_exhaustive()
    }
}
