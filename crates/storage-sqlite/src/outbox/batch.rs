//! What to send next.

use crate::{
    error::Res,
    outbox::{
        record::{MUTATION, mutation},
        views::can_be_sent,
    },
    resolve,
    row::Row,
    sql::{IdSet, Tx, int, unsigned},
};
use fieldpost_domain::{ConversationId, Mutation, MutationId};
use fieldpost_storage::BatchLimits;
use std::collections::HashSet;
use uuid::Uuid;

/// In the order of recording; the caller's held lanes are left out where the rows are found, so that a long lane that waits
/// costs nothing.
pub(crate) fn pending_sql() -> String {
    format!(
        "SELECT {MUTATION}, wire_size, position FROM outbox \
         WHERE failed_code IS NULL AND position > ? AND {} \
            AND conversation_id NOT IN (SELECT unhex(value) FROM json_each(?)) ORDER BY position LIMIT 0 + ?",
        can_be_sent!()
    )
}

/// Rows read at a time. A batch seldom needs more than one turn.
const TURN: u32 = 512;

/// Whether a batch could have anything in it. Most passes find nothing, and must not write to learn that.
pub(super) async fn is_empty(tx: &Tx) -> Res<bool> {
    let sql = concat!("SELECT 1 FROM outbox WHERE failed_code IS NULL AND ", can_be_sent!(), " LIMIT 1");
    Ok(tx.one(sql, vec![]).await?.is_none())
}

/// Takes the next batch: from now on each of it is on its way.
pub(super) async fn take(tx: &Tx, limits: BatchLimits, held: &HashSet<ConversationId>) -> Res<Vec<Mutation>> {
    let batch = next(tx, limits, held).await?;
    if !batch.is_empty() {
        tx.run(LEAVE, vec![ids(batch.iter().map(|mutation| mutation.id)).bind()]).await?;
    }
    Ok(batch)
}

/// Attempts that never arrived.
pub(super) async fn withdraw(tx: &Tx, mutations: &[MutationId]) -> Res<()> {
    tx.run(WITHDRAW, vec![ids(mutations.iter().copied()).bind()]).await.map(drop)
}

fn ids(mutations: impl Iterator<Item = MutationId>) -> IdSet {
    IdSet::of(mutations.map(|id| id.as_uuid()))
}

pub(crate) const LEAVE: &str =
    "UPDATE outbox SET unanswered = unanswered + 1 WHERE id IN (SELECT unhex(value) FROM json_each(?))";
pub(crate) const WITHDRAW: &str =
    "UPDATE outbox SET unanswered = max(unanswered - 1, 0) WHERE id IN (SELECT unhex(value) FROM json_each(?))";

async fn next(tx: &Tx, limits: BatchLimits, held: &HashSet<ConversationId>) -> Res<Vec<Mutation>> {
    let held = IdSet::of(canonical(tx, held).await?);
    let mut batch = Filling { limits, bytes: 0, batch: Vec::new() };
    let mut after = 0;
    loop {
        let turn = limits.rows.clamp(1, TURN);
        let rows = tx.all(&pending_sql(), vec![int(after), held.bind(), int(turn.into())]).await?;
        for row in &rows {
            after = row.get(6)?;
            if !batch.take(row)? {
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
    fn take(&mut self, row: &Row) -> Res<bool> {
        // What cannot be read was parked when the file was opened; one that another process has written since waits for that.
        let Some(mutation) = mutation(row)? else { return Ok(true) };
        self.bytes += unsigned(row.get(5)?);
        let full = self.batch.len() >= self.limits.rows as usize || self.bytes > u64::from(self.limits.bytes);
        if full && !self.batch.is_empty() {
            return Ok(false);
        }
        self.batch.push(mutation);
        Ok(true)
    }
}
