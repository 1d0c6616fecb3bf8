//! Decides which messages have waited too long to be sent.
//!
//! The device clock dates what a person writes, and that clock may jump: somebody sets it, a phone starts with an empty
//! battery, the network corrects it. A person can see an expired message and send it again, but it should not expire
//! without need. So the engine does not trust the device clock alone. It reads the clock at every write and before
//! every pass, and compares it with a monotonic clock. The current time is the **earliest** reading since the last
//! **anchor**, advanced by the monotonic clock. The anchor is set when the engine starts, when the app comes to the
//! foreground, and after a pause: the monotonic clock may stand still while the device sleeps.
//!
//! While an anchor holds:
//!
//! * If the device clock jumps ahead, nothing expires, because an earlier reading counts.
//! * If it jumps back, nothing expires: every message then seems younger, or not written yet. When it is corrected, the
//!   earlier reading still counts.
//!
//! One case is left: the clock was wrong when a message was written, and was corrected before an anchor. Then the
//! message may expire too early, as a dead letter that the person sees and can send again, or wait longer. Nothing is
//! lost or sent twice.

use super::Moment;
use chrono::TimeDelta;
use fieldpost_domain::Time;
use std::time::Duration;

/// The ttl of messages, and the clock that measures it.
#[derive(Debug, Clone, Copy)]
pub struct Expiry {
    ttl: Option<Duration>,
    /// The reading of the device clock at moment zero; the earliest since the anchor.
    zero: Option<Time>,
}

impl Expiry {
    /// Nothing expires.
    #[must_use]
    pub const fn never() -> Self {
        Self { ttl: None, zero: None }
    }

    /// A message expires after this time.
    #[must_use]
    pub fn after(ttl: Duration, now: Time, moment: Moment) -> Self {
        Self { ttl: Some(ttl), zero: zero(now, moment) }
    }

    /// Trusts the device clock from now on.
    pub fn anchor(&mut self, now: Time, moment: Moment) {
        self.zero = zero(now, moment);
    }

    /// Records a reading of the device clock.
    pub fn look(&mut self, now: Time, moment: Moment) {
        self.zero = self.zero.min(zero(now, moment));
    }

    /// Messages recorded before this time have expired; none if nothing can expire.
    #[must_use]
    pub fn before(&self, moment: Moment) -> Option<Time> {
        let ttl = TimeDelta::from_std(self.ttl?).ok()?;
        let now = self.zero?.checked_add_signed(TimeDelta::from_std(moment).ok()?)?;
        now.checked_sub_signed(ttl)
    }
}

/// None if the time is out of range; then nothing expires.
fn zero(now: Time, moment: Moment) -> Option<Time> {
    now.checked_sub_signed(TimeDelta::from_std(moment).ok()?)
}
