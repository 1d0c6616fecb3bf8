//! Rows of declared tables, as the file has them.
//!
//! A row holds what is shown, so queries need not know of changes. `base` keeps the server's row (JSON) while changes are
//! queued over it; null means that no change is. A row without `server_id` is a create that waits.

use super::{
    json, kind,
    sql::{among, col, literal, name, rows, run},
    tables::Table,
};
use crate::{
    entity::value::{Id, Micros},
    error::{Fault, Res},
    row::Row,
    sql::{IdSet, Tx},
    values,
};
use fieldpost_domain::{OrgId, Time, records::Fields};
use sea_orm::{
    Value,
    sea_query::{BinOper, Expr, ExprTrait, InsertStatement, OnConflict, Query, SelectStatement},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The server's part of a row, while changes are over it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Base {
    pub(super) org_id: OrgId,
    pub(super) created_at: Time,
    pub(super) modified_at: Time,
    pub(super) fields: Fields,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) id: Uuid,
    pub(super) server_id: Option<Uuid>,
    pub(super) org_id: OrgId,
    pub(super) created_at: Time,
    pub(super) modified_at: Time,
    /// Without nulls, of all columns that were ever declared.
    pub(super) fields: Fields,
    pub(super) version: i64,
    pub(super) base: Option<Base>,
    pub(super) deleted: bool,
    /// The generation of the load that named it last.
    pub(super) confirmed: i64,
    /// Without nulls, with names of the server.
    pub(super) extra: Fields,
}

/// The columns before those of the table, and behind them.
const BEFORE: [&str; 5] = ["id", "server_id", "org_id", "created_at", "modified_at"];
const BEHIND: [&str; 5] = ["version", "base", "deleted", "confirmed", "extra"];

fn columns(table: &Table) -> impl Iterator<Item = &str> {
    let own = table.columns.keys().map(|column| column.as_str());
    BEFORE.into_iter().chain(own).chain(BEHIND)
}

/// All rows of a table; what follows says which.
pub(super) fn select(table: &Table) -> SelectStatement {
    Query::select().columns(columns(table).map(name)).from(table.iden()).to_owned()
}

pub(super) async fn find(tx: &Tx, table: &Table, ids: &IdSet) -> Res<Vec<Stored>> {
    let query = select(table).and_where(among(col("id"), ids)).to_owned();
    rows(tx, &query).await?.iter().map(|row| read(table, row)).collect()
}

pub(super) fn read(table: &Table, row: &Row) -> Res<Stored> {
    let mut fields = Fields::new();
    for (column, kind) in &table.columns {
        if let Some(value) = kind::read(kind, row, column.as_str())? {
            fields.set(column.as_str(), value);
        }
    }
    let text: Option<String> = row.get("base")?;
    let has_base = text.is_some();
    let base = json::read_or_nothing(text, "the server's row below a change");
    // What is shown takes its place, and any row of the server replaces that.
    let version = if has_base && base.is_none() { 0 } else { row.get("version")? };
    Ok(Stored {
        id: row.id("id")?,
        server_id: row.opt_id("server_id")?,
        org_id: OrgId::from_uuid(row.id("org_id")?),
        created_at: row.get::<Micros>("created_at")?.0,
        modified_at: row.get::<Micros>("modified_at")?.0,
        fields,
        version,
        base,
        deleted: row.is("deleted")?,
        confirmed: row.get("confirmed")?,
        extra: json::read_or_nothing(row.get("extra")?, "what a row has beside its columns").unwrap_or_default(),
    })
}

impl Stored {
    fn values(&self, table: &Table) -> Vec<Expr> {
        let own = table.columns.iter().map(|(column, kind)| kind::store(kind, self.fields.get(column.as_str())));
        let base = self.base.as_ref().and_then(|base| serde_json::to_string(base).ok());
        let extra = (!self.extra.is_empty()).then(|| super::entry::text(&self.extra));
        let before: [Value; 5] = [
            Id(self.id).into(),
            values::opt_id(self.server_id),
            values::id(self.org_id.as_uuid()),
            values::time(self.created_at),
            values::time(self.modified_at),
        ];
        let behind: [Value; 5] = [
            values::int(self.version),
            values::opt_text(base),
            values::int(self.deleted.into()),
            values::int(self.confirmed),
            values::opt_text(extra),
        ];
        before.into_iter().chain(own).chain(behind).map(Expr::value).collect()
    }
}

/// Few sizes, so that few statements are ever prepared.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];
/// The most parameters that SQLite takes in one statement.
const MAX_PARAMETERS: usize = 32_766;

/// Writes rows, and says how many are new or have changed.
pub(super) async fn save(tx: &Tx, table: &Table, stored: &[Stored]) -> Res<u64> {
    let width = columns(table).count();
    let mut rest = stored;
    let mut changed = 0;
    while !rest.is_empty() {
        let fits = |size: &usize| *size <= rest.len() && size * width <= MAX_PARAMETERS;
        let size = SIZES.into_iter().find(fits).unwrap_or(1);
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        changed += run(tx, &upsert(table, chunk)?).await?;
        rest = after;
    }
    Ok(changed)
}

fn upsert(table: &Table, stored: &[Stored]) -> Res<InsertStatement> {
    let updated: Vec<_> = columns(table).filter(|column| *column != "id").collect();
    let old = updated.iter().map(|column| Expr::col((table.iden(), name(*column))));
    let new = updated.iter().map(|column| Expr::col((name("excluded"), name(*column))));
    let differs = Expr::tuple(old).binary(BinOper::IsNot, Expr::tuple(new));
    let conflict = OnConflict::column(name("id"))
        .update_columns(updated.iter().map(|column| name(*column)))
        .action_and_where(differs)
        .to_owned();
    let mut insert = Query::insert();
    insert.into_table(table.iden()).columns(columns(table).map(name)).on_conflict(conflict);
    for row in stored {
        insert.values(row.values(table)).map_err(|_| Fault::corrupt("a row does not have its columns"))?;
    }
    Ok(insert)
}

/// Removes rows, and says how many were there.
pub(super) async fn remove(tx: &Tx, table: &Table, ids: &IdSet) -> Res<u64> {
    if ids.is_empty() {
        return Ok(0);
    }
    run(tx, &Query::delete().from_table(table.iden()).and_where(among(col("id"), ids)).to_owned()).await
}

/// Whether a row is shown.
pub(super) fn is_shown() -> Expr {
    col("deleted").eq(literal(0))
}
