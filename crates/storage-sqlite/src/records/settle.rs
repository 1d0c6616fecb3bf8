//! Recording the server's answers to a batch.
//!
//! Records that the server knows by another id are re-keyed first. Then all records of the batch are read, the answers are
//! taken in their order, and what has changed is written: a batch of 500 costs a handful of statements.

use super::{
    alias,
    conflicts::{self, Lost},
    entry::{self, Entry},
    local::{self, Local, Row},
    put::Incoming,
    rekey::rekey,
    state,
    stored::Base,
    tables::{Table, Tables},
    tombstones::Tombstones,
};
use crate::{
    error::{Fault, Res},
    sql::Tx,
    values::signed,
};
use fieldpost_domain::{
    MutationId, Time, Version,
    records::{Fields, RecordId, RecordOutcome, RecordRefusal, RecordRefusalCode, RecordResult, RecordRow, TableName},
};
use fieldpost_storage::records::RecordSettleReport;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

pub(super) async fn settle(tx: &Tx, results: &[RecordResult], at: Time) -> Res<RecordSettleReport> {
    let tables = Tables::read(tx).await?;
    let mut report = RecordSettleReport::default();
    use_server_ids(tx, &tables, results, &mut report).await?;
    let generation = state::read(tx).await?.generation;
    let mut sides = sides(tx, &tables, results, at, generation).await?;
    for result in results {
        let mut found = false;
        for side in &mut sides {
            found = found || side.take(tx, result, &mut report).await?;
        }
        report.unknown += u32::from(!found);
    }
    for side in sides {
        side.store(tx).await?;
    }
    Ok(report)
}

/// The id under which the server has a record, if the answer says it.
fn server_id(outcome: &RecordOutcome) -> Option<RecordId> {
    match outcome {
        RecordOutcome::Won { server_id, .. } => Some(*server_id),
        RecordOutcome::Lost { winner } => Some(winner.id),
        _ => None,
    }
}

async fn use_server_ids(
    tx: &Tx,
    tables: &Tables,
    results: &[RecordResult],
    report: &mut RecordSettleReport,
) -> Res<()> {
    let entries = entry::by_ids(tx, results.iter().map(|result| result.mutation_id)).await?;
    let entries: HashMap<_, _> = entries.into_iter().map(|entry| (entry.id, entry)).collect();
    let mut done = BTreeSet::new();
    for result in results {
        let (Some(entry), Some(server_id)) = (entries.get(&result.mutation_id), server_id(&result.outcome)) else {
            continue;
        };
        if server_id.as_uuid() == entry.record {
            continue;
        }
        let table = table_of(tables, &entry.table)?;
        let current = alias::resolve(tx, &table.name, server_id).await?;
        if current != entry.record && done.insert((&entry.table, entry.record)) {
            rekey(tx, tables, table, entry.record, current).await?;
            report.rekeyed.push((RecordId::from_uuid(entry.record), RecordId::from_uuid(current)));
        }
    }
    Ok(())
}

fn table_of<'a>(tables: &'a Tables, name: &str) -> Res<&'a Table> {
    let missing = || Fault::corrupt("a queued change names a table that is not here");
    TableName::new(name).ok().and_then(|name| tables.0.get(&name)).ok_or_else(missing)
}

/// The records of a table that a batch is about.
struct Side<'a> {
    tables: &'a Tables,
    table: &'a Table,
    /// The records of the mutations.
    waiting: HashMap<MutationId, Uuid>,
    before: BTreeMap<Uuid, Local>,
    records: BTreeMap<Uuid, Local>,
    tombstones: Tombstones,
    lost: Vec<Lost>,
    at: Time,
    generation: i64,
}

async fn sides<'a>(
    tx: &Tx,
    tables: &'a Tables,
    results: &[RecordResult],
    at: Time,
    generation: i64,
) -> Res<Vec<Side<'a>>> {
    let mut named: BTreeMap<String, HashMap<MutationId, Uuid>> = BTreeMap::new();
    for entry in entry::by_ids(tx, results.iter().map(|result| result.mutation_id)).await? {
        named.entry(entry.table).or_default().insert(entry.id, entry.record);
    }
    let mut sides = Vec::new();
    for (table, waiting) in named {
        let table = table_of(tables, &table)?;
        let before = local::load(tx, table, waiting.values().copied()).await?;
        let tombstones = Tombstones::of(tx, table, waiting.values().copied()).await?;
        let records = before.clone();
        sides.push(Side { tables, table, waiting, before, records, tombstones, lost: Vec::new(), at, generation });
    }
    Ok(sides)
}

