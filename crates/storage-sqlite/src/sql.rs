//! Small words for talking SQL: binding, reading, and inserting many rows with few statements.
//!
//! Every statement that runs often has one text, so that it is prepared once: sets of ids are bound as one JSON array of hex
//! ([`IdSet`]), and rows are inserted in chunks of a few fixed sizes ([`insert_rows`]).

use crate::error::{Fault, Res};
use fieldpost_domain::{Seq, Time};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult, Statement, TryGetable, Value};
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

    pub(crate) fn bind(&self) -> Value {
        text(self.0.as_str())
    }
}

/// A row read by position.
pub(crate) struct Row(QueryResult);

impl Row {
    pub(crate) fn get<T: TryGetable>(&self, column: usize) -> Res<T> {
        Ok(self.0.try_get_by_index(column)?)
    }

    pub(crate) fn id(&self, column: usize) -> Res<Uuid> {
        uuid(&self.get::<Vec<u8>>(column)?)
    }

    pub(crate) fn opt_id(&self, column: usize) -> Res<Option<Uuid>> {
        self.get::<Option<Vec<u8>>>(column)?.map(|bytes| uuid(&bytes)).transpose()
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
}

/// A transaction, reading or writing.
pub(crate) struct Tx(DatabaseTransaction);

impl Tx {
    pub(crate) const fn new(transaction: DatabaseTransaction) -> Self {
        Self(transaction)
    }

    pub(crate) fn into_inner(self) -> DatabaseTransaction {
        self.0
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn run(&self, sql: &str, values: Vec<Value>) -> Res<u64> {
        Ok(self.0.execute_raw(statement(sql, values)).await?.rows_affected())
    }

    pub(crate) async fn all(&self, sql: &str, values: Vec<Value>) -> Res<Vec<Row>> {
        Ok(self.0.query_all_raw(statement(sql, values)).await?.into_iter().map(Row).collect())
    }

    pub(crate) async fn one(&self, sql: &str, values: Vec<Value>) -> Res<Option<Row>> {
        Ok(self.0.query_one_raw(statement(sql, values)).await?.map(Row))
    }

    /// The first column of the only row of a query that always has one.
    pub(crate) async fn value<T: TryGetable>(&self, sql: &str, values: Vec<Value>) -> Res<T> {
        let row =
            self.one(sql, values).await?.ok_or_else(|| Fault::corrupt("a row is missing that is always there"))?;
        row.get(0)
    }
}

fn statement(sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

/// An insert of many rows: `head (?, …), (?, …) tail`.
pub(crate) struct Insert {
    pub(crate) head: &'static str,
    pub(crate) columns: usize,
    pub(crate) tail: &'static str,
}

/// Few sizes, so that few statements are ever prepared. One statement for many rows costs one trip to SQLite's thread instead of
/// one per row, and the full-text index writes out what it has gathered once for each statement.
const SIZES: [usize; 8] = [1, 4, 16, 64, 128, 256, 512, 2_000];

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

impl Insert {
    /// Inserts the rows in order and says how many changed something. A row that comes twice must change nothing the second
    /// time.
    pub(crate) async fn run<R>(&self, tx: &Tx, rows: &[R], bind: impl Fn(&R, &mut Vec<Value>)) -> Res<u64> {
        let mut rest = rows;
        let mut changed = 0;
        while let Some(last) = rest.last() {
            let size = size_for(rest.len(), self.columns);
            let (chunk, after) = rest.split_at(size.min(rest.len()));
            let mut values = Vec::with_capacity(size * self.columns);
            chunk.iter().for_each(|row| bind(row, &mut values));
            (chunk.len()..size).for_each(|_| bind(last, &mut values));
            changed += tx.run(&self.sql(size), values).await?;
            rest = after;
        }
        Ok(changed)
    }

    fn sql(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
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
