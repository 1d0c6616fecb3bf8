//! Small words for talking SQL: binding, running, and inserting many rows with few statements.
//!
//! Every statement that runs often has one text, so that it is prepared once: sets of ids are bound as one JSON array of hex
//! ([`IdSet`]), and rows are inserted in chunks of a few fixed sizes ([`Insert`]). A limit is written `LIMIT 0 + ?`: SQLite's
//! planner looks at the value of a bare `LIMIT ?`, and so prepares the statement again whenever that is bound, which costs
//! several times what running it does.

use crate::{
    error::{Fault, Res},
    readers::Reading,
    row::{Cell, Row},
    writer::Writing,
};
use fieldpost_domain::{ConversationId, Seq, Time};
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use sea_orm::{
    Value,
    sqlx::{
        Arguments as _, AssertSqlSafe, Error, Sqlite,
        query::Query,
        query_with,
        sqlite::{SqliteArguments, SqliteRow},
    },
};
use std::{borrow::Cow, fmt::Write};
use tokio::sync::Mutex;
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

/// Where statements run.
pub(crate) enum Tx {
    /// A transaction that writes. Nobody ever waits for these locks: statements of a transaction run one after the other.
    Writing(Mutex<Writing>),
    /// What reads: a transaction, or a single query.
    Reading(Mutex<Reading>),
}

impl Tx {
    /// Ends it well, and answers what looks different.
    pub(crate) async fn commit(self) -> Res<ChangeSet> {
        match self {
            Self::Writing(writing) => writing.into_inner().commit().await,
            Self::Reading(reading) => reading.into_inner().commit().await.map(|()| ChangeSet::nothing()),
        }
    }

    /// Undoes it, and answers what looks different all the same.
    pub(crate) async fn rollback(self) -> ChangeSet {
        match self {
            Self::Writing(writing) => writing.into_inner().rollback().await,
            Self::Reading(_) => ChangeSet::nothing(),
        }
    }

    /// Notes what will look different once this is committed.
    pub(crate) async fn changed(&self, changes: ChangeSet) {
        if let Self::Writing(writing) = self {
            writing.lock().await.changed(changes);
        }
    }

    /// The same of these conversations: their lines and threads.
    pub(crate) async fn touched(&self, conversations: impl IntoIterator<Item = Uuid>) {
        self.changed(ChangeSet::of(conversations.into_iter().map(ConversationId::from_uuid))).await;
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn run(&self, sql: &str, values: Vec<Value>) -> Res<u64> {
        self.writing()?.lock().await.run(sql, values).await
    }

    pub(crate) async fn all(&self, sql: &str, values: Vec<Value>) -> Res<Vec<Row>> {
        let rows = match self {
            Self::Writing(writing) => writing.lock().await.all(sql, values).await?,
            Self::Reading(reading) => reading.lock().await.all(sql, values).await?,
        };
        Ok(rows.into_iter().map(queried).collect())
    }

    pub(crate) async fn one(&self, sql: &str, values: Vec<Value>) -> Res<Option<Row>> {
        let row = match self {
            Self::Writing(writing) => writing.lock().await.one(sql, values).await?,
            Self::Reading(reading) => reading.lock().await.one(sql, values).await?,
        };
        Ok(row.map(queried))
    }

    fn writing(&self) -> Res<&Mutex<Writing>> {
        match self {
            Self::Writing(writing) => Ok(writing),
            Self::Reading(_) => Err(Fault::Kind(StorageErrorKind::Other, Some("what reads cannot write".to_owned()))),
        }
    }

    /// The row of a query that always has one.
    pub(crate) async fn only(&self, sql: &str, values: Vec<Value>) -> Res<Row> {
        self.one(sql, values).await?.ok_or_else(|| Fault::corrupt("a row is missing that is always there"))
    }

    /// The first column of the only row of a query that always has one.
    pub(crate) async fn value<T: Cell>(&self, sql: &str, values: Vec<Value>) -> Res<T> {
        self.only(sql, values).await?.get(0)
    }

    /// Runs the last statements of a transaction that writes, one after the other, and commits, all in one trip. Their
    /// parameters have no numbers. The first that fails ends it.
    pub(crate) async fn last<const N: usize>(&self, statements: [Bound; N]) -> Res<()> {
        self.ending(statements).await.map(drop)
    }

    /// As [`Tx::last`]; returns the row of the last of them, the others return none.
    pub(crate) async fn last_row<const N: usize>(&self, statements: [Bound; N]) -> Res<Row> {
        let row = self.ending(statements).await?.into_iter().next();
        row.map(queried).ok_or_else(|| Fault::corrupt("a row is missing that is always there"))
    }

    async fn ending<const N: usize>(&self, statements: [Bound; N]) -> Res<Vec<SqliteRow>> {
        let sql = statements.iter().map(|statement| statement.sql.as_ref()).collect::<Vec<_>>().join(";");
        let values = statements.into_iter().flat_map(|statement| statement.values).collect();
        self.writing()?.lock().await.last(&sql, values).await
    }
}

fn queried(row: SqliteRow) -> Row {
    Row::queried(row.into())
}

/// A statement with its parameters.
pub(crate) struct Bound {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

impl Bound {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values }
    }

    pub(crate) async fn run(self, tx: &Tx) -> Res<u64> {
        tx.run(&self.sql, self.values).await
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
            Value::String(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
            other => Err(format!("a value of a type that no column has: {other:?}").into()),
        };
        added.map_err(Error::Encode)?;
    }
    Ok(arguments)
}

/// An insert of many rows: `head (?, …), (?, …) tail`.
pub(crate) struct Insert {
    pub(crate) head: &'static str,
    pub(crate) columns: usize,
    pub(crate) tail: &'static str,
}

/// Few sizes, so that few statements are ever prepared. One statement for many rows costs one trip to SQLite's thread instead of
/// one per row, and the full-text index writes out what it has gathered once for each statement.
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