impl Side<'_> {
    /// False if the mutation is not in the queue.
    async fn take(&mut self, tx: &Tx, result: &RecordResult, report: &mut RecordSettleReport) -> Res<bool> {
        let Some(record) = self.waiting.get(&result.mutation_id).copied() else { return Ok(false) };
        let Some(local) = self.records.get_mut(&record) else { return Ok(false) };
        let Some(index) = local.changes.iter().position(|change| change.id == result.mutation_id) else {
            return Ok(false);
        };
        match &result.outcome {
            RecordOutcome::Won { version, modified_at, .. } => {
                let change = local.changes.remove(index);
                report.won += 1;
                won(local, change, *version, *modified_at, &mut self.tombstones, self.generation);
            }
            RecordOutcome::Lost { winner } => {
                let change = local.changes.remove(index);
                report.lost += 1;
                self.lose(tx, record, change, winner).await?;
            }
            RecordOutcome::Missing => {
                report.missing += 1;
                local.row = None;
                self.lost.extend(Lost::of_gone(local.changes.remove(index), self.at));
            }
            RecordOutcome::Refused(refusal) => report.failed += refuse(local, index, refusal),
            RecordOutcome::Retry(code) => {
                let Some(change) = local.changes.get_mut(index) else { return Ok(false) };
                change.undo_attempt();
                if change.refusal.is_none() {
                    change.wait(self.at);
                    change.last_retry = Some(code.clone());
                    report.retrying += 1;
                }
            }
        }
        Ok(true)
    }

    async fn lose(&mut self, tx: &Tx, record: Uuid, change: Entry, winner: &RecordRow) -> Res<()> {
        let Some((table, declaration)) = self.tables.on_server(&winner.table) else {
            self.lost.extend(Lost::against(change, winner, &Fields::new(), self.at));
            return Ok(());
        };
        let mut incoming = Incoming::of(winner, declaration);
        alias::follow(tx, table, &mut [&mut incoming.known]).await?;
        if let Some(local) = self.records.get_mut(&record) {
            incoming.put(local, declaration, &mut self.tombstones, self.generation);
        }
        self.lost.extend(Lost::against(change, winner, &incoming.known, self.at));
        Ok(())
    }

    async fn store(self, tx: &Tx) -> Res<()> {
        local::store(tx, self.table, &self.before, &self.records).await?;
        self.tombstones.store(tx, self.table).await?;
        conflicts::keep(tx, self.lost).await
    }
}

fn won(
    local: &mut Local,
    change: Entry,
    version: Option<Version>,
    modified_at: Time,
    tombstones: &mut Tombstones,
    generation: i64,
) {
    let Some(version) = version else {
        // The server has deleted the record. A page from before may still name it.
        let last = local.row.take().map_or(0, |row| row.version.max(0));
        return tombstones.add(local.id, last + 1);
    };
    let version = signed(version.get());
    if tombstones.bury(local.id, version) {
        return;
    }
    if let (None, Some(org_id)) = (&local.row, change.org_id) {
        let base = Base { org_id, created_at: change.recorded_at, modified_at, fields: Fields::new() };
        local.row = Some(Row { base, extra: Fields::new(), version: local::UNKNOWN, confirmed: generation });
    }
    // Without a row the record has left meanwhile. If it is there after all, a pull brings it.
    let Some(row) = &mut local.row else { return };
    row.confirmed = generation;
    if row.version < version {
        (row.version, row.base.modified_at) = (version, modified_at);
        row.set(change.fields);
    }
    tombstones.remove(local.id);
}

/// Makes a dead letter of a change and of those behind it; says of how many.
fn refuse(local: &mut Local, index: usize, refusal: &RecordRefusal) -> u32 {
    let mut failed = 0;
    for (at, change) in local.changes.iter_mut().enumerate().skip(index) {
        failed += u32::from(change.refusal.is_none());
        if at == index {
            (change.in_flight, change.taken_by) = (0, None);
            change.refusal = Some(refusal.clone());
        } else if change.refusal.is_none() {
            change.refuse(RecordRefusalCode::AfterRefused);
        }
    }
    failed
}
