//! `Retry-After`: seconds, or a date.

use chrono::{DateTime, Utc};
use fieldpost_domain::Time;
use std::time::Duration;

/// The longest pause that a response can impose on a device.
const LONGEST: Duration = Duration::from_secs(3600);

/// Reads the header. A date is compared with the server's own clock (its `Date`), since the device's may be wrong by
/// years. Without `Date` the header is ignored and the caller's own backoff applies.
pub(crate) fn parse(text: &str, server_now: Option<Time>) -> Option<Duration> {
    let text = text.trim();
    let after = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        // A date in the past means now.
        Err(_) => (http_date(text)? - server_now?).to_std().unwrap_or(Duration::ZERO),
    };
    Some(after.min(LONGEST))
}

/// Parses the date of a header, in the only form that servers still send: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(text: &str) -> Option<Time> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|date| date.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let now = http_date("Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(now.is_some());
        for (text, seconds) in [
            ("0", Some(0)),
            (" 17 ", Some(17)),
            ("99999999", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Mon, 06 Nov 2094 08:00:00 GMT", None),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(3600)),
            ("-5", None),
            ("soon", None),
            ("99999999999999999999999", None),
            ("", None),
        ] {
            assert_eq!(parse(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_date_is_not_measured_with_the_clock_of_the_device() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
    }
}
