//! Deletions, kept so that a late page cannot bring a record back.

use super::{
    sql::{among, col, name, rows, run},
    tables::Table,
};
use crate::{
    entity::{
        record_tombstones::{ActiveModel, Column as T, Entity, Model},
        value::Id,
    },
    error::Res,
    sql::{IdSet, Tx},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryTrait,
    sea_query::{OnConflict, Query},
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The deletions of some records of a table.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    versions: HashMap<Uuid, i64>,
    changed: HashSet<Uuid>,
}

impl Tombstones {
    pub(super) async fn of(tx: &Tx, table: &Table, ids: impl IntoIterator<Item = Uuid>) -> Res<Self> {
        let mut query = Entity::find().filter(T::TableName.eq(table.name.as_str())).into_query();
        query.and_where(among(col("id"), &IdSet::of(ids)));
        let known = rows(tx, &query).await?;
        let versions = known.iter().map(|row| row.model::<Model>().map(|known| (known.id.0, known.version)));
        Ok(Self { versions: versions.collect::<Res<_>>()?, changed: HashSet::new() })
    }

    /// Whether a row of this version is one from before the deletion.
    pub(super) fn bury(&self, id: Uuid, version: i64) -> bool {
        self.versions.get(&id).is_some_and(|deleted| *deleted >= version)
    }

    pub(super) fn add(&mut self, id: Uuid, version: i64) {
        let deleted = self.versions.entry(id).or_insert(version);
        *deleted = version.max(*deleted);
        self.changed.insert(id);
    }

    /// The record is there again.
    pub(super) fn remove(&mut self, id: Uuid) {
        if self.versions.remove(&id).is_some() {
            self.changed.insert(id);
        }
    }

    pub(super) async fn store(self, tx: &Tx, table: &Table) -> Res<()> {
        let gone = self.changed.iter().filter(|id| !self.versions.contains_key(id)).copied();
        let gone = IdSet::of(gone);
        if !gone.is_empty() {
            let of_table = T::TableName.eq(table.name.as_str());
            let delete =
                Query::delete().from_table(Entity).and_where(of_table).and_where(among(col("id"), &gone)).to_owned();
            run(tx, &delete).await?;
        }
        let kept = self.changed.iter().filter_map(|id| Some((*id, *self.versions.get(id)?)));
        let kept = kept.map(|(id, version)| ActiveModel {
            table_name: Set(table.name.as_str().to_owned()),
            id: Set(Id(id)),
            version: Set(version),
        });
        let later = OnConflict::columns([name("table_name"), name("id")]).update_column(T::Version).to_owned();
        for row in kept {
            tx.execute(&Entity::insert(row).on_conflict(later.clone())).await?;
        }
        Ok(())
    }
}

/// All of them mean nothing any more.
pub(super) async fn forget(tx: &Tx) -> Res<()> {
    tx.execute(&Entity::delete_many()).await.map(drop)
}

/// Of a record that has another id now.
pub(super) async fn rekey(tx: &Tx, table: &Table, from: Uuid, to: Uuid) -> Res<()> {
    let mut tombstones = Tombstones::of(tx, table, [from, to]).await?;
    let Some(version) = tombstones.versions.get(&from).copied() else { return Ok(()) };
    tombstones.remove(from);
    if !tombstones.versions.contains_key(&to) {
        tombstones.add(to, version);
    }
    tombstones.store(tx, table).await
}
