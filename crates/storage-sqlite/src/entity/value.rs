//! What columns hold besides numbers and texts.

use crate::values::{moment, uuid};
use fieldpost_domain::Time;
use sea_orm::{
    ColIdx, DbErr, QueryResult, TryFromU64, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, StringLen, ValueType, ValueTypeErr},
};
use uuid::Uuid;

/// An id, as 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id(pub(crate) Uuid);

/// A moment, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Micros(pub(crate) Time);

/// A text in which whatever cannot be understood is dealt with anyway: what is no text at all is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnyText(pub(crate) String);

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        Self::Bytes(Some(id.0.as_bytes().to_vec()))
    }
}

impl From<Micros> for Value {
    fn from(at: Micros) -> Self {
        Self::BigInt(Some(at.0.timestamp_micros()))
    }
}

impl From<AnyText> for Value {
    fn from(text: AnyText) -> Self {
        Self::String(Some(text.0))
    }
}

impl TryGetable for AnyText {
    fn try_get_by<I: ColIdx>(row: &QueryResult, column: I) -> Result<Self, TryGetError> {
        Ok(Self(<String as TryGetable>::try_get_by(row, column).unwrap_or_default()))
    }
}

impl TryGetable for Id {
    fn try_get_by<I: ColIdx>(row: &QueryResult, column: I) -> Result<Self, TryGetError> {
        let bytes = <Vec<u8> as TryGetable>::try_get_by(row, column)?;
        uuid(&bytes).map(Self).map_err(|_| wrong("an id does not have 16 bytes"))
    }
}

impl TryGetable for Micros {
    fn try_get_by<I: ColIdx>(row: &QueryResult, column: I) -> Result<Self, TryGetError> {
        let micros = <i64 as TryGetable>::try_get_by(row, column)?;
        moment(micros).map(Self).map_err(|_| wrong("a time is out of range"))
    }
}

fn wrong(what: &str) -> TryGetError {
    TryGetError::DbErr(DbErr::Type(what.to_owned()))
}

impl ValueType for Id {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        let Value::Bytes(Some(bytes)) = value else { return Err(ValueTypeErr) };
        Uuid::from_slice(&bytes).map(Self).map_err(|_| ValueTypeErr)
    }

    fn type_name() -> String {
        "Id".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::Bytes
    }

    fn column_type() -> ColumnType {
        ColumnType::VarBinary(StringLen::None)
    }
}

impl ValueType for Micros {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        let Value::BigInt(Some(micros)) = value else { return Err(ValueTypeErr) };
        Time::from_timestamp_micros(micros).map(Self).ok_or(ValueTypeErr)
    }

    fn type_name() -> String {
        "Micros".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::BigInt
    }

    fn column_type() -> ColumnType {
        ColumnType::BigInteger
    }
}

impl ValueType for AnyText {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <String as ValueType>::try_from(value).map(Self)
    }

    fn type_name() -> String {
        "AnyText".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Text
    }
}

impl Nullable for Id {
    fn null() -> Value {
        Value::Bytes(None)
    }
}

impl Nullable for Micros {
    fn null() -> Value {
        Value::BigInt(None)
    }
}

/// A key that SQLite has counted is no id.
impl TryFromU64 for Id {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64("Id"))
    }
}
