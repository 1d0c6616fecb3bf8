//! Rows of a query, read by the names of their columns.
//!
//! A row costs far more on its way from SQLite's thread than in SQLite: each of its values is copied by itself, and each row
//! wakes whoever waits for it. So what a screen shows, fifty rows at a time, travels as one value (`line`).

use crate::{
    entity::value::Id,
    error::{Fault, Res},
    line::Line,
    packed::unpack,
    values::unsigned,
};
use fieldpost_domain::Seq;
use sea_orm::{FromQueryResult, QueryResult, TryGetable};
use uuid::Uuid;

/// A row.
pub(crate) struct Row(QueryResult);

impl Row {
    pub(crate) const fn new(row: QueryResult) -> Self {
        Self(row)
    }

    pub(crate) fn get<T: TryGetable>(&self, column: &str) -> Res<T> {
        Ok(self.0.try_get("", column)?)
    }

    /// All of an entity, or some of it.
    pub(crate) fn model<M: FromQueryResult>(&self) -> Res<M> {
        Ok(M::from_query_result(&self.0, "")?)
    }

    /// An entity that a join may have found, whose columns are named with a prefix.
    pub(crate) fn joined<M: FromQueryResult>(&self, prefix: &str) -> Res<Option<M>> {
        Ok(M::from_query_result_optional(&self.0, prefix)?)
    }

    /// The value of a row that has no other.
    pub(crate) fn only<T: TryGetable>(&self) -> Res<T> {
        Ok(self.0.try_get_by_index(0)?)
    }

    pub(crate) fn is(&self, column: &str) -> Res<bool> {
        Ok(self.get::<i64>(column)? != 0)
    }

    pub(crate) fn id(&self, column: &str) -> Res<Uuid> {
        Ok(self.get::<Id>(column)?.0)
    }

    pub(crate) fn opt_id(&self, column: &str) -> Res<Option<Uuid>> {
        Ok(self.get::<Option<Id>>(column)?.map(|id| id.0))
    }

    pub(crate) fn seq(&self, column: &str) -> Res<Seq> {
        Ok(Seq::new(self.count(column)?))
    }

    pub(crate) fn opt_seq(&self, column: &str) -> Res<Option<Seq>> {
        Ok(self.get::<Option<i64>>(column)?.map(|seq| Seq::new(unsigned(seq))))
    }

    pub(crate) fn count(&self, column: &str) -> Res<u64> {
        Ok(unsigned(self.get(column)?))
    }

    /// The rows that a query has packed into a column; none if it packed none.
    pub(crate) fn lines(&self, column: &str) -> Res<Vec<Line>> {
        let Some(text) = self.get::<Option<String>>(column)? else { return Ok(Vec::new()) };
        let rows = unpack(text).map_err(|_| Fault::corrupt("rows that were packed cannot be read"))?;
        Ok(rows.into_iter().map(Line::new).collect())
    }

    /// The only row that a query has packed into a column.
    pub(crate) fn line(&self, column: &str) -> Res<Line> {
        self.lines(column)?.pop().ok_or_else(|| Fault::corrupt("a row was packed away"))
    }
}
