//! Gives a record the server's id, everywhere.
//!
//! It is rare: nearly all records have the primary key that the device made. So nothing here is set-wise.

use super::{
    local,
    sql::{col, name, run},
    stored,
    tables::{Table, Tables},
    tombstones,
};
use crate::{
    entity::{
        audit_log::{self, Column as L},
        carried_items::{self, Column as I},
        record_aliases::{ActiveModel, Column as A, Entity as Aliases},
        record_conflicts::{self, Column as C},
        record_queue::{self, Column as Q},
        value::Id,
    },
    error::Res,
    sql::{IdSet, Tx},
};
use fieldpost_domain::records::ColumnName;
use fieldpost_storage::ChangeSet;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{DynIden, Expr, ExprTrait, Func, OnConflict, Query, UpdateStatement},
};
use uuid::Uuid;

/// Changes every `from` to `to` and keeps `from` as an alias. If both have a row, that of `to` stays, because it is the
/// server's. Says how many other records refer to it.
pub(super) async fn rekey(tx: &Tx, tables: &Tables, table: &Table, from: Uuid, to: Uuid) -> Res<u64> {
    alias(tx, table, from, to).await?;
    let of_table = |column: Q| column.eq(table.name.as_str());
    let mut both = local::load(tx, table, [from, to]).await?;
    let moved = record_queue::Entity::update_many()
        .col_expr(Q::RecordId, Expr::value(Id(to)))
        .filter(of_table(Q::TableName))
        .filter(Q::RecordId.eq(Id(from)));
    tx.execute(&moved).await?;
    if let (Some(old), Some(new)) = (both.remove(&from), both.remove(&to)) {
        let mut merged = new.clone();
        merged.row = new.row.clone().or(old.row.clone());
        merged.changes.extend(old.changes.iter().cloned().map(|change| super::entry::Entry { record: to, ..change }));
        merged.changes.sort_by_key(|change| change.position);
        stored::remove(tx, table, &IdSet::of([from])).await?;
        local::store_one(tx, table, new, merged).await?;
    }
    tombstones::rekey(tx, table, from, to).await?;
    beside(tx, table, from, to).await?;
    let mut referring = 0;
    for other in tables.0.values() {
        let columns = other.references().filter(|(_, target)| **target == table.name);
        for (column, _) in columns {
            referring += refer(tx, other, column, from, to).await?;
        }
    }
    tx.changed(ChangeSet::of_records([table.name.clone()]).and_record_queue()).await;
    Ok(referring)
}

async fn alias(tx: &Tx, table: &Table, from: Uuid, to: Uuid) -> Res<()> {
    let of_table = || A::TableName.eq(table.name.as_str());
    let chained = Aliases::update_many()
        .col_expr(A::CanonicalId, Expr::value(Id(to)))
        .filter(of_table())
        .filter(A::CanonicalId.eq(Id(from)));
    tx.execute(&chained).await?;
    tx.execute(&Aliases::delete_many().filter(of_table()).filter(A::Id.eq(Id(to)))).await?;
    let row =
        ActiveModel { table_name: Set(table.name.as_str().to_owned()), id: Set(Id(from)), canonical_id: Set(Id(to)) };
    let instead = OnConflict::columns([name("table_name"), name("id")]).update_column(A::CanonicalId).to_owned();
    tx.execute(&Aliases::insert(row).on_conflict(instead)).await.map(drop)
}

/// What names the record beside its table and the queue.
async fn beside(tx: &Tx, table: &Table, from: Uuid, to: Uuid) -> Res<()> {
    let conflicts = record_conflicts::Entity::update_many()
        .col_expr(C::RecordId, Expr::value(Id(to)))
        .filter(C::TableName.eq(table.name.as_str()))
        .filter(C::RecordId.eq(Id(from)));
    tx.execute(&conflicts).await?;
    let server_name = table.declaration.as_ref().map_or(table.name.as_str(), |table| table.server_name.as_str());
    let audit = audit_log::Entity::update_many()
        .col_expr(L::RecordId, Expr::value(Id(to)))
        .filter(L::TableName.eq(server_name))
        .filter(L::RecordId.eq(Id(from)));
    tx.execute(&audit).await?;
    // An id is as good as unique, so it is found wherever it stands.
    let (from, to) = (from.hyphenated().to_string(), to.hyphenated().to_string());
    let replaced =
        |column: I| Func::cust("replace").args([Expr::col(column), from.as_str().into(), to.as_str().into()]);
    let carried = carried_items::Entity::update_many()
        .col_expr(I::RecordId, replaced(I::RecordId).into())
        .col_expr(I::Payload, replaced(I::Payload).into())
        .filter(I::RecordId.contains(&from).or(I::Payload.contains(&from)));
    tx.execute(&carried).await.map(drop)
}

/// A column that refers to the record.
async fn refer(tx: &Tx, table: &Table, column: &ColumnName, from: Uuid, to: Uuid) -> Res<u64> {
    let referring = Query::update()
        .table(table.iden())
        .value(name(column.as_str()), Id(to))
        .and_where(col(column.as_str()).eq(Id(from)))
        .to_owned();
    let changed = run(tx, &referring).await?;
    if changed > 0 {
        tx.changed(ChangeSet::of_records([table.name.clone()]).and_record_queue()).await;
    }
    let of_base = format!("$.fields.{column}");
    run(tx, &in_json(table.iden(), "base", &of_base, from, to)).await?;
    let path = format!("$.{column}");
    let of_table = || col("table_name").eq(table.name.as_str());
    let queue = in_json(name("record_queue"), "fields", &path, from, to).and_where(of_table()).to_owned();
    run(tx, &queue).await?;
    for side in ["lost", "won"] {
        let conflicts = in_json(name("record_conflicts"), side, &path, from, to).and_where(of_table()).to_owned();
        run(tx, &conflicts).await?;
    }
    Ok(changed)
}

/// Changes a value of a column of JSON, in the rows whose JSON has the old one.
fn in_json(table: DynIden, column: &'static str, path: &str, from: Uuid, to: Uuid) -> UpdateStatement {
    let text = |id: Uuid| id.hyphenated().to_string();
    let changed = Func::cust("json_set").args([col(column), path.into(), text(to).into()]);
    // What is no JSON is not read.
    let valid = Func::cust("json_valid").arg(col(column));
    let found = Func::cust("json_extract").args([col(column), path.into()]);
    let found = Func::cust("iif").args([valid.into(), found.into(), Expr::value(None::<String>)]);
    Query::update().table(table).value(name(column), changed).and_where(Expr::from(found).eq(text(from))).to_owned()
}
