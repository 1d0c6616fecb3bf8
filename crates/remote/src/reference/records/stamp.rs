//! When a change was made, by this server's clock.

use crate::reference::ids::to_micros;
use chrono::{TimeDelta, TimeZone as _, Utc};
use fieldpost_domain::{Time, records::Modified};

/// The time of a change: not after now, not before 2000.
pub(super) fn stamp(modified: Modified, now: Time) -> Time {
    let earliest = Utc.with_ymd_and_hms(2000, 1, 1, 0, 0, 0).single().unwrap_or(now);
    let at = match modified {
        Modified::At(at) => Some(at),
        Modified::Ago(age) => TimeDelta::from_std(age).ok().and_then(|age| now.checked_sub_signed(age)),
    };
    to_micros(at.unwrap_or(earliest).min(now).max(earliest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_time_lies_between_2000_and_now() {
        let at = |seconds| Time::from_timestamp(seconds, 0).unwrap();
        let (now, earliest) = (at(1_800_000_000), at(946_684_800));
        for (modified, expected) in [
            (Modified::Ago(Duration::from_secs(60)), at(1_800_000_000 - 60)),
            (Modified::Ago(Duration::MAX), earliest),
            (Modified::At(at(0)), earliest),
            (Modified::At(at(1_700_000_000)), at(1_700_000_000)),
            (Modified::At(at(1_900_000_000)), now),
        ] {
            assert_eq!(stamp(modified, now), expected, "{modified:?}");
        }
    }
}
