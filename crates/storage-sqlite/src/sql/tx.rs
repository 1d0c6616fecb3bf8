//! Where statements run.

use crate::{
    error::{Fault, Res},
    readers::Reading,
    row::{Cell, Row},
    writer::Writing,
};
use fieldpost_storage::StorageErrorKind;
use sea_orm::{Value, sqlx::sqlite::SqliteRow};
use std::borrow::Cow;
use tokio::sync::Mutex;

/// Where statements run.
pub(crate) enum Tx {
    /// A transaction that writes. Nobody ever waits for these locks: statements of a transaction run one after the other.
    Writing(Mutex<Writing>),
    /// What reads: a transaction, or a single query.
    Reading(Mutex<Reading>),
}

impl Tx {
    pub(crate) async fn commit(self) -> Res<()> {
        match self {
            Self::Writing(writing) => writing.into_inner().commit().await,
            Self::Reading(reading) => reading.into_inner().commit().await,
        }
    }

    pub(crate) async fn rollback(self) {
        if let Self::Writing(writing) = self {
            writing.into_inner().rollback().await;
        }
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
