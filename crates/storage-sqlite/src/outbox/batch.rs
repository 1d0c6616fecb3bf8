//! What to send next.
//!
//! SQL by hand: a batch is read past the lanes that are held (`drain`).

use crate::{
    entity::outbox::{Column, Entity},
    error::Res,
    hot::{Plan, hot},
    mutations::record::Recorded,
    outbox::views::CAN_BE_SENT,
    resolve,
    row::Row,
    sql::{IdSet, Tx, among, int, select, unsigned, written},
};
use fieldpost_domain::{ConversationId, Mutation, MutationId};
use fieldpost_storage::{BatchLimits, ChangeSet};
use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic, QueryFilter, QuerySelect, QueryTrait, Select, UpdateMany,
    sea_query::{Expr, ExprTrait, Func},
};
use std::collections::HashSet;
use uuid::Uuid;

hot! {
    ANY: "whether anything can be sent", Plan::Ordered("outbox_pending"),
        written(any().as_query());
    /// In the order of recording; the caller's held lanes are left out where the rows are found, so that a long lane that waits
    /// costs nothing.
    PENDING: "what waits", Plan::Ordered("outbox_pending"), format!(
        "{} WHERE failed_code IS NULL AND position > ? AND {CAN_BE_SENT}
            AND conversation_id NOT IN (SELECT unhex(value) FROM json_each(?)) ORDER BY position LIMIT 0 + ?",
        select::<Entity, Recorded>(),
    );
    LEAVE: "what leaves for the server", Plan::Bounded,
        written(in_flight(Expr::col(Column::InFlight).add(1)).as_query());
    WITHDRAW: "what never arrived", Plan::Bounded,
        written(in_flight(attempt_ended()).into_query().returning_col(Column::ConversationId));
}

fn any() -> Select<Entity> {
    let waits = Entity::find().select_only().column(Column::Position).filter(Column::FailedCode.is_null());
    waits.filter(Expr::cust(CAN_BE_SENT)).limit(1)
}

/// Of a set of entries.
fn in_flight(attempts: Expr) -> UpdateMany<Entity> {
    Entity::update_many().col_expr(Column::InFlight, attempts).filter(among(Column::Id))
}

/// The attempts in flight when one of them has ended.
pub(super) fn attempt_ended() -> Expr {
    Func::cust("max").args([Expr::col(Column::InFlight).sub(1), Expr::value(0)]).into()
}

/// Rows read at a time. A batch seldom needs more than one turn.
const TURN: u32 = 512;

/// Whether a batch could have anything in it. Most passes find nothing, and must not write to learn that.
pub(super) async fn is_empty(tx: &Tx) -> Res<bool> {
    Ok(tx.one(&ANY, vec![]).await?.is_none())
}

/// Takes the next batch: from now on each of it is on its way.
pub(super) async fn take(tx: &Tx, limits: BatchLimits, held: &HashSet<ConversationId>) -> Res<Vec<Mutation>> {
    let batch = next(tx, limits, held).await?;
    if !batch.is_empty() {
        tx.run(&LEAVE, vec![ids(batch.iter().map(|mutation| mutation.id)).bind()]).await?;
        tx.changed(ChangeSet::of(batch.iter().map(|mutation| mutation.intent.lane())).and_outbox()).await;
    }
    Ok(batch)
}

/// Attempts that never arrived.
pub(super) async fn withdraw(tx: &Tx, mutations: &[MutationId]) -> Res<()> {
    let rows = tx.all(&WITHDRAW, vec![ids(mutations.iter().copied()).bind()]).await?;
    touched(tx, &rows).await
}

/// Of rows that name the lanes of entries that have changed.
pub(super) async fn touched(tx: &Tx, rows: &[Row]) -> Res<()> {
    let lane = |row: &Row| row.id(Column::ConversationId.as_str()).map(ConversationId::from_uuid);
    let lanes = rows.iter().map(lane).collect::<Res<Vec<_>>>()?;
    tx.changed(ChangeSet::of(lanes).and_outbox()).await;
    Ok(())
}

fn ids(mutations: impl Iterator<Item = MutationId>) -> IdSet {
    IdSet::of(mutations.map(|id| id.as_uuid()))
}

async fn next(tx: &Tx, limits: BatchLimits, held: &HashSet<ConversationId>) -> Res<Vec<Mutation>> {
    let held = IdSet::of(canonical(tx, held).await?);
    let mut batch = Filling { limits, bytes: 0, batch: Vec::new() };
    let mut after = 0;
    loop {
        let turn = limits.rows.clamp(1, TURN);
        let rows = tx.all(&PENDING, vec![int(after), held.bind(), int(turn.into())]).await?;
        for row in &rows {
            let row = row.model::<Recorded>()?;
            after = row.position;
            if !batch.take(&row) {
                return Ok(batch.batch);
            }
        }
        if rows.len() < turn as usize {
            return Ok(batch.batch);
        }
    }
}

async fn canonical(tx: &Tx, held: &HashSet<ConversationId>) -> Res<Vec<Uuid>> {
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let aliases = resolve::aliases(tx).await?;
    Ok(held.iter().map(|id| id.as_uuid()).map(|id| aliases.get(&id).copied().unwrap_or(id)).collect())
}

struct Filling {
    limits: BatchLimits,
    bytes: u64,
    batch: Vec<Mutation>,
}

impl Filling {
    /// Adds a row; false when it does not fit any more.
    fn take(&mut self, row: &Recorded) -> bool {
        // What cannot be read was parked when the file was opened; one that another process has written since waits for that.
        let Ok(mutation) = row.mutation() else { return true };
        self.bytes += unsigned(row.wire_size);
        let full = self.batch.len() >= self.limits.rows as usize || self.bytes > u64::from(self.limits.bytes);
        if full && !self.batch.is_empty() {
            return false;
        }
        self.batch.push(mutation);
        true
    }
}
