//! Clocks of this device that were compared with the server's.

use super::{
    entry::Entry,
    sql::{among, col, rows},
};
use crate::{
    entity::{
        audit_log,
        record_clocks::{ActiveModel, Column as C, Entity, Model},
        record_queue,
        value::Id,
    },
    error::Res,
    sql::{IdSet, Tx},
};
use fieldpost_domain::records::{ClockId, RecordMutation, TableName};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{ExprTrait, OnConflict},
};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) async fn measured(tx: &Tx, clock: ClockId, ahead_micros: i64) -> Res<()> {
    let id = Id(clock.as_uuid());
    let known = Entity::update_many().col_expr(C::AheadMicros, ahead_micros.into()).filter(C::Clock.eq(id));
    if tx.execute(&known).await? > 0 {
        return Ok(());
    }
    forget(tx).await?;
    let row = ActiveModel { clock: Set(id), ahead_micros: Set(ahead_micros) };
    let instead = OnConflict::column(C::Clock).update_column(C::AheadMicros).to_owned();
    tx.execute(&Entity::insert(row).on_conflict(instead)).await.map(drop)
}

/// Forgets the clocks of which no time is left. Each process has one.
async fn forget(tx: &Tx) -> Res<()> {
    let queued = record_queue::Entity::find().select_only().column(record_queue::Column::Clock).into_query();
    let audited = audit_log::Entity::find().select_only().column(audit_log::Column::Clock).into_query();
    let idle = C::Clock.not_in_subquery(queued).and(C::Clock.not_in_subquery(audited));
    tx.execute(&Entity::delete_many().filter(idle)).await.map(drop)
}

/// By how much these clocks are ahead, as far as that is known.
pub(super) async fn ahead(tx: &Tx, clocks: impl Iterator<Item = ClockId>) -> Res<HashMap<Uuid, i64>> {
    let mut query = Entity::find().into_query();
    query.and_where(among(col("clock"), &IdSet::of(clocks.map(|clock| clock.as_uuid()))));
    let known = rows(tx, &query).await?;
    known.iter().map(|row| row.model::<Model>().map(|clock| (clock.clock.0, clock.ahead_micros))).collect()
}

/// Changes as they are sent.
pub(super) async fn mutations(tx: &Tx, batch: Vec<Entry>) -> Res<Vec<RecordMutation>> {
    let ahead = ahead(tx, batch.iter().map(|entry| entry.at.clock)).await?;
    let mutation = |entry: &Entry| {
        let table = TableName::new(entry.table.as_str()).ok()?;
        Some(entry.mutation(table, ahead.get(&entry.at.clock.as_uuid()).copied()))
    };
    Ok(batch.iter().filter_map(mutation).collect())
}
