//! The fields of a record: values by the names of columns.

use super::{ColumnName, RECORD_LIMIT};
use crate::metadata::METADATA_DEPTH;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why fields cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// A required field is missing, or null.
    #[error("`{0}` is required")]
    Missing(ColumnName),
    /// The table has no such column.
    #[error("the table has no column `{0}`")]
    Unknown(String),
    /// The value does not fit the column.
    #[error("`{column}` needs {expected}")]
    WrongType {
        /// The column.
        column: ColumnName,
        /// What it holds, in words.
        expected: &'static str,
    },
    /// JSON is nested deeper than [`METADATA_DEPTH`].
    #[error("`{0}`: JSON is nested at most {METADATA_DEPTH} deep, this is deeper")]
    TooDeep(ColumnName),
    /// A rule of the table does not allow the value.
    #[error("`{column}`: {rule}")]
    NotAllowed {
        /// The column.
        column: ColumnName,
        /// The rule, in words.
        rule: &'static str,
    },
    /// The record is larger than [`RECORD_LIMIT`].
    #[error("a record has at most {RECORD_LIMIT} bytes as JSON, this one has {0}")]
    TooLarge(usize),
    /// The id of a new record is that of one that was deleted.
    #[error("the id is that of a deleted record")]
    IdOfDeleted,
}

/// What a field can be set to.
///
/// JSON has no number for what is not finite, and serde makes null of it, which would clear the field. Here it is the text
/// that PostgreSQL writes for it (`NaN`, `Infinity`, `-Infinity`), which no column of numbers accepts.
pub trait IntoValue {
    /// As a value.
    fn into_value(self) -> Value;
}

macro_rules! into_value {
    ($($kind:ty),+) => {
        $(impl IntoValue for $kind {
            fn into_value(self) -> Value {
                self.into()
            }
        })+
    };
}

into_value!(Value, bool, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, String, &str, Map<String, Value>);

impl IntoValue for f64 {
    fn into_value(self) -> Value {
        match self {
            Self::INFINITY => "Infinity".into(),
            Self::NEG_INFINITY => "-Infinity".into(),
            number if number.is_nan() => "NaN".into(),
            number => number.into(),
        }
    }
}

impl IntoValue for f32 {
    fn into_value(self) -> Value {
        f64::from(self).into_value()
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        self.into_iter().map(T::into_value).collect()
    }
}

/// Values by the names of columns, in the order of the names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field, or replaces its value.
    #[must_use]
    pub fn with(mut self, column: impl Into<String>, value: impl IntoValue) -> Self {
        self.set(column, value);
        self
    }

    /// Sets a field.
    pub fn set(&mut self, column: impl Into<String>, value: impl IntoValue) {
        self.0.insert(column.into(), value.into_value());
    }

    /// The value of a field; none if it is not there. A field that is there may be null.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.0.get(column)
    }

    /// Removes a field and returns its value.
    pub fn take(&mut self, column: &str) -> Option<Value> {
        self.0.remove(column)
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(column, value)| (column.as_str(), value))
    }

    /// Puts the fields of `other` over these.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(column, value)| (column.clone(), value.clone())));
    }

    /// Their size as JSON, in bytes.
    #[must_use]
    pub fn json_size(&self) -> usize {
        crate::mutation::json_size(self)
    }
}

impl FromIterator<(String, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl IntoIterator for Fields {
    type Item = (String, Value);
    type IntoIter = serde_json::map::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
