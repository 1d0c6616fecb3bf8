//! Declarations, and the tables that they make.

use super::{
    change::kept,
    kind, local,
    sql::{col, name, rows},
    state,
    tables::{Table, Tables},
};
use crate::{
    entity::{
        record_aliases,
        record_columns::{ActiveModel as NewColumn, Entity as Columns},
        record_tables::{ActiveModel, Column as T, Entity},
    },
    error::{Fault, Res},
    sql::Tx,
};
use fieldpost_domain::records::{Column, ColumnKind, DeclarationError, RecordTable, clinical};
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait,
    sea_query::{
        ColumnDef, ConditionalStatement, Expr, ExprTrait, Index, IndexOrder, OnConflict, Order, Query,
        SqliteQueryBuilder, Table as Schema,
    },
};
use uuid::Uuid;

pub(super) async fn declare(tx: &Tx, declarations: &[RecordTable]) -> Res<()> {
    let before = Tables::read(tx).await?;
    let refuse = |fault: DeclarationError| Fault::of(StorageErrorKind::Declaration, Some(fault.to_string()));
    RecordTable::check_all(declarations).map_err(refuse)?;
    declarations.iter().try_for_each(|table| check_kinds(&before, table)).map_err(refuse)?;
    if is_same(&before, declarations) {
        return Ok(());
    }
    let mut grows = false;
    for declaration in declarations {
        grows = grows || self::grows(tx, &before, declaration).await?;
    }
    tx.execute(&Entity::update_many().col_expr(T::Declared, Expr::value(false))).await?;
    for declaration in declarations {
        prepare(tx, &before, declaration).await?;
        write(tx, declaration).await?;
    }
    let tables = Tables::read(tx).await?;
    for (table, declaration) in tables.declared() {
        adopt(tx, table, declaration).await?;
    }
    if grows {
        state::begin_load(tx).await?;
    }
    let touched = before.0.into_keys().chain(tables.0.into_keys());
    tx.changed(ChangeSet::of_records(touched).and_record_queue()).await;
    Ok(())
}

/// Whether the server has more of a table now than it was asked for.
async fn grows(tx: &Tx, before: &Tables, declaration: &RecordTable) -> Res<bool> {
    let Some((table, before)) = before.find(&declaration.name) else { return Ok(true) };
    if before.server_name != declaration.server_name {
        return Ok(true);
    }
    let row = Query::select()
        .column(name("id"))
        .from(table.iden())
        .and_where(col("server_id").is_not_null())
        .limit(1)
        .to_owned();
    Ok(declaration.adds_columns_to(before) && super::sql::one(tx, &row).await?.is_some())
}

fn is_same(before: &Tables, declarations: &[RecordTable]) -> bool {
    let stands = |table: &RecordTable| before.find(&table.name).is_some_and(|(_, before)| before == table);
    before.declared().count() == declarations.len() && declarations.iter().all(stands)
}

fn check_kinds(before: &Tables, table: &RecordTable) -> Result<(), DeclarationError> {
    let Some(before) = before.0.get(&table.name) else { return Ok(()) };
    let changed = |column: &&Column| before.columns.get(&column.name).is_some_and(|kind| *kind != column.kind);
    match table.columns.iter().find(changed) {
        Some(column) => Err(DeclarationError::KindChanged(table.name.clone(), column.name.clone())),
        None => Ok(()),
    }
}

async fn write(tx: &Tx, table: &RecordTable) -> Res<()> {
    let row =
        ActiveModel { name: Set(table.name.as_str().to_owned()), declared: Set(true), declaration: Set(json(table)) };
    let instead = OnConflict::column(T::Name).update_columns([T::Declared, T::Declaration]).to_owned();
    tx.execute(&Entity::insert(row).on_conflict(instead)).await.map(drop)
}

/// Of these types none can fail.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Makes the table if it is new, and adds what it lacks.
async fn prepare(tx: &Tx, before: &Tables, declaration: &RecordTable) -> Res<()> {
    let new = Table::new(declaration.name.clone());
    let table = before.0.get(&declaration.name).unwrap_or(&new);
    let is_there = before.0.contains_key(&declaration.name) || clinical::TABLES.contains(&declaration.name.as_str());
    if !is_there {
        create(tx, table).await?;
    }
    for column in &declaration.columns {
        if !table.columns.contains_key(&column.name) {
            add(tx, table, column).await?;
        }
        if column.indexed || matches!(column.kind, ColumnKind::Reference(_)) {
            index(tx, table, column).await?;
        }
    }
    Ok(())
}

