//! Changes of this device that lost.

use super::{
    change,
    entry::{self, Entry},
    json,
    sql::rows,
    tables::Tables,
};
use crate::{
    entity::{
        record_conflicts::{ActiveModel, Column as C, Entity, Model},
        value::{Id, Micros},
    },
    error::{Fault, Res},
    row::Row,
    sql::Tx,
};
use fieldpost_domain::{
    MutationId, Time,
    records::{
        DeviceTime, Fields, Record, RecordChange, RecordConflict, RecordId, RecordOperation, RecordRow, RecordTable,
        TableName,
    },
};
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QueryTrait,
    sea_query::OnConflict,
};
use serde_json::Value;

/// A change that lost, and against what.
pub(super) struct Lost {
    change: Entry,
    won: Fields,
    won_modified_at: Time,
    noticed_at: Time,
}

impl Lost {
    /// Against a row; none if the row has the same values. `known` are its fields with names of the device.
    pub(super) fn against(change: Entry, winner: &RecordRow, known: &Fields, at: Time) -> Option<Self> {
        let of_winner = |name: &str| known.get(name).cloned().unwrap_or(Value::Null);
        let won: Fields = change.fields.iter().map(|(name, _)| (name.to_owned(), of_winner(name))).collect();
        let differs = won != change.fields;
        differs.then_some(Self { change, won, won_modified_at: winner.modified_at, noticed_at: at })
    }

    /// Because its record is gone. A delete has lost nothing.
    pub(super) fn of_gone(change: Entry, at: Time) -> Option<Self> {
        let keeps = change.operation != RecordOperation::Delete;
        keeps.then(|| Self { change, won: Fields::new(), won_modified_at: at, noticed_at: at })
    }
}

pub(super) async fn keep(tx: &Tx, lost: Vec<Lost>) -> Res<()> {
    for lost in lost {
        let row = ActiveModel {
            position: NotSet,
            id: Set(Id(lost.change.id.as_uuid())),
            table_name: Set(lost.change.table),
            record_id: Set(Id(lost.change.record)),
            lost: Set(entry::text(&lost.change.fields)),
            lost_modified_at: Set(Micros(lost.change.at.at)),
            won: Set(entry::text(&lost.won)),
            won_modified_at: Set(Micros(lost.won_modified_at)),
            noticed_at: Set(Micros(lost.noticed_at)),
        };
        let known = OnConflict::column(C::Id).do_nothing().to_owned();
        tx.execute(&Entity::insert(row).on_conflict(known)).await?;
        tx.changed(ChangeSet::nothing().and_record_queue()).await;
    }
    Ok(())
}

/// The newest first.
pub(super) async fn all(tx: &Tx) -> Res<Vec<RecordConflict>> {
    let newest = Entity::find().order_by_desc(C::Position);
    rows(tx, newest.as_query()).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Res<RecordConflict> {
    let model = row.model::<Model>()?;
    let fields = |text| json::read_or_nothing(Some(text), "a conflict").unwrap_or_default();
    Ok(RecordConflict {
        mutation_id: MutationId::from_uuid(model.id.0),
        table: TableName::new(model.table_name).map_err(|_| Fault::corrupt("a conflict names no table"))?,
        record_id: RecordId::from_uuid(model.record_id.0),
        lost: fields(model.lost),
        lost_modified_at: model.lost_modified_at.0,
        won: fields(model.won),
        won_modified_at: model.won_modified_at.0,
        noticed_at: model.noticed_at.0,
    })
}

pub(super) async fn dismiss(tx: &Tx, lost: MutationId) -> Res<bool> {
    let dismissed = tx.execute(&Entity::delete_many().filter(C::Id.eq(Id(lost.as_uuid())))).await?;
    tx.changed(ChangeSet::nothing().and_record_queue()).await;
    Ok(dismissed > 0)
}

pub(super) async fn reapply(tx: &Tx, lost: MutationId, mutation: MutationId, at: DeviceTime) -> Res<Record> {
    let missing = || Fault::kind(StorageErrorKind::NotFound);
    let one = Entity::find().filter(C::Id.eq(Id(lost.as_uuid())));
    let conflict = super::sql::one(tx, one.as_query()).await?.ok_or_else(missing)?;
    let RecordConflict { table, record_id, lost: fields, .. } = read(&conflict)?;
    let tables = Tables::read(tx).await?;
    let (_, declaration) = tables.find(&table).ok_or_else(missing)?;
    let fields = declared(declaration, fields);
    let record = change::update(tx, mutation, RecordChange { table, id: record_id, fields, at }).await?;
    dismiss(tx, lost).await?;
    Ok(record)
}

fn declared(table: &RecordTable, fields: Fields) -> Fields {
    fields.into_iter().filter(|(name, _)| table.find(name).is_some()).collect()
}
