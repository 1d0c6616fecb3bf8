//! A column of a declared table.

use super::{ColumnName, FieldError, TableName};
use crate::{
    Time,
    metadata::{METADATA_DEPTH, is_deeper},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a column holds, and how a value looks in [`super::Fields`] and on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnKind {
    /// Text: a JSON string.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number, with the 15 digits of an [`f64`]. A whole number counts as one.
    Real,
    /// True or false.
    Bool,
    /// A moment: RFC 3339 with an offset, kept with microseconds. In UTC its year is 1 to 9999. A time of the server
    /// without an offset is in UTC.
    Time,
    /// A day without a time: `2026-01-31`.
    Date,
    /// Any JSON, nested at most [`METADATA_DEPTH`] deep.
    Json,
    /// A UUID.
    Uuid,
    /// The id of a record of another declared table. It follows that record when it is re-keyed.
    Reference(TableName),
}

/// A column of a declared table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name on the device.
    pub name: ColumnName,
    /// Its name on the server.
    pub server_name: ColumnName,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether a new record needs a value.
    pub required: bool,
    /// Whether the device keeps an index for it, for queries that filter by it.
    pub indexed: bool,
}

impl Column {
    /// An optional column with one name on both sides.
    #[must_use]
    pub fn new(name: ColumnName, kind: ColumnKind) -> Self {
        Self { server_name: name.clone(), name, kind, required: false, indexed: false }
    }

    /// A new record needs a value in it.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The device keeps an index for it.
    #[must_use]
    pub fn indexed(self) -> Self {
        Self { indexed: true, ..self }
    }

    /// The server calls it differently.
    #[must_use]
    pub fn on_server(self, server_name: ColumnName) -> Self {
        Self { server_name, ..self }
    }

    /// Checks a value. Null is a value of every column that is not required.
    ///
    /// # Errors
    /// [`FieldError`] when the value does not fit.
    pub fn check(&self, value: &Value) -> Result<(), FieldError> {
        if value.is_null() && self.required {
            return Err(FieldError::Missing(self.name.clone()));
        }
        if self.kind == ColumnKind::Json && is_deeper(value, METADATA_DEPTH) {
            return Err(FieldError::TooDeep(self.name.clone()));
        }
        if value.is_null() || self.kind.fits(value) {
            return Ok(());
        }
        Err(FieldError::WrongType { column: self.name.clone(), expected: self.kind.expected() })
    }
}

impl ColumnKind {
    /// Whether a value that is not null is of this kind.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Json, _) | (Self::Bool, Value::Bool(_)) => true,
            (Self::Text, Value::String(text)) => !text.contains('\0'),
            (Self::Integer, Value::Number(number)) => number.is_i64(),
            (Self::Real, Value::Number(number)) => number.as_f64().is_some_and(f64::is_finite),
            (Self::Time, Value::String(text)) => parse_time(text).is_some(),
            (Self::Date, Value::String(text)) => chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
            (Self::Uuid | Self::Reference(_), Value::String(text)) => uuid::Uuid::try_parse(text).is_ok(),
            _ => false,
        }
    }

    /// A value in the one spelling that is kept: times in UTC with microseconds, UUIDs in lower case with hyphens, days as
    /// `2026-01-31`, numbers as [`f64`]. A value that does not fit stays as it is.
    #[must_use]
    pub fn canonical(&self, value: Value) -> Value {
        let spelled = match (self, &value) {
            (Self::Real, Value::Number(number)) => number.as_f64().map(Value::from),
            (Self::Time, Value::String(text)) => {
                parse_time(text).map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into())
            }
            (Self::Date, Value::String(text)) => {
                let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
                day.map(|day| day.format("%Y-%m-%d").to_string().into())
            }
            (Self::Uuid | Self::Reference(_), Value::String(text)) => {
                uuid::Uuid::try_parse(text).ok().map(|id| id.hyphenated().to_string().into())
            }
            _ => None,
        };
        spelled.unwrap_or(value)
    }

    /// A time that the server says without a zone, with that of UTC: PostgreSQL's `timestamp` forgets the zone of what is
    /// written, and devices write UTC.
    pub(super) fn in_utc(&self, value: &Value) -> Option<Value> {
        let text = value.as_str().filter(|_| *self == Self::Time)?;
        let moment = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        Some(moment.and_utc().to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into())
    }

    pub(super) const fn expected(&self) -> &'static str {
        match self {
            Self::Text => "a text without U+0000",
            Self::Integer => "a whole number of 64 bits",
            Self::Real => "a number",
            Self::Bool => "true or false",
            Self::Time => "a time such as 2026-01-31T08:15:00Z",
            Self::Date => "a day such as 2026-01-31",
            Self::Json => "JSON",
            Self::Uuid => "a UUID",
            Self::Reference(_) => "the id of a record",
        }
    }
}

/// The moment that a [`ColumnKind::Time`] holds, in the years 1 to 9999; none if the text is none.
pub(super) fn parse_time(text: &str) -> Option<Time> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (-62_135_596_800_000..=253_402_300_799_999).contains(&time.timestamp_millis()).then_some(time)
}
