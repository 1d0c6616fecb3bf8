//! Statements about tables that are declared while the program runs: the query builder makes them.

use crate::{
    error::Res,
    row::Row,
    sql::{IdSet, Tx},
};
use sea_orm::sea_query::{
    Alias, DynIden, Expr, ExprTrait, Func, IntoIden, Query, QueryStatementWriter, SqliteQueryBuilder,
};

/// A name in SQL.
pub(super) fn name(text: impl Into<String>) -> DynIden {
    Alias::new(text).into_iden()
}

/// A column by its name.
pub(super) fn col(column: impl Into<String>) -> Expr {
    Expr::col(name(column))
}

/// Whether a column has one of these ids.
pub(super) fn among(column: Expr, ids: &IdSet) -> Expr {
    let id = Func::cust("unhex").arg(Expr::col("value"));
    let json = Func::cust("json_each").arg(Expr::value(ids.bind()));
    column.in_subquery(Query::select().expr(id).from_function(json, "j").to_owned())
}

/// A whole number that stands in the statement itself, so that an index for it can be used.
pub(super) fn literal(number: u8) -> Expr {
    Expr::cust(number.to_string())
}

pub(super) async fn rows(tx: &Tx, statement: &impl QueryStatementWriter) -> Res<Vec<Row>> {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    tx.all(&sql, values.0).await
}

pub(super) async fn one(tx: &Tx, statement: &impl QueryStatementWriter) -> Res<Option<Row>> {
    Ok(rows(tx, statement).await?.into_iter().next())
}

pub(super) async fn run(tx: &Tx, statement: &impl QueryStatementWriter) -> Res<u64> {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    tx.run(&sql, values.0).await
}
