//! Rows, read by position.
//!
//! A row of a query costs far more on its way from SQLite's thread than in SQLite: each of its values is copied by itself, and
//! each row wakes whoever waits for it. What a screen shows comes fifty rows at a time, so those queries pack their rows into
//! one value: a JSON array of arrays ([`packed_rows`]), with ids in hex. Both kinds are read by the same functions.

use crate::{
    error::{Fault, Res},
    packed::{Packed, Value, unpack},
    values::{moment, unsigned, uuid},
};
use fieldpost_domain::{Seq, Time};
use sea_orm::{QueryResult, TryGetable};
use uuid::Uuid;

/// A row.
pub(crate) struct Row(Cells);

enum Cells {
    Queried(QueryResult),
    Packed(Packed),
}

impl Row {
    pub(crate) const fn queried(row: QueryResult) -> Self {
        Self(Cells::Queried(row))
    }

    pub(crate) fn get<T: Cell>(&self, column: usize) -> Res<T> {
        match &self.0 {
            Cells::Queried(row) => T::queried(row, column),
            Cells::Packed(row) => row.value(column).and_then(T::packed).ok_or_else(|| Fault::corrupt(WRONG_TYPE)),
        }
    }

    /// The text of a column in which whatever cannot be understood is dealt with anyway: what is no text at all is none.
    pub(crate) fn text_if_any(&self, column: usize) -> String {
        self.get(column).unwrap_or_default()
    }

    pub(crate) fn id(&self, column: usize) -> Res<Uuid> {
        self.opt_id(column)?.ok_or_else(|| Fault::corrupt("an id is missing"))
    }

    pub(crate) fn opt_id(&self, column: usize) -> Res<Option<Uuid>> {
        match &self.0 {
            Cells::Queried(_) => self.get::<Option<Vec<u8>>>(column)?.map(|bytes| uuid(&bytes)).transpose(),
            Cells::Packed(row) => match row.value(column) {
                // The hex of null is empty.
                Some(Value::Text("")) => Ok(None),
                Some(Value::Text(hex)) => {
                    Uuid::try_parse(hex).map(Some).map_err(|_| Fault::corrupt("an id does not have 16 bytes"))
                }
                _ => Err(Fault::corrupt(WRONG_TYPE)),
            },
        }
    }

    pub(crate) fn seq(&self, column: usize) -> Res<Seq> {
        Ok(Seq::new(unsigned(self.get(column)?)))
    }

    pub(crate) fn time(&self, column: usize) -> Res<Time> {
        moment(self.get(column)?)
    }

    pub(crate) fn opt_time(&self, column: usize) -> Res<Option<Time>> {
        self.get::<Option<i64>>(column)?.map(moment).transpose()
    }

    pub(crate) fn count(&self, column: usize) -> Res<u64> {
        Ok(unsigned(self.get(column)?))
    }

    /// The rows that a query has packed into a column; none if it packed none.
    pub(crate) fn rows(&self, column: usize) -> Res<Vec<Self>> {
        let Some(text) = self.get::<Option<String>>(column)? else { return Ok(Vec::new()) };
        let rows = unpack(text).map_err(|_| Fault::corrupt(WRONG_TYPE))?;
        Ok(rows.into_iter().map(|row| Self(Cells::Packed(row))).collect())
    }
}

const WRONG_TYPE: &str = "a value has another type than its column";

/// An expression for all rows of a query, packed: `line` of each of them, as made by `json_array`.
pub(crate) fn packed_rows(line: &str, query: &str) -> String {
    format!("(SELECT '[' || group_concat(line, ',') || ']' FROM (SELECT {line} AS line {query}))")
}

/// What a column can hold.
pub(crate) trait Cell: Sized {
    fn queried(row: &QueryResult, column: usize) -> Res<Self>;
    fn packed(value: Value<'_>) -> Option<Self>;
}

impl Cell for i64 {
    fn queried(row: &QueryResult, column: usize) -> Res<Self> {
        from_query(row, column)
    }

    fn packed(value: Value<'_>) -> Option<Self> {
        if let Value::Number(number) = value { Some(number) } else { None }
    }
}

impl Cell for String {
    fn queried(row: &QueryResult, column: usize) -> Res<Self> {
        from_query(row, column)
    }

    fn packed(value: Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.to_owned()) } else { None }
    }
}

impl Cell for Vec<u8> {
    fn queried(row: &QueryResult, column: usize) -> Res<Self> {
        from_query(row, column)
    }

    /// JSON has no bytes; ids are read by [`Row::id`].
    fn packed(_: Value<'_>) -> Option<Self> {
        None
    }
}

impl<T: Cell + TryGetable> Cell for Option<T> {
    fn queried(row: &QueryResult, column: usize) -> Res<Self> {
        from_query(row, column)
    }

    fn packed(value: Value<'_>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::packed(value).map(Some) }
    }
}

fn from_query<T: TryGetable>(row: &QueryResult, column: usize) -> Res<T> {
    Ok(row.try_get_by_index(column)?)
}
