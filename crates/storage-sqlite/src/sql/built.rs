//! Statements whose text the query builder makes once, with parameters that are given each time they run.

use sea_orm::{
    ColumnTrait,
    sea_query::{Expr, ExprTrait, Func, Query, QueryStatementWriter, SqliteQueryBuilder},
};

/// The text of a statement. Values that are no parameters stand in it.
pub(crate) fn written(statement: &impl QueryStatementWriter) -> String {
    statement.to_string(SqliteQueryBuilder)
}

/// A parameter.
pub(crate) fn given() -> Expr {
    Expr::cust("?")
}

/// Whether a column has the value of a parameter.
pub(crate) fn is_given(column: impl ColumnTrait) -> Expr {
    Expr::col(column.as_column_ref()).eq(given())
}

/// Whether a column has one of the ids of a set ([`super::IdSet`]), which is a parameter.
pub(crate) fn among(column: impl ColumnTrait) -> Expr {
    let id = Func::cust("unhex").arg(Expr::col("value"));
    let ids = Query::select().expr(id).from_function(Func::cust("json_each").arg(given()), "j").to_owned();
    column.in_subquery(ids)
}
