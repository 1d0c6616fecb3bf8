//! How texts and times are sent.
//!
//! U+0000 anywhere makes PostgreSQL refuse the whole call. The types of content and metadata exclude it. Other texts
//! lose it here, so that none of them can block the rest of the outbox. Times have microseconds and end in `Z`.

use chrono::SecondsFormat;
use fieldpost_domain::Time;
use serde::Serializer;
use std::borrow::Cow;

pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

pub(super) fn microseconds<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}
