//! Times travel as the time type of each language.

use crate::{FieldpostError, Result};
use fieldpost::Time;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn out(time: Time) -> SystemTime {
    time.into()
}

/// The languages have times that no calendar of the engine has.
pub(crate) fn taken(time: SystemTime) -> Result<Time> {
    let no_moment = || FieldpostError::argument("this time is too far away");
    let (before, away) = match time.duration_since(UNIX_EPOCH) {
        Ok(away) => (false, away),
        Err(error) => (true, error.duration()),
    };
    let micros = i64::try_from(away.as_micros()).map_err(|_| no_moment())?;
    Time::from_timestamp_micros(if before { -micros } else { micros }).ok_or_else(no_moment)
}

/// Counts that a screen shows. None of them comes near the limit.
pub(crate) fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
