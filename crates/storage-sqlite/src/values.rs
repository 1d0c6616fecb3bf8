//! Values as the file has them, and as a connection takes them.

use crate::error::{Fault, Res};
use fieldpost_domain::{Seq, Time};
use sea_orm::{
    Value,
    sqlx::{Arguments as _, AssertSqlSafe, Error, Sqlite, query::Query, query_with, sqlite::SqliteArguments},
};
use std::fmt::Write;
use uuid::Uuid;

pub(crate) fn id(id: Uuid) -> Value {
    Value::Bytes(Some(id.as_bytes().to_vec()))
}

pub(crate) fn opt_id(id: Option<Uuid>) -> Value {
    Value::Bytes(id.map(|id| id.as_bytes().to_vec()))
}

pub(crate) fn text(text: impl Into<String>) -> Value {
    Value::String(Some(text.into()))
}

pub(crate) fn opt_text(text: Option<impl Into<String>>) -> Value {
    Value::String(text.map(Into::into))
}

pub(crate) const fn int(number: i64) -> Value {
    Value::BigInt(Some(number))
}

pub(crate) fn seq(seq: Seq) -> Value {
    int(signed(seq.get()))
}

pub(crate) fn time(at: Time) -> Value {
    int(at.timestamp_micros())
}

pub(crate) fn opt_time(at: Option<Time>) -> Value {
    Value::BigInt(at.map(|at| at.timestamp_micros()))
}

/// SQLite's integers are signed; the server's stay below 2^53.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A moment as stored.
pub(crate) fn moment(micros: i64) -> Res<Time> {
    Time::from_timestamp_micros(micros).ok_or_else(|| Fault::corrupt("a time is out of range"))
}

pub(crate) fn uuid(bytes: &[u8]) -> Res<Uuid> {
    Uuid::from_slice(bytes).map_err(|_| Fault::corrupt("an id does not have 16 bytes"))
}

/// A set of ids as one parameter.
#[derive(Debug, Clone)]
pub(crate) struct IdSet(String);

impl IdSet {
    pub(crate) fn of(ids: impl IntoIterator<Item = Uuid>) -> Self {
        let mut json = String::from("[");
        for id in ids {
            // Writing to a String cannot fail.
            let _ = write!(json, "{}\"{}\"", if json.len() > 1 { "," } else { "" }, id.simple());
        }
        json.push(']');
        Self(json)
    }

    /// A set that a query has made, by `json_group_array(hex(id))`.
    pub(crate) const fn packed(json: String) -> Self {
        Self(json)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0 == "[]"
    }

    pub(crate) fn bind(&self) -> Value {
        text(self.0.as_str())
    }
}

/// A statement for a connection that is held by itself, prepared once.
pub(crate) fn statement_of(sql: String, arguments: SqliteArguments) -> Query<'static, Sqlite, SqliteArguments> {
    query_with(AssertSqlSafe(sql), arguments)
}

/// Values as such a connection takes them.
pub(crate) fn arguments(values: Vec<Value>) -> Res<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Value::BigInt(number) => arguments.add(number),
            Value::Int(number) => arguments.add(number),
            // Limits, as they are built.
            Value::BigUnsigned(number) => arguments.add(number.map(signed)),
            Value::Bool(truth) => arguments.add(truth),
            Value::Double(number) => arguments.add(number),
            Value::String(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
            other => Err(format!("a value of a type that no column has: {other:?}").into()),
        };
        added.map_err(Error::Encode)?;
    }
    Ok(arguments)
}
