//! Where statements run.

use crate::{
    error::{Fault, Res},
    readers::Reading,
    row::Row,
    writer::Writing,
};
use fieldpost_domain::ConversationId;
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use sea_orm::{
    DbBackend, EntityTrait, FromQueryResult, QuerySelect, QueryTrait, Select, Statement, TryGetable, Value,
    sqlx::sqlite::SqliteRow,
};
use std::borrow::Cow;
use tokio::sync::Mutex;
use uuid::Uuid;

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

    /// The first row of a query, which has few.
    pub(crate) async fn one(&self, sql: &str, values: Vec<Value>) -> Res<Option<Row>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    fn writing(&self) -> Res<&Mutex<Writing>> {
        match self {
            Self::Writing(writing) => Ok(writing),
            Self::Reading(_) => Err(Fault::of(StorageErrorKind::Other, Some("what reads cannot write".to_owned()))),
        }
    }

    /// The row of a query that always has one.
    pub(crate) async fn only(&self, sql: &str, values: Vec<Value>) -> Res<Row> {
        self.one(sql, values).await?.ok_or_else(|| Fault::corrupt("a row is missing that is always there"))
    }

    /// The only column of the only row of a query that always has one.
    pub(crate) async fn value<T: TryGetable>(&self, sql: &str, values: Vec<Value>) -> Res<T> {
        self.only(sql, values).await?.only()
    }

    /// The rows of a query that was built.
    pub(crate) async fn rows(&self, query: &impl QueryTrait) -> Res<Vec<Row>> {
        let (sql, values) = built(query);
        self.all(&sql, values).await
    }

    /// The same as models.
    pub(crate) async fn find<M: FromQueryResult>(&self, query: &impl QueryTrait) -> Res<Vec<M>> {
        self.rows(query).await?.iter().map(Row::model).collect()
    }

    /// The row of a query that was built and finds at most one.
    pub(crate) async fn find_one<M: FromQueryResult>(&self, query: &impl QueryTrait) -> Res<Option<M>> {
        let (sql, values) = built(query);
        self.one(&sql, values).await?.as_ref().map(Row::model).transpose()
    }

    /// Whether a query that was built finds anything.
    pub(crate) async fn finds<E: EntityTrait>(&self, query: &Select<E>) -> Res<bool> {
        let (sql, values) = built(&query.clone().limit(1));
        Ok(self.one(&sql, values).await?.is_some())
    }

    /// Runs a statement that was built and says how many rows it changed.
    pub(crate) async fn execute(&self, query: &impl QueryTrait) -> Res<u64> {
        let (sql, values) = built(query);
        self.run(&sql, values).await
    }

    /// Runs the last statements of a transaction that writes, one after the other, and commits, all in one trip. Their
    /// parameters have no numbers. The first that fails ends it.
    pub(crate) async fn last(&self, statements: impl IntoIterator<Item = Bound>) -> Res<()> {
        self.ending(statements).await.map(drop)
    }

    /// As [`Tx::last`]; returns the row of the last of them, the others return none.
    pub(crate) async fn last_row(&self, statements: impl IntoIterator<Item = Bound>) -> Res<Row> {
        let row = self.ending(statements).await?.into_iter().next();
        row.map(queried).ok_or_else(|| Fault::corrupt("a row is missing that is always there"))
    }

    async fn ending(&self, statements: impl IntoIterator<Item = Bound>) -> Res<Vec<SqliteRow>> {
        let statements: Vec<_> = statements.into_iter().collect();
        let count = statements.len();
        let sql = statements.iter().map(|statement| statement.sql.as_ref()).collect::<Vec<_>>().join(";");
        let values = statements.into_iter().flat_map(|statement| statement.values).collect();
        self.writing()?.lock().await.last(&sql, count, values).await
    }
}

fn queried(row: SqliteRow) -> Row {
    Row::new(row.into())
}

fn built(query: &impl QueryTrait) -> (String, Vec<Value>) {
    parts(query.build(DbBackend::Sqlite))
}

fn parts(statement: Statement) -> (String, Vec<Value>) {
    (statement.sql, statement.values.map(|values| values.0).unwrap_or_default())
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
