//! What records were called before the server gave their primary keys.

use super::{
    sql::{among, col, rows},
    tables::Table,
};
use crate::{
    entity::{
        record_aliases::{Column as A, Entity, Model},
        value::Id,
    },
    error::Res,
    sql::{IdSet, Tx},
};
use fieldpost_domain::records::{Fields, RecordId, TableName};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait};
use std::collections::HashMap;
use uuid::Uuid;

/// The current id of a record.
pub(super) async fn resolve(tx: &Tx, table: &TableName, id: RecordId) -> Res<Uuid> {
    let former = Entity::find_by_id((table.as_str().to_owned(), Id(id.as_uuid())));
    let alias = tx.find_one::<Model>(&former).await?;
    Ok(alias.map_or(id.as_uuid(), |alias| alias.canonical_id.0))
}

/// The current ids of those among these that have others.
pub(super) async fn resolve_all(tx: &Tx, table: &TableName, ids: &IdSet) -> Res<HashMap<Uuid, Uuid>> {
    let mut query = Entity::find().filter(A::TableName.eq(table.as_str())).into_query();
    query.and_where(among(col("id"), ids));
    let aliases = rows(tx, &query).await?;
    aliases.iter().map(|row| row.model::<Model>().map(|alias| (alias.id.0, alias.canonical_id.0))).collect()
}

/// Puts the current ids into the columns of some fields that refer to records.
pub(super) async fn follow(tx: &Tx, table: &Table, fields: &mut [&mut Fields]) -> Res<()> {
    for (column, other) in table.references() {
        let referred = fields.iter().filter_map(|fields| referred(fields, column.as_str()));
        let ids = IdSet::of(referred);
        if ids.is_empty() {
            continue;
        }
        let current = resolve_all(tx, other, &ids).await?;
        for fields in fields.iter_mut() {
            if let Some(id) = self::referred(fields, column.as_str()).and_then(|id| current.get(&id)) {
                fields.set(column.as_str(), id.hyphenated().to_string());
            }
        }
    }
    Ok(())
}

/// The record that a field refers to.
pub(super) fn referred(fields: &Fields, column: &str) -> Option<Uuid> {
    Uuid::try_parse(fields.get(column)?.as_str()?).ok()
}
