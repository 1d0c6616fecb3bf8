//! The queue as a person sees it, and its sizes.

use super::{
    entry::{self, Entry},
    sql::{name, one, rows},
    tables::Tables,
    waiting::{Creates, firsts, is_due},
};
use crate::{
    entity::{
        carried_items, record_counts,
        record_queue::{Column as Q, Entity},
    },
    error::{Fault, Res},
    sql::Tx,
    values::unsigned,
};
use fieldpost_domain::{
    Time,
    records::{RecordId, TableName},
};
use fieldpost_storage::records::{CarriedItem, RecordCounts, RecordEntryState, RecordQueueEntry};
use sea_orm::{
    EntityTrait, IdenStatic, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Order, Query, SelectStatement},
};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn queue(tx: &Tx, limit: u32) -> Res<Vec<RecordQueueEntry>> {
    let tables = Tables::read(tx).await?;
    let entries = Entity::find().order_by_asc(Q::Priority).order_by_asc(Q::Position).limit(u64::from(limit));
    let entries = entry::read(tx, entries.as_query()).await?;
    entries.into_iter().map(|entry| view(&tables, entry)).collect()
}

fn view(tables: &Tables, entry: Entry) -> Res<RecordQueueEntry> {
    let table = TableName::new(entry.table.as_str()).map_err(|_| Fault::corrupt("a queued change names no table"))?;
    let is_sending = entry.is_sending();
    let state = match entry.refusal {
        Some(refusal) => RecordEntryState::Failed(refusal),
        None if tables.find(&table).is_none() => RecordEntryState::NotDeclared,
        None if is_sending => RecordEntryState::Sending,
        None => {
            RecordEntryState::Queued { failures: entry.failures, next_at: entry.next_at, last_retry: entry.last_retry }
        }
    };
    Ok(RecordQueueEntry {
        mutation_id: entry.id,
        table,
        record_id: RecordId::from_uuid(entry.record),
        operation: entry.operation,
        fields: entry.fields,
        priority: entry.priority,
        state,
        recorded_at: entry.recorded_at,
    })
}

pub(super) async fn counts(tx: &Tx, now: Time, pass: Uuid) -> Res<RecordCounts> {
    let row = tx.find_one::<record_counts::Model>(&record_counts::Entity::find()).await?;
    let counts = row.ok_or_else(|| Fault::corrupt("the sizes of the queue are missing"))?;
    let next_at = if counts.pending > 0 { next_at(tx, now, pass).await? } else { None };
    Ok(RecordCounts {
        pending: unsigned(counts.pending),
        immediate: unsigned(counts.immediate),
        failed: unsigned(counts.failed),
        conflicts: unsigned(counts.conflicts),
        carried: unsigned(counts.carried),
        next_at,
    })
}

/// The earliest time that the first change of a record becomes due; none if one is due.
async fn next_at(tx: &Tx, now: Time, pass: Uuid) -> Res<Option<Time>> {
    let tables = Tables::read(tx).await?;
    let mut due = firsts(&tables, pass);
    due.and_where(is_due("q", Some(now)));
    if first_free(tx, &tables, due).await?.is_some() {
        return Ok(None);
    }
    let next = Expr::col((name("q"), name(Q::NextAt.as_str())));
    let mut waiting = firsts(&tables, pass);
    waiting.and_where(next.clone().is_not_null()).order_by_expr(next, Order::Asc);
    Ok(first_free(tx, &tables, waiting).await?.and_then(|entry| entry.next_at))
}

/// Few, because the first is nearly always free.
const TURN: u64 = 32;

/// The first that no create holds.
async fn first_free(tx: &Tx, tables: &Tables, mut query: SelectStatement) -> Res<Option<Entry>> {
    let none = BTreeSet::new();
    query.order_by_expr(Expr::col((name("q"), name(Q::Position.as_str()))), Order::Asc).limit(TURN);
    for turn in 0.. {
        let entries = entry::read(tx, query.clone().offset(turn * TURN)).await?;
        let creates = Creates::of(tx, tables, &entries).await?;
        let is_last = (entries.len() as u64) < TURN;
        let is_free = |entry: &Entry| !entry.is_unreadable && !creates.hold(tables, entry, &none);
        if let Some(entry) = entries.into_iter().find(is_free) {
            return Ok(Some(entry));
        }
        if is_last {
            break;
        }
    }
    Ok(None)
}

pub(super) async fn last_change(tx: &Tx) -> Res<Option<Time>> {
    let newest = Query::select().expr(Expr::col(Q::ModifiedAt).max()).from(Entity).to_owned();
    let row = one(tx, &newest).await?;
    let micros: Option<i64> = row.map(|row| row.only()).transpose()?.flatten();
    micros.map(crate::values::moment).transpose()
}

pub(super) async fn carried(tx: &Tx) -> Res<Vec<CarriedItem>> {
    let items = carried_items::Entity::find().order_by_asc(carried_items::Column::Pk);
    let items = rows(tx, items.as_query()).await?;
    let item = |row: &crate::row::Row| {
        let item = row.model::<carried_items::Model>()?;
        Ok(CarriedItem {
            id: item.id,
            table: item.table_name,
            record_id: item.record_id,
            operation: item.operation,
            idempotency_key: item.idempotency_key,
            payload: item.payload,
            priority: item.priority,
            retry_count: item.retry_count,
            created_at: item.created_at.map(|at| at.0),
        })
    };
    items.iter().map(item).collect()
}
