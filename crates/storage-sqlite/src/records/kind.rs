//! How a column of a declared table is stored.

use super::json;
use crate::{error::Res, row::Row, values};
use fieldpost_domain::records::ColumnKind;
use sea_orm::Value as Stored;
use serde_json::Value;
use uuid::Uuid;

/// Its type in a STRICT table. A kind of a later version is kept as JSON.
pub(super) const fn definition(kind: &ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Integer | ColumnKind::Bool | ColumnKind::Time => "INTEGER",
        ColumnKind::Real => "REAL",
        ColumnKind::Reference(_) => "BLOB",
        _ => "TEXT",
    }
}

/// Null, as the column takes it.
const fn null(kind: &ColumnKind) -> Stored {
    match kind {
        ColumnKind::Integer | ColumnKind::Bool | ColumnKind::Time => Stored::BigInt(None),
        ColumnKind::Real => Stored::Double(None),
        ColumnKind::Reference(_) => Stored::Bytes(None),
        _ => Stored::String(None),
    }
}

/// A value as the column has it. What is null or does not fit is null.
pub(super) fn store(kind: &ColumnKind, value: Option<&Value>) -> Stored {
    value.filter(|value| !value.is_null()).and_then(|value| fitting(kind, value)).unwrap_or_else(|| null(kind))
}

fn fitting(kind: &ColumnKind, value: &Value) -> Option<Stored> {
    match kind {
        ColumnKind::Integer => value.as_i64().map(values::int),
        ColumnKind::Bool => value.as_bool().map(|truth| values::int(truth.into())),
        ColumnKind::Time => time(value.as_str()?).map(values::time),
        ColumnKind::Real => value.as_f64().map(|number| Stored::Double(Some(number))),
        ColumnKind::Reference(_) => Uuid::try_parse(value.as_str()?).ok().map(values::id),
        ColumnKind::Text | ColumnKind::Date | ColumnKind::Uuid => value.as_str().map(values::text),
        _ => Some(values::text(value.to_string())),
    }
}

fn time(text: &str) -> Option<fieldpost_domain::Time> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// The value of a column; none if it has none.
pub(super) fn read(kind: &ColumnKind, row: &Row, column: &str) -> Res<Option<Value>> {
    Ok(match kind {
        ColumnKind::Integer => row.get::<Option<i64>>(column)?.map(Value::from),
        ColumnKind::Bool => row.get::<Option<i64>>(column)?.map(|truth| (truth != 0).into()),
        ColumnKind::Time => row.get::<Option<i64>>(column)?.map(values::moment).transpose()?.map(rfc3339),
        ColumnKind::Real => row.get::<Option<f64>>(column)?.map(Value::from),
        ColumnKind::Reference(_) => row.opt_id(column)?.map(|id| id.hyphenated().to_string().into()),
        ColumnKind::Text | ColumnKind::Date | ColumnKind::Uuid => row.get::<Option<String>>(column)?.map(Value::from),
        _ => json::read_or_nothing(row.get(column)?, "a column of JSON"),
    })
}

fn rfc3339(time: fieldpost_domain::Time) -> Value {
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into()
}
