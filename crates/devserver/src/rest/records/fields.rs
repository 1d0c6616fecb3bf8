//! The fields of an element, parsed one by one. A fault names the field.

use chrono::{DateTime, Utc};
use fieldpost_domain::records::Modified;
use serde_json::{Map, Value};
use std::{str::FromStr, time::Duration};

/// The fields of an element; null counts as absent.
pub(super) struct Element<'a>(pub(super) &'a Map<String, Value>);

/// The name of a field that is missing or of the wrong type.
pub(super) type Fault = &'static str;

impl<'a> Element<'a> {
    pub(super) fn present(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: Fault) -> Result<Option<&'a str>, Fault> {
        self.present(name).map(|value| value.as_str().ok_or(name)).transpose()
    }

    pub(super) fn needed(&self, name: Fault) -> Result<&'a str, Fault> {
        self.text(name)?.ok_or(name)
    }

    pub(super) fn optional_id<T: FromStr>(&self, name: Fault) -> Result<Option<T>, Fault> {
        self.text(name)?.map(|text| text.parse().map_err(|_| name)).transpose()
    }

    pub(super) fn id<T: FromStr>(&self, name: Fault) -> Result<T, Fault> {
        self.optional_id(name)?.ok_or(name)
    }

    /// When a change was made.
    pub(super) fn modified(&self) -> Result<Modified, Fault> {
        if let Some(age) = self.present("age_ms") {
            // An age below zero is a time in the future, which counts as now.
            let age = age.as_i64().ok_or("age_ms")?;
            return Ok(Modified::Ago(Duration::from_millis(u64::try_from(age).unwrap_or(0))));
        }
        let text = self.text("modified_at")?.ok_or("age_ms")?;
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| "modified_at")?;
        Ok(Modified::At(time.with_timezone(&Utc)))
    }
}
