//! Queries.

use super::{
    alias, kind, local,
    sql::{col, name, rows},
    stored::{self, is_shown},
    tables::{Table, Tables},
};
use crate::{
    entity::{
        record_queue::{Column as Q, Entity as Queue},
        value::Id,
    },
    error::{Fault, Res},
    row::Row,
    sql::Tx,
    values,
};
use fieldpost_domain::{
    RecordId,
    records::{ColumnKind, Comparison, Filter, Record, RecordQuery, RecordState, RecordTable, TableName},
};
use sea_orm::sea_query::{BinOper, Expr, ExprTrait, Func, Order, Query, SelectStatement};
use serde_json::Value;
use uuid::Uuid;

pub(super) async fn find(tx: &Tx, query: &RecordQuery) -> Res<Vec<Record>> {
    let tables = Tables::read(tx).await?;
    let (table, declaration) = tables.get(&query.table)?;
    query.check(declaration).map_err(Fault::field)?;
    let select = select(tx, table, declaration, query).await?;
    rows(tx, &select).await?.iter().map(|row| read(table, declaration, row)).collect()
}

fn read(table: &Table, declaration: &RecordTable, row: &Row) -> Res<Record> {
    let state = match (row.is("failed")?, row.is("queued")?) {
        (true, _) => RecordState::Failed,
        (false, true) => RecordState::Queued,
        (false, false) => RecordState::Synced,
    };
    Ok(local::of_stored(declaration, stored::read(table, row)?, state))
}

pub(super) async fn select(
    tx: &Tx,
    table: &Table,
    declaration: &RecordTable,
    query: &RecordQuery,
) -> Res<SelectStatement> {
    let mut select = stored::select(table);
    select.and_where(is_shown());
    let queued = changes_of(table);
    let failed = changes_of(table).and_where(Expr::col((Queue, Q::FailedCode)).is_not_null()).to_owned();
    select.expr_as(Expr::exists(queued), name("queued")).expr_as(Expr::exists(failed), name("failed"));
    for filter in &query.filters {
        select.and_where(condition(tx, declaration, filter).await?);
    }
    order(&mut select, declaration, query);
    // SQLite has no offset without a limit.
    let limit = query.limit.map_or(i64::MAX.unsigned_abs(), u64::from);
    if query.limit.is_some() || query.offset > 0 {
        select.limit(limit).offset(query.offset.into());
    }
    Ok(select)
}

/// The changes of the record of a row.
fn changes_of(table: &Table) -> SelectStatement {
    let record = Expr::col((Queue, Q::RecordId)).equals((table.iden(), name("id")));
    let of_table = Expr::col((Queue, Q::TableName)).eq(table.name.as_str());
    Query::select().expr(super::sql::literal(1)).from(Queue).and_where(of_table).and_where(record).to_owned()
}

fn order(select: &mut SelectStatement, declaration: &RecordTable, query: &RecordQuery) {
    let (column, descending) = query.sorting();
    let direction = if descending { Order::Desc } else { Order::Asc };
    if declaration.find(column).is_some() {
        select.order_by_expr(col(column).is_null(), Order::Asc);
    }
    select.order_by_expr(col(column), direction).order_by_expr(col("id"), Order::Asc);
}

async fn condition(tx: &Tx, declaration: &RecordTable, filter: &Filter) -> Res<Expr> {
    let name = filter.column.as_str();
    let column = || col(name);
    if filter.value == Value::Null {
        let is_null = filter.comparison == Comparison::Is;
        return Ok(if is_null { column().is_null() } else { column().is_not_null() });
    }
    let kind = declaration.kind_of(name).unwrap_or(ColumnKind::Text);
    let value = Expr::value(value(tx, declaration, name, &kind, &filter.value).await?);
    Ok(match filter.comparison {
        Comparison::Is => column().eq(value),
        Comparison::IsNot => column().binary(BinOper::IsNot, value),
        Comparison::Below => column().lt(value),
        Comparison::AtMost => column().lte(value),
        Comparison::Above => column().gt(value),
        Comparison::AtLeast => column().gte(value),
        // Both in lower case, which in SQLite is one of ASCII.
        Comparison::Contains => {
            Expr::from(Func::cust("instr").args([Func::lower(column()).into(), Func::lower(value).into()])).gt(0)
        }
    })
}

/// A value as the column has it, with the current id if it is that of a record.
async fn value(
    tx: &Tx,
    declaration: &RecordTable,
    column: &str,
    kind: &ColumnKind,
    value: &Value,
) -> Res<sea_orm::Value> {
    let id = |value: &Value| value.as_str().and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_default();
    let of: &TableName = match (kind, column) {
        (ColumnKind::Reference(other), _) => other,
        (_, "id") => &declaration.name,
        (_, "org_id") => return Ok(values::id(id(value))),
        _ => return Ok(kind::store(kind, Some(&kind.canonical(value.clone())))),
    };
    Ok(Id(alias::resolve(tx, of, RecordId::from_uuid(id(value))).await?).into())
}

pub(super) async fn one(tx: &Tx, table: &TableName, record: RecordId) -> Res<Option<Record>> {
    let tables = Tables::read(tx).await?;
    let (table, declaration) = tables.get(table)?;
    let record = alias::resolve(tx, &table.name, record).await?;
    Ok(local::one(tx, table, record).await?.record(declaration))
}

pub(super) async fn count(tx: &Tx, table: &TableName) -> Res<u64> {
    let tables = Tables::read(tx).await?;
    let (table, _) = tables.get(table)?;
    let count =
        Query::select().expr(Func::count(super::sql::literal(1))).from(table.iden()).and_where(is_shown()).to_owned();
    let row = super::sql::one(tx, &count).await?;
    row.map_or(Ok(0), |row| row.only().map(values::unsigned))
}
