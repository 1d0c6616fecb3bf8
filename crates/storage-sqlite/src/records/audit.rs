//! The audit log.

use super::{
    alias, clocks,
    sql::{among, col, rows, run},
    tables,
};
use crate::{
    entity::{
        account,
        audit_log::{ActiveModel, Column as A, Entity, Model},
        record_counts::{Column as C, Entity as Counts, Model as CountsModel},
        value::{Id, Micros},
    },
    error::{Fault, Res},
    sql::{IdSet, Tx},
    values::unsigned,
};
use fieldpost_domain::{
    AuditId, PersonId,
    records::{AuditEntry, ClockId, DeviceTime, NewAuditEntry, RecordId, TableName},
};
use fieldpost_storage::{
    ChangeSet,
    records::{AUDIT_LIMIT, AuditCounts, CONTEXT_LIMIT},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};

pub(super) async fn add(tx: &Tx, entries: Vec<NewAuditEntry>) -> Res<()> {
    let Some(owner) = tx.find_one::<account::Model>(&account::Entity::find()).await? else { return Ok(()) };
    let mut added = 0;
    for entry in entries {
        added += add_one(tx, owner.person_id, entry).await?;
    }
    if added == 0 {
        return Ok(());
    }
    tx.changed(ChangeSet::nothing().and_record_queue()).await;
    bound(tx).await
}

/// The number of rows that were added: none if the id is there already.
async fn add_one(tx: &Tx, person_id: Id, entry: NewAuditEntry) -> Res<u64> {
    let declaration = tables::declaration(tx, &entry.table).await?;
    let record = alias::resolve(tx, &entry.table, entry.record_id).await?;
    let row = ActiveModel {
        position: NotSet,
        id: Set(Id(entry.id.as_uuid())),
        person_id: Set(person_id),
        table_name: Set(declaration.server_name.as_str().to_owned()),
        record_id: Set(Id(record)),
        operation: Set(entry.operation.as_str().to_owned()),
        context: Set(entry.context.map(|text| text.chars().take(CONTEXT_LIMIT).collect())),
        clock: Set(Id(entry.at.clock.as_uuid())),
        at: Set(Micros(entry.at.at)),
    };
    let known = OnConflict::column(A::Id).do_nothing().to_owned();
    tx.execute(&Entity::insert(row).on_conflict(known)).await
}

/// Drops the oldest above the limit, and counts them.
async fn bound(tx: &Tx) -> Res<()> {
    let excess = counted(tx).await?.pending.saturating_sub(AUDIT_LIMIT as u64);
    if excess == 0 {
        return Ok(());
    }
    let oldest = Entity::find().select_only().column(A::Position).order_by_asc(A::Position).limit(excess).into_query();
    let dropped = tx.execute(&Entity::delete_many().filter(A::Position.in_subquery(oldest))).await?;
    let dropped = i64::try_from(dropped).unwrap_or(i64::MAX);
    let counted = Counts::update_many().col_expr(C::AuditDropped, Expr::col(C::AuditDropped).add(dropped));
    tx.execute(&counted).await.map(drop)
}

async fn counted(tx: &Tx) -> Res<AuditCounts> {
    let row = tx.find_one::<CountsModel>(&Counts::find()).await?;
    let counts = row.ok_or_else(|| Fault::corrupt("the sizes of the queue are missing"))?;
    Ok(AuditCounts { pending: unsigned(counts.audit), dropped: unsigned(counts.audit_dropped) })
}

pub(super) async fn counts(tx: &Tx) -> Res<AuditCounts> {
    counted(tx).await
}

pub(super) async fn next(tx: &Tx, limit: u32) -> Res<Vec<AuditEntry>> {
    let oldest = Entity::find().order_by_asc(A::Position).limit(u64::from(limit));
    let oldest = rows(tx, oldest.as_query()).await?;
    let oldest = oldest.iter().map(|row| row.model::<Model>()).collect::<Res<Vec<_>>>()?;
    let ahead = clocks::ahead(tx, oldest.iter().map(|entry| ClockId::from_uuid(entry.clock.0))).await?;
    let entry = |model: Model| {
        // A name that no server can have is one that no server has a table for.
        let table = TableName::new(model.table_name).ok()?;
        Some(AuditEntry {
            id: AuditId::from_uuid(model.id.0),
            person_id: PersonId::from_uuid(model.person_id.0),
            table,
            record_id: RecordId::from_uuid(model.record_id.0),
            operation: model.operation.into(),
            context: model.context,
            at: DeviceTime { clock: ClockId::from_uuid(model.clock.0), at: model.at.0 },
            ahead_micros: ahead.get(&model.clock.0).copied(),
        })
    };
    Ok(oldest.into_iter().filter_map(entry).collect())
}

pub(super) async fn uploaded(tx: &Tx, entries: &[AuditId]) -> Res<()> {
    let ids = IdSet::of(entries.iter().map(|id| id.as_uuid()));
    run(tx, &Query::delete().from_table(Entity).and_where(among(col("id"), &ids)).to_owned()).await?;
    tx.changed(ChangeSet::nothing().and_record_queue()).await;
    Ok(())
}
