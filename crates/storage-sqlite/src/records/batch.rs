//! What to send next.

use super::{
    clocks,
    entry::{self, Entry},
    park,
    sql::{among, col, name, run},
    tables::Tables,
    waiting::{Creates, sendable},
};
use crate::{
    entity::{
        record_counts,
        record_queue::{Column as Q, Entity},
        value::{Id, Micros},
    },
    error::Res,
    sql::{IdSet, Tx, int},
};
use fieldpost_domain::{
    MutationId, Time,
    records::{RecordMutation, TableName},
};
use fieldpost_storage::{ChangeSet, records::RecordBatch};
use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic, QueryFilter,
    sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement, UpdateStatement},
};
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// Entries read at a time. A batch seldom needs more than one turn.
const TURN: u32 = 512;

/// Whether a batch could have anything in it. Most passes find nothing, and must not write to learn that.
pub(super) async fn is_empty(tx: &Tx) -> Res<bool> {
    let counts = record_counts::Entity::find().filter(record_counts::Column::Pending.gt(0));
    Ok(!tx.finds(&counts).await?)
}

/// Takes the next batch: from now on each of it is under way.
pub(super) async fn take(tx: &Tx, batch: RecordBatch, pass: Uuid) -> Res<Vec<RecordMutation>> {
    let tables = Tables::read(tx).await?;
    let mut filling = Filling::new(batch);
    let mut after = None;
    while !filling.full {
        let turn = batch.limits.rows.clamp(1, TURN);
        let entries = entry::read(tx, &turn_of(&tables, batch, pass, after, turn)).await?;
        if park::unreadable(tx, &entries).await? {
            // What follows one of them is parked too.
            (filling, after) = (Filling::new(batch), None);
            continue;
        }
        let creates = Creates::of(tx, &tables, &entries).await?;
        for entry in &entries {
            after = Some((entry.priority.number(), entry.position));
            filling.take(&tables, &creates, entry);
        }
        if entries.len() < turn as usize {
            break;
        }
    }
    if filling.batch.is_empty() {
        return Ok(Vec::new());
    }
    run(tx, &leave(&filling.batch, pass)).await?;
    let touched = filling.batch.iter().filter_map(|entry| TableName::new(entry.table.as_str()).ok());
    tx.changed(ChangeSet::of_records(touched).and_record_queue()).await;
    clocks::mutations(tx, filling.batch).await
}

fn turn_of(tables: &Tables, batch: RecordBatch, pass: Uuid, after: Option<(u8, i64)>, turn: u32) -> SelectStatement {
    let of = |column: Q| Expr::col((name("q"), name(column.as_str())));
    let mut query = sendable(tables, pass, batch.due_at);
    query.and_where(of(Q::Priority).lte(i64::from(batch.at_most.number())));
    if let Some((priority, position)) = after {
        let place = Expr::tuple([of(Q::Priority), of(Q::Position)]);
        let last = Expr::tuple([Expr::value(int(priority.into())), Expr::value(int(position))]);
        query.and_where(place.gt(last));
    }
    query.order_by_expr(of(Q::Priority), Order::Asc).order_by_expr(of(Q::Position), Order::Asc).limit(turn.into());
    query
}

fn leave(batch: &[Entry], pass: Uuid) -> UpdateStatement {
    let mut update = Query::update();
    update
        .table(Entity)
        .value(Q::InFlight, Expr::col(Q::InFlight).add(1))
        .value(Q::TakenBy, Id(pass))
        .and_where(among(col("id"), &ids(batch.iter().map(|entry| entry.id))));
    update
}

fn ids(mutations: impl IntoIterator<Item = MutationId>) -> IdSet {
    IdSet::of(mutations.into_iter().map(|id| id.as_uuid()))
}

struct Filling {
    limits: RecordBatch,
    bytes: u64,
    full: bool,
    batch: Vec<Entry>,
    taken: BTreeSet<i64>,
    /// Records with a change that is held by a create.
    held: HashSet<(String, Uuid)>,
}

impl Filling {
    fn new(limits: RecordBatch) -> Self {
        Self { limits, bytes: 0, full: false, batch: Vec::new(), taken: BTreeSet::new(), held: HashSet::new() }
    }

    fn take(&mut self, tables: &Tables, creates: &Creates, entry: &Entry) {
        let record = (entry.table.clone(), entry.record);
        if self.full || self.held.contains(&record) {
            return;
        }
        if creates.hold(tables, entry, &self.taken) {
            self.held.insert(record);
            return;
        }
        self.bytes += 512 + entry.fields.json_size() as u64;
        let limits = self.limits.limits;
        let exceeds = self.batch.len() >= limits.rows as usize || self.bytes > u64::from(limits.bytes);
        if exceeds && !self.batch.is_empty() {
            self.full = true;
            return;
        }
        self.taken.insert(entry.position);
        self.batch.push(entry.clone());
    }
}

/// Attempts that certainly carried nothing out.
pub(super) async fn withdraw(tx: &Tx, mutations: &[MutationId]) -> Res<()> {
    let ended = Func::cust("max").args([Expr::col(Q::InFlight).sub(1), Expr::value(0)]);
    let withdrawn = Query::update()
        .table(Entity)
        .value(Q::InFlight, ended)
        .value(Q::TakenBy, Expr::value(None::<Id>))
        .value(Q::NextAt, Expr::value(None::<Micros>))
        .and_where(among(col("id"), &ids(mutations.iter().copied())))
        .to_owned();
    run(tx, &withdrawn).await?;
    touched(tx).await
}

/// Attempts that failed with an unknown outcome.
pub(super) async fn postpone(tx: &Tx, mutations: &[MutationId], at: Time) -> Res<()> {
    let entries = entry::by_ids(tx, mutations.iter().copied()).await?;
    for mut entry in entries.into_iter().filter(|entry| entry.refusal.is_none()) {
        entry.wait(at);
        entry::rewrite(tx, &entry).await?;
    }
    touched(tx).await
}

pub(super) async fn stop_waiting(tx: &Tx) -> Res<()> {
    let stopped = Query::update()
        .table(Entity)
        .value(Q::NextAt, Expr::value(None::<Micros>))
        .and_where(Q::NextAt.is_not_null())
        .to_owned();
    if run(tx, &stopped).await? > 0 {
        touched(tx).await?;
    }
    Ok(())
}

async fn touched(tx: &Tx) -> Res<()> {
    tx.changed(ChangeSet::nothing().and_record_queue()).await;
    Ok(())
}
