//! Times travel as the time type of each language.

use crate::{FieldpostError, Result};
use chrono::Datelike;
use fieldpost::Time;
use std::{
    ops::RangeInclusive,
    time::{SystemTime, UNIX_EPOCH},
};

pub(crate) fn out(time: Time) -> SystemTime {
    time.into()
}

/// The years of RFC 3339, in which times travel to the server.
const YEARS: RangeInclusive<i32> = 1..=9999;

/// The languages have times that the protocol cannot name.
pub(crate) fn taken(time: SystemTime) -> Result<Time> {
    let known = of_the_calendar(time).ok().filter(|time| YEARS.contains(&time.year()));
    known.ok_or_else(|| FieldpostError::argument("this time is too far away: its year is 1 to 9999"))
}

/// A time that is only compared with others: one that is too far away is the first or the last.
pub(crate) fn nearest(time: SystemTime) -> Time {
    of_the_calendar(time).unwrap_or_else(|beyond| beyond)
}

/// The end of the calendar if the time is beyond it.
fn of_the_calendar(time: SystemTime) -> std::result::Result<Time, Time> {
    let (away, sign, end) = match time.duration_since(UNIX_EPOCH) {
        Ok(away) => (away, 1, Time::MAX_UTC),
        Err(error) => (error.duration(), -1, Time::MIN_UTC),
    };
    let micros = i64::try_from(away.as_micros()).map_err(|_| end)?;
    Time::from_timestamp_micros(sign * micros).ok_or(end)
}

/// Counts that a screen shows. None of them comes near the limit.
pub(crate) fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
