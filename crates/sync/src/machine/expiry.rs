//! Which messages have waited too long to be sent.
//!
//! What a person wrote is dated by the device's clock, and that clock may jump: somebody sets it, a phone wakes up with an
//! empty battery, the network corrects it. What is told to expire is visible and can be sent again, but it should not happen
//! for nothing. So the device's clock is not believed as it stands: it is looked at whenever something is written and before
//! every pass, and compared with a clock that never jumps. What counts as now is the **earliest** that it has said since the
//! last **anchor**, moved on by the clock that never jumps. The anchor is set when the engine begins, and again when the
//! person comes back to the app and after a pause: while a device sleeps, the clock that never jumps may sleep too.
//!
//! So while an anchor holds, a clock that jumps ahead expires nothing: it has said an earlier time before. One that jumps back
//! expires nothing either: by what counts as now everything has waited less, or has not been written yet; and when it is put
//! right, it has been heard. What is left is a clock that was wrong when a message was written and was put right before an
//! anchor; that can expire a message too early, into a dead letter that the person sees and sends again, or keep it waiting for
//! longer. It removes nothing and doubles nothing.

use super::Moment;
use chrono::TimeDelta;
use fieldpost_domain::Time;
use std::time::Duration;

/// How long a message may wait, and what the age of one is judged by; see the source of this module.
#[derive(Debug, Clone, Copy)]
pub struct Expiry {
    ttl: Option<Duration>,
    /// What the device's clock would have said at the moment zero; the earliest since the anchor.
    zero: Option<Time>,
}

impl Expiry {
    /// Nothing expires.
    #[must_use]
    pub const fn never() -> Self {
        Self { ttl: None, zero: None }
    }

    /// What has waited for longer than this expires.
    #[must_use]
    pub fn after(ttl: Duration, now: Time, moment: Moment) -> Self {
        Self { ttl: Some(ttl), zero: zero(now, moment) }
    }

    /// Believes the device's clock from here on.
    pub fn anchor(&mut self, now: Time, moment: Moment) {
        self.zero = zero(now, moment);
    }

    /// Takes note of what the device's clock says.
    pub fn look(&mut self, now: Time, moment: Moment) {
        self.zero = self.zero.min(zero(now, moment));
    }

    /// What was recorded before this has waited too long; none if nothing can have.
    #[must_use]
    pub fn before(&self, moment: Moment) -> Option<Time> {
        let ttl = TimeDelta::from_std(self.ttl?).ok()?;
        let now = self.zero?.checked_add_signed(TimeDelta::from_std(moment).ok()?)?;
        now.checked_sub_signed(ttl)
    }
}

/// None if there is no such time; then nothing expires.
fn zero(now: Time, moment: Moment) -> Option<Time> {
    now.checked_sub_signed(TimeDelta::from_std(moment).ok()?)
}
