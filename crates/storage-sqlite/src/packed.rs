//! Rows that a query has packed into one text: a JSON array of arrays.
//!
//! A screen is fifty rows of twenty values, most of them short texts that are read once, so no value is copied out of the text
//! before it is read: a cell knows where it stands. Only what was written with escapes has to be made.

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use std::{fmt, sync::Arc};

/// A row.
#[derive(Debug)]
pub(crate) struct Packed {
    text: Arc<str>,
    cells: Vec<Cell>,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Number(i64),
    Text(&'a str),
    /// What no column has.
    Other,
}

#[derive(Debug)]
enum Cell {
    Null,
    Number(i64),
    /// From here to there in the text.
    At(usize, usize),
    Escaped(Box<str>),
    Other,
}

/// The rows of a text.
pub(crate) fn unpack(text: String) -> serde_json::Result<Vec<Packed>> {
    let text: Arc<str> = text.into();
    let mut json = serde_json::Deserializer::from_str(&text);
    let rows = json.deserialize_seq(Rows { begins: text.as_ptr().addr(), columns: 0 })?;
    json.end()?;
    Ok(rows.into_iter().map(|cells| Packed { text: text.clone(), cells }).collect())
}

impl Packed {
    /// None if there is no such column.
    pub(crate) fn value(&self, column: usize) -> Option<Value<'_>> {
        Some(match self.cells.get(column)? {
            Cell::Null => Value::Null,
            Cell::Number(number) => Value::Number(*number),
            Cell::At(from, to) => Value::Text(self.text.get(*from..*to)?),
            Cell::Escaped(text) => Value::Text(text),
            Cell::Other => Value::Other,
        })
    }
}

struct Rows {
    /// The address of the text.
    begins: usize,
    /// How many the last row had; all have as many.
    columns: usize,
}

impl<'de> Visitor<'de> for Rows {
    type Value = Vec<Vec<Cell>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut all: A) -> Result<Self::Value, A::Error> {
        let mut rows: Self::Value = Vec::new();
        while let Some(row) = all.next_element_seed(Cells(&self))? {
            self.columns = row.len();
            rows.push(row);
        }
        Ok(rows)
    }
}

struct Cells<'r>(&'r Rows);

impl<'de> DeserializeSeed<'de> for Cells<'_> {
    type Value = Vec<Cell>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Cells<'_> {
    type Value = Vec<Cell>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        let mut cells = Vec::with_capacity(self.0.columns);
        while let Some(cell) = all.next_element_seed(One(self.0.begins))? {
            cells.push(cell);
        }
        Ok(cells)
    }
}

struct One(usize);

impl<'de> DeserializeSeed<'de> for One {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Cell, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One {
    type Value = Cell;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Cell, E> {
        Ok(Cell::Other)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell, E> {
        Ok(i64::try_from(number).map_or(Cell::Other, Cell::Number))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Cell, E> {
        Ok(Cell::Other)
    }

    /// As it stands in the text.
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cell, E> {
        let from = text.as_ptr().addr().wrapping_sub(self.0);
        Ok(Cell::At(from, from.wrapping_add(text.len())))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Escaped(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<Vec<Value<'static>>> {
        let rows = unpack(text.to_owned()).unwrap();
        let own = |value: Value<'_>| match value {
            Value::Text(text) => Value::Text(text.to_owned().leak()),
            Value::Null => Value::Null,
            Value::Number(number) => Value::Number(number),
            Value::Other => Value::Other,
        };
        rows.iter().map(|row| (0..).map_while(|column| row.value(column)).map(own).collect()).collect()
    }

    #[test]
    fn every_value_is_read_as_it_was_packed() {
        use Value::{Null, Number, Other, Text};
        let rows = values(
            r#" [["é", "", null, -1, 9223372036854775807], ["a\n\u00e9\"b", "👩‍👩‍👧", 1.5, true, 9223372036854775808]] "#,
        );
        assert_eq!(rows[0], [Text("é"), Text(""), Null, Number(-1), Number(i64::MAX)]);
        assert_eq!(rows[1], [Text("a\né\"b"), Text("👩‍👩‍👧"), Other, Other, Other]);
        assert_eq!(values("[]"), Vec::<Vec<Value<'_>>>::new());
        assert_eq!(values("[[],[1]]"), [vec![], vec![Number(1)]]);
    }

    #[test]
    fn what_was_not_packed_is_an_error() {
        for text in ["", "{}", "[1]", "[[1]", "[[1]]]", "[[{}]]", "[[[1]]]"] {
            assert!(unpack(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_column_that_is_not_there_has_no_value() {
        assert_eq!(unpack("[[1]]".to_owned()).unwrap()[0].value(1), None);
    }
}
