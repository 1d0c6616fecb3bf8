//! records_no_duplicate, last_write_wins: what the server has.

use crate::simulator::{
    Breach, Invariant,
    records::{
        tables,
        truth::{Key, Made, State},
        world::World,
    },
};
use fieldpost_domain::{
    MutationId,
    records::{ConflictRule, RecordId, RecordOperation, RecordRow},
};
use std::collections::BTreeMap;

/// Each record that was created once is on the server once. Each create has a number of its own.
pub(super) fn nothing_is_doubled(world: &World) -> Result<(), Breach> {
    for table in tables::tables() {
        let mut seen: BTreeMap<i64, RecordId> = BTreeMap::new();
        for row in world.hub.server.records_of(&table.server_name) {
            let Some(number) = row.fields.get("number").and_then(serde_json::Value::as_i64) else { continue };
            if let Some(other) = seen.insert(number, row.id) {
                let what = format!("{} and {other} of {} are the same record", row.id, table.name);
                return Err(Breach::new(Invariant::RecordsNoDuplicate, what));
            }
        }
    }
    Ok(())
}

/// Each row is as the change left it that was made last, as far as the clocks can tell.
pub(super) fn the_last_write_won(world: &World) -> Result<(), Breach> {
    let truth = world.shared.truth.lock();
    for table in tables::tables() {
        for row in world.hub.server.records_of(&table.server_name) {
            let key = (table.server_name.clone(), row.id);
            let broken = match table.conflict {
                ConflictRule::LastWriteWins => made_later_than_the_last(&truth, &row),
                _ => arrived_later_than_the_last(&truth, &key, &row),
            };
            if let Some((last, later)) = broken {
                let what = format!("{} of {}: {last} stands, and {later} is later", row.id, table.name);
                return Err(Breach::new(Invariant::LastWriteWins, what));
            }
        }
    }
    Ok(())
}

/// The change that stands, and one that was certainly made after it. Other clients' writes are not compared.
fn made_later_than_the_last(truth: &State, row: &RecordRow) -> Option<(MutationId, MutationId)> {
    let last = row.last_mutation_id?;
    let (stands, decided) = (truth.made.get(&last)?, truth.decided.get(&last)?);
    if decided.undated {
        return None;
    }
    let latest = stands.at + decided.late;
    // Only updates are compared. A create finds its record there and changes nothing, and a delete deletes what it finds.
    let is_compared = |made: &Made| {
        let of_this = made.record == row.id || Some(made.record) == row.client_id;
        of_this && made.operation == RecordOperation::Update
    };
    let mut later = truth.made.iter().filter(|(id, made)| is_compared(made) && truth.since_restore.contains(id));
    let (id, _) = later.find(|(id, made)| {
        let compared = truth.decided.get(id).filter(|it| (it.won || it.lost) && !it.undated);
        compared.is_some_and(|it| made.at.saturating_sub(it.late) > latest)
    })?;
    Some((last, *id))
}

/// The change that stands, and one that arrived after it.
fn arrived_later_than_the_last(truth: &State, key: &Key, row: &RecordRow) -> Option<(MutationId, MutationId)> {
    let (last, newest) = (row.last_mutation_id?, *truth.arrived.get(key)?);
    (newest != last).then_some((last, newest))
}
