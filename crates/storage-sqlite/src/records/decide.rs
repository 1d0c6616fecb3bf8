//! A person's decisions about dead letters and queued changes.

use super::{
    entry,
    local::{self, Local},
    state,
    tables::{Table, Tables},
};
use crate::{
    error::{Fault, Res},
    sql::Tx,
};
use fieldpost_domain::{
    MutationId,
    records::{RecordOperation, TableName},
};
use fieldpost_storage::{NotPossible, StorageErrorKind};

fn missing() -> Fault {
    Fault::kind(StorageErrorKind::NotFound)
}

/// The table of a change, whether it is declared or not.
fn table_of(tables: &Tables, name: &str) -> Res<Table> {
    let name = TableName::new(name).map_err(|_| Fault::corrupt("a queued change names no table"))?;
    tables.0.get(&name).cloned().ok_or_else(|| Fault::corrupt("a queued change names a table that is not here"))
}

pub(super) async fn retry(tx: &Tx, mutation: MutationId) -> Res<()> {
    let dead_letter = entry::find(tx, mutation).await?.filter(|entry| entry.refusal.is_some()).ok_or_else(missing)?;
    if dead_letter.is_unreadable {
        return Err(Fault::kind(StorageErrorKind::NotApplicable(NotPossible::Unreadable)));
    }
    let table = table_of(&Tables::read(tx).await?, &dead_letter.table)?;
    let before = local::one(tx, &table, dead_letter.record).await?;
    let mut after = before.clone();
    let dead = |entry: &&mut entry::Entry| entry.refusal.is_some() && !entry.is_unreadable;
    after.changes.iter_mut().filter(dead).for_each(entry::Entry::requeue);
    local::store_one(tx, &table, before, after).await
}

pub(super) async fn cancel(tx: &Tx, mutation: MutationId) -> Res<()> {
    let entry = entry::find(tx, mutation).await?.ok_or_else(missing)?;
    if entry.is_sending() {
        return Err(Fault::kind(StorageErrorKind::OutcomeUnknown));
    }
    let table = table_of(&Tables::read(tx).await?, &entry.table)?;
    let before = local::one(tx, &table, entry.record).await?;
    let mut after = before.clone();
    if entry.operation == RecordOperation::Create && after.row.is_none() {
        after.changes.clear();
    } else {
        after.changes.retain(|change| change.id != mutation);
        free_followers(&mut after);
    }
    drop_unconfirmed(tx, &mut after).await?;
    local::store_one(tx, &table, before, after).await
}

/// Queues what was parked behind a dead letter again, if none is left.
fn free_followers(local: &mut Local) {
    let refused = |change: &entry::Entry| change.refusal.is_some() && !change.is_parked();
    if !local.changes.iter().any(refused) {
        local.changes.iter_mut().filter(|change| change.is_parked()).for_each(entry::Entry::requeue);
    }
}

/// Removes a record that the last load did not name, once nothing of it is queued.
async fn drop_unconfirmed(tx: &Tx, local: &mut Local) -> Res<()> {
    let state = state::read(tx).await?;
    let unconfirmed = local.row.as_ref().is_some_and(|row| row.confirmed != state.generation);
    if unconfirmed && !state.loading && local.changes.is_empty() {
        local.row = None;
    }
    Ok(())
}
