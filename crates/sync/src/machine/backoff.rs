//! Exponential backoff with full jitter.

use super::schedule::Moment;
use std::time::Duration;

/// How the waits grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    /// The ceiling of the first wait.
    pub(super) first: Duration,
    /// The highest ceiling.
    pub(super) cap: Duration,
}

/// The backoff of the connection or of one lane.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Backoff {
    failures: u32,
    until: Moment,
}

impl Backoff {
    /// The end of the current wait.
    pub(super) const fn until(&self) -> Moment {
        self.until
    }

    /// Records a failure and draws the next wait.
    pub(super) fn failed(&mut self, now: Moment, growth: Growth, chance: u32) {
        let ceiling = growth.first.saturating_mul(2_u32.saturating_pow(self.failures)).min(growth.cap);
        self.failures = self.failures.saturating_add(1);
        self.until = now + jittered(ceiling, chance);
    }
}

/// A wait between zero and the ceiling (full jitter), so that devices which lost the same server do not return at once.
/// At least a millisecond, because zero would be no wait.
fn jittered(ceiling: Duration, chance: u32) -> Duration {
    let nanos = ceiling.as_nanos() * (u128::from(chance) + 1) / (u128::from(u32::MAX) + 1);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_lies_between_zero_and_its_ceiling() {
        let ceiling = Duration::from_secs(8);
        assert_eq!(jittered(ceiling, u32::MAX), ceiling);
        assert_eq!(jittered(ceiling, u32::MAX / 2), ceiling / 2);
        assert_eq!(jittered(ceiling, 0), Duration::from_millis(1));
        assert_eq!(jittered(Duration::ZERO, u32::MAX), Duration::from_millis(1));
    }

    #[test]
    fn ceilings_double_up_to_the_cap_and_never_overflow() {
        let growth = Growth { first: Duration::from_secs(1), cap: Duration::from_secs(60) };
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..100 {
            backoff.failed(Moment::ZERO, growth, u32::MAX);
            waits.push(backoff.until().as_secs());
        }
        assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits[99], 60);
    }
}
