//! The limits of a row, and what replaces content above them.
//!
//! A push above them is refused. A client that writes into the tables itself is not checked: the database has accepted
//! its row. Such a row is delivered without the content that exceeds the limits, so that it cannot block anybody's
//! feed.

use chrono::{TimeDelta, TimeZone, Utc};
use fieldpost_domain::{
    Metadata, MetadataError, Omitted, OmittedReason, RefusalCode, Time,
    content::{CONTENT_LIMIT, SUBJECT_LIMIT},
};

/// The part of a message that exceeds the limits, if any.
pub(super) fn of_message(content: Option<&str>, metadata: Option<&Metadata>) -> Option<Omitted> {
    let content = content.filter(|content| content.chars().count() > CONTENT_LIMIT);
    let too_long = content.map(|content| omitted(OmittedReason::ContentTooLong, content.len()));
    too_long.or_else(|| {
        let metadata = metadata?;
        let reason = match metadata.check() {
            Err(MetadataError::TooLarge { .. }) => OmittedReason::MetadataTooLarge,
            Err(MetadataError::TooDeep) => OmittedReason::MetadataTooDeep,
            _ => return None,
        };
        Some(omitted(reason, serde_json::to_string(metadata).map_or(0, |json| json.len())))
    })
}

/// The part of a subject that exceeds the limits, if any.
pub(super) fn of_subject(subject: Option<&str>) -> Option<Omitted> {
    let subject = subject.filter(|subject| subject.chars().count() > SUBJECT_LIMIT)?;
    Some(omitted(OmittedReason::SubjectTooLong, subject.len()))
}

const fn omitted(reason: OmittedReason, bytes: usize) -> Omitted {
    Omitted { reason, bytes: bytes as u64 }
}

/// The refusal code for a push with the same problem.
pub(super) fn refusal(omitted: &Omitted) -> RefusalCode {
    RefusalCode::from(omitted.reason.as_str())
}

/// The device's time, if it is plausible: not before 2000, and not more than a day ahead of the server's clock.
pub(super) fn believed(composed_at: Option<Time>, now: Time) -> Option<Time> {
    let earliest = Utc.with_ymd_and_hms(2000, 1, 1, 0, 0, 0).single()?;
    composed_at.filter(|at| *at >= earliest && *at <= now + TimeDelta::days(1))
}
