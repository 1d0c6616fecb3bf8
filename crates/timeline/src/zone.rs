//! The time zone of a screen.

use chrono::{NaiveDate, TimeDelta};
use fieldpost_domain::Time;
use std::{fmt, sync::Arc};

/// A time zone, which decides on which day a message was written.
///
/// It is a function of the app's, because each platform knows the rules of its zones, with their summer times, and keeps
/// them up to date; a library would bring tables of its own, which grow old with the app.
#[derive(Clone)]
pub struct Zone(Arc<dyn Fn(Time) -> i32 + Send + Sync>);

impl Zone {
    /// How many seconds the zone's clocks are ahead of UTC at a time: `TimeZone.secondsFromGMT(for:)` on iOS,
    /// `ZoneRules.getOffset` on Android, `Local` of `chrono` elsewhere.
    pub fn by(seconds_ahead_of_utc: impl Fn(Time) -> i32 + Send + Sync + 'static) -> Self {
        Self(Arc::new(seconds_ahead_of_utc))
    }

    /// A zone whose clocks are always ahead of UTC by so many seconds.
    #[must_use]
    pub fn fixed(seconds_ahead_of_utc: i32) -> Self {
        Self::by(move |_| seconds_ahead_of_utc)
    }

    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self::fixed(0)
    }

    /// The day of a time in this zone.
    #[must_use]
    pub fn day(&self, time: Time) -> NaiveDate {
        let utc = time.naive_utc();
        utc.checked_add_signed(TimeDelta::seconds((self.0)(time).into())).unwrap_or(utc).date()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zone").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn a_message_before_midnight_in_utc_is_of_the_next_day_further_east() {
        let time = at("2026-03-01T23:30:00Z");
        assert_eq!(Zone::utc().day(time).to_string(), "2026-03-01");
        assert_eq!(Zone::fixed(3_600).day(time).to_string(), "2026-03-02");
        assert_eq!(Zone::fixed(-24 * 3_600).day(time).to_string(), "2026-02-28");
    }

    #[test]
    fn summer_time_is_the_apps_function() {
        // Berlin, 2026: summer time begins on 29 March at 01:00 UTC.
        let begins = at("2026-03-29T01:00:00Z");
        let berlin = Zone::by(move |time| if time < begins { 3_600 } else { 7_200 });
        assert_eq!(berlin.day(at("2026-03-28T22:30:00Z")).to_string(), "2026-03-28");
        assert_eq!(berlin.day(at("2026-03-29T22:30:00Z")).to_string(), "2026-03-30");
    }

    #[test]
    fn the_ends_of_time_have_a_day() {
        for seconds in [i32::MIN, -3_600, 3_600, i32::MAX] {
            for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                let _ = Zone::fixed(seconds).day(time);
            }
        }
    }
}