async fn create(tx: &Tx, table: &Table) -> Res<()> {
    let typed = |column: &str, kind: &str| ColumnDef::new(name(column)).custom(name(kind)).to_owned();
    let required = |column: &str, kind: &str| typed(column, kind).not_null().to_owned();
    let zero = |column: &str| required(column, "INTEGER").default(0).to_owned();
    let created = Schema::create()
        .table(table.iden())
        .col(required("id", "BLOB").primary_key())
        .col(typed("server_id", "BLOB"))
        .col(required("org_id", "BLOB"))
        .col(required("created_at", "INTEGER"))
        .col(required("modified_at", "INTEGER"))
        .col(required("version", "INTEGER"))
        .col(typed("base", "TEXT"))
        .col(zero("deleted"))
        .col(zero("confirmed"))
        .col(typed("extra", "TEXT"))
        .extra("STRICT, WITHOUT ROWID")
        .to_owned();
    tx.run(&created.to_string(SqliteQueryBuilder), vec![]).await?;
    // No name of a table has a dot, so none is an index's.
    let newest = Index::create()
        .name(format!("{}.created_at", table.physical()))
        .table(table.iden())
        .col((name("created_at"), IndexOrder::Desc))
        .col(name("id"))
        .and_where(super::stored::is_shown())
        .to_owned();
    tx.run(&newest.to_string(SqliteQueryBuilder), vec![]).await.map(drop)
}

async fn add(tx: &Tx, table: &Table, column: &Column) -> Res<()> {
    let definition = ColumnDef::new(name(column.name.as_str())).custom(name(kind::definition(&column.kind))).to_owned();
    let added = Schema::alter().table(table.iden()).add_column(definition).to_owned();
    tx.run(&added.to_string(SqliteQueryBuilder), vec![]).await?;
    let row = NewColumn {
        table_name: Set(table.name.as_str().to_owned()),
        name: Set(column.name.as_str().to_owned()),
        kind: Set(json(&column.kind)),
    };
    tx.execute(&Columns::insert(row)).await.map(drop)
}

async fn index(tx: &Tx, table: &Table, column: &Column) -> Res<()> {
    let index = Index::create()
        .if_not_exists()
        .name(format!("{}.{}", table.physical(), column.name))
        .table(table.iden())
        .col(name(column.name.as_str()))
        .to_owned();
    tx.run(&index.to_string(SqliteQueryBuilder), vec![]).await.map(drop)
}

/// Rows read at a time.
const CHUNK: u64 = 500;

/// What was kept of fields that had no column moves into it, as far as it fits; and columns that refer to records name them
/// by their current ids.
async fn adopt(tx: &Tx, table: &Table, declaration: &RecordTable) -> Res<()> {
    let any_alias = tx.finds(&record_aliases::Entity::find()).await?;
    let mut after = Vec::new();
    loop {
        let mut chunk = Query::select();
        chunk
            .column(name("id"))
            .from(table.iden())
            .and_where(col("id").gt(sea_orm::Value::Bytes(Some(after))))
            .order_by(name("id"), Order::Asc)
            .limit(CHUNK);
        if !any_alias {
            chunk.and_where(col("extra").is_not_null());
        }
        let ids = rows(tx, &chunk).await?.iter().map(|row| row.id("id")).collect::<Res<Vec<Uuid>>>()?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = last.as_bytes().to_vec();
        let before = local::load(tx, table, ids).await?;
        let mut records = before.clone();
        for row in records.values_mut().filter_map(|local| local.row.as_mut()) {
            let (known, extra) = declaration.from_server(std::mem::take(&mut row.extra));
            local::set(&mut row.extra, extra);
            row.set(known);
            row.base.fields = kept(tx, table, declaration, std::mem::take(&mut row.base.fields)).await?;
        }
        local::store(tx, table, &before, &records).await?;
    }
}
