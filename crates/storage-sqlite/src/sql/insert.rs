//! Inserting many rows with few statements.
//!
//! SQL by hand: a statement over hundreds of rows has one text (`apply`).

use super::{
    columns::names,
    tx::{Bound, Tx},
};
use crate::error::Res;
use sea_orm::{EntityTrait, Value};
use std::borrow::Borrow;

/// A statement over many rows: `head (?, …), (?, …) tail`. `R` is a row, `C` what else its values depend on.
pub(crate) struct Insert<R, C = ()> {
    head: String,
    values: Vec<fn(&R, &C) -> Value>,
    tail: String,
}

/// A column of an insert, and its value in a row.
pub(crate) type Field<E, R, C = ()> = (<E as EntityTrait>::Column, fn(&R, &C) -> Value);

/// Few sizes, so that few statements are ever prepared. One statement for many rows costs one trip to SQLite's thread instead of
/// one per row.
const SIZES: [usize; 9] = [1, 4, 16, 24, 64, 128, 256, 512, 2_000];

/// The most parameters that SQLite takes in one statement.
const MAX_PARAMETERS: usize = 32_766;

/// With which statement to go on when so many rows are left. A last row may be repeated, so that 500 rows are one statement
/// and not seventeen.
fn size_for(rows: usize, columns: usize) -> usize {
    let sizes = || SIZES.into_iter().filter(|size| size * columns <= MAX_PARAMETERS);
    let fits = sizes().filter(|size| *size <= rows).max().unwrap_or(1);
    let holds = sizes().find(|size| *size >= rows).unwrap_or(fits);
    if rows * 4 >= holds * 3 { holds } else { fits }
}

/// A column that a statement reads, and its value in a row.
type Named<R, C> = (&'static str, fn(&R, &C) -> Value);

impl<R, C> Insert<R, C> {
    /// Into the table of an entity, and what happens where a row is there.
    pub(crate) fn into<E: EntityTrait>(fields: &[Field<E, R, C>], tail: impl Into<String>) -> Self
    where
        E::Column: Copy,
    {
        let columns: Vec<_> = fields.iter().map(|(column, _)| *column).collect();
        let head = format!("INSERT INTO {} ({}) VALUES", E::default().table_name(), names(&columns));
        Self { head, values: fields.iter().map(|(_, value)| *value).collect(), tail: tail.into() }
    }

    /// Rows that a statement reads by the name `rows`.
    pub(crate) fn reading(fields: &[Named<R, C>], statement: &str) -> Self {
        let columns: Vec<_> = fields.iter().map(|(column, _)| *column).collect();
        let head = format!("WITH rows ({}) AS (VALUES", columns.join(", "));
        Self { head, values: fields.iter().map(|(_, value)| *value).collect(), tail: format!(") {statement}") }
    }

    /// Inserts the rows in order and says how many changed something. A row that comes twice must change nothing the second
    /// time.
    pub(crate) async fn run<B: Borrow<R>>(&self, tx: &Tx, rows: &[B], context: &C) -> Res<u64> {
        let mut rest = rows;
        let mut changed = 0;
        while let Some(last) = rest.last() {
            let size = size_for(rest.len(), self.values.len());
            let (chunk, after) = rest.split_at(size.min(rest.len()));
            let padded = chunk.iter().chain(std::iter::repeat_n(last, size - chunk.len()));
            let mut values = Vec::with_capacity(size * self.values.len());
            for row in padded {
                values.extend(self.values.iter().map(|value| value(row.borrow(), context)));
            }
            changed += tx.run(&self.sql(size), values).await?;
            rest = after;
        }
        Ok(changed)
    }

    /// For one row.
    pub(crate) fn one(&self, row: &R, context: &C) -> Bound {
        Bound::new(self.sql(1), self.values.iter().map(|value| value(row, context)).collect())
    }

    /// The statement for so many rows.
    pub(crate) fn sql(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.values.len()].join(","));
        format!("{} {} {}", self.head, vec![row.as_str(); rows].join(","), self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_never_has_more_parameters_than_sqlite_takes() {
        for columns in [1, 5, 16, 17, 40] {
            for rows in [1, 3, 500, 1_999, 2_500, 10_000] {
                assert!(size_for(rows, columns) * columns <= MAX_PARAMETERS, "{rows} rows of {columns}");
            }
        }
    }

    #[test]
    fn nearly_as_many_rows_as_a_statement_has_are_one_statement() {
        assert_eq!([500, 2_000, 7, 3, 1].map(|rows| size_for(rows, 16)), [512, 2_000, 4, 4, 1]);
    }
}
