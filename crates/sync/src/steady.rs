//! A clock that nobody can set and that goes on while the device sleeps.

use std::time::Duration;

/// The time since the device was started, sleep included.
#[cfg(all(feature = "records", any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    // Apple's monotonic clock goes on in sleep; that of Linux does not.
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: ClockId = ClockId::Boottime;
    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The time since the first call in this process. Whether it goes on in sleep depends on the system.
#[cfg(not(all(feature = "records", any(target_os = "linux", target_os = "android", target_vendor = "apple"))))]
pub(crate) fn since_boot() -> Duration {
    use std::{sync::OnceLock, time::Instant};
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::since_boot;

    #[test]
    fn steady_time_never_goes_back() {
        let before = since_boot();
        assert!(since_boot() >= before);
    }
}
