//! Rows that a query has packed into one value: a JSON array of arrays, with ids in hex.
//!
//! They have no names. Their order is that of an enum ([`cells!`]), which the query and whoever reads take from one place.
//!
//! SQL by hand: how rows are packed (`list`, `window`).

use crate::{
    error::{Fault, Res},
    packed::{Packed, Value, unpack},
    values::{moment, unsigned},
};
use fieldpost_domain::{Seq, Time};
use uuid::Uuid;

/// A row.
pub(crate) struct Line(Packed);

/// The cells of packed rows.
pub(crate) trait Cell: Copy {
    /// The place of this one.
    fn place(self) -> usize;
}

/// The cells of packed rows, each with the SQL that fills it: an enum, and a function that gives all of that SQL as a row.
macro_rules! cells {
    ($(#[$doc:meta])* $vis:vis enum $name:ident($($given:ident),*) { $($cell:ident = $sql:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $vis enum $name { $($cell),+ }

        impl $crate::line::Cell for $name {
            fn place(self) -> usize {
                self as usize
            }
        }

        impl $name {
            /// The expression for a row.
            $vis fn row($($given: &str),*) -> String {
                let cells: &[String] = &[$(String::from($sql)),+];
                format!("json_array({})", cells.join(", "))
            }
        }
    };
}
pub(crate) use cells;

/// An expression for all rows of a query, packed: `row` of each of them.
pub(crate) fn packed(row: &str, query: &str) -> String {
    format!("(SELECT '[' || group_concat(line, ',') || ']' FROM (SELECT {row} AS line {query}))")
}

const WRONG_TYPE: &str = "a value has another type than its column";

impl Line {
    pub(crate) const fn new(row: Packed) -> Self {
        Self(row)
    }

    pub(crate) fn get<T: Content>(&self, cell: impl Cell) -> Res<T> {
        self.value(cell).and_then(T::of).ok_or_else(|| Fault::corrupt(WRONG_TYPE))
    }

    fn value(&self, cell: impl Cell) -> Option<Value<'_>> {
        self.0.value(cell.place())
    }

    /// A row that the query has packed into a cell, as text.
    pub(crate) fn line(&self, cell: impl Cell) -> Res<Option<Self>> {
        let Some(text) = self.get::<Option<String>>(cell)? else { return Ok(None) };
        let rows = unpack(text).map_err(|_| Fault::corrupt("a row that was packed cannot be read"))?;
        Ok(rows.into_iter().next().map(Self::new))
    }

    pub(crate) fn is(&self, cell: impl Cell) -> Res<bool> {
        Ok(self.get::<i64>(cell)? != 0)
    }

    pub(crate) fn id(&self, cell: impl Cell) -> Res<Uuid> {
        self.opt_id(cell)?.ok_or_else(|| Fault::corrupt("an id is missing"))
    }

    pub(crate) fn opt_id(&self, cell: impl Cell) -> Res<Option<Uuid>> {
        match self.value(cell) {
            // The hex of null is empty.
            Some(Value::Text("")) => Ok(None),
            Some(Value::Text(hex)) => {
                Uuid::try_parse(hex).map(Some).map_err(|_| Fault::corrupt("an id does not have 16 bytes"))
            }
            _ => Err(Fault::corrupt(WRONG_TYPE)),
        }
    }

    pub(crate) fn seq(&self, cell: impl Cell) -> Res<Seq> {
        Ok(Seq::new(self.count(cell)?))
    }

    pub(crate) fn time(&self, cell: impl Cell) -> Res<Time> {
        moment(self.get(cell)?)
    }

    pub(crate) fn opt_time(&self, cell: impl Cell) -> Res<Option<Time>> {
        self.get::<Option<i64>>(cell)?.map(moment).transpose()
    }

    /// The rows that are packed into a cell; none if it is null.
    pub(crate) fn lines(&self, cell: impl Cell) -> Res<Vec<Self>> {
        let Some(text) = self.get::<Option<String>>(cell)? else { return Ok(Vec::new()) };
        let rows = unpack(text).map_err(|_| Fault::corrupt("rows that were packed cannot be read"))?;
        Ok(rows.into_iter().map(Self::new).collect())
    }

    pub(crate) fn count(&self, cell: impl Cell) -> Res<u64> {
        Ok(unsigned(self.get(cell)?))
    }
}

/// What a cell can hold.
pub(crate) trait Content: Sized {
    fn of(value: Value<'_>) -> Option<Self>;
}

impl Content for i64 {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Number(number) = value { Some(number) } else { None }
    }
}

impl Content for String {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.to_owned()) } else { None }
    }
}

impl<T: Content> Content for Option<T> {
    fn of(value: Value<'_>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::of(value).map(Some) }
    }
}
