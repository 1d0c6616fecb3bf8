//! Applies pages from the server.

use super::{
    alias,
    conflicts::{self, Lost},
    entry::Entry,
    local::{self, Local},
    put::Incoming,
    rekey::rekey,
    sql::{among, col, name, rows, run},
    state,
    tables::{Table, Tables},
    tombstones::{self, Tombstones},
};
use crate::{
    entity::{record_queue as queue, record_sync::Model as State},
    error::{Fault, Res},
    sql::{IdSet, Tx},
    values::signed,
};
use fieldpost_domain::{
    Cursor, Time,
    records::{
        RecordId, RecordOperation, RecordPage, RecordRefusalCode, RecordRow, RecordTable, RecordTombstone, TableName,
    },
};
use fieldpost_storage::{StorageErrorKind, records::RecordApplyReport};
use sea_orm::{
    ColumnTrait,
    sea_query::{ExprTrait, Query},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

pub(super) async fn apply(tx: &Tx, from: Option<Cursor>, page: &RecordPage) -> Res<RecordApplyReport> {
    let mut state = state::read(tx).await?;
    if state::cursor(&state) != from {
        return Err(Fault::kind(StorageErrorKind::Superseded));
    }
    let tables = Tables::read(tx).await?;
    enter(tx, &tables, &state, page).await?;
    if page.loading && from.is_none() && !state.loading {
        state::begin_load(tx).await?;
        state = state::read(tx).await?;
    }
    let mut report = Report::default();
    for (table, declaration) in tables.declared() {
        let rows: Vec<_> = page.rows.iter().filter(|row| row.table == declaration.server_name).collect();
        let buried = page.tombstones.iter().filter(|tombstone| tombstone.table == declaration.server_name);
        let buried: Vec<_> = buried.collect();
        if !rows.is_empty() || !buried.is_empty() {
            let applying = Applying { tables: &tables, table, declaration, generation: state.generation };
            applying.apply(tx, &rows, &buried, page.server_time, &mut report).await?;
        }
    }
    if page.loading && !page.more {
        end_load(tx, &tables, &page.unknown_tables, state.generation, &mut report).await?;
    }
    state::advance(tx, &page.cursor).await?;
    Ok(RecordApplyReport { changed: count(report.changed), removed: count(report.removed) })
}

#[derive(Debug, Default)]
struct Report {
    changed: usize,
    removed: usize,
}

impl Report {
    fn compare(&mut self, before: &BTreeMap<Uuid, Local>, after: &BTreeMap<Uuid, Local>, table: &RecordTable) {
        for (id, local) in after {
            let old = before.get(id).and_then(|local| local.record(table));
            let new = local.record(table);
            self.changed += usize::from(new.is_some() && new != old);
            self.removed += usize::from(new.is_none() && old.is_some());
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Versions of another epoch mean nothing.
async fn enter(tx: &Tx, tables: &Tables, state: &State, page: &RecordPage) -> Res<()> {
    let Some(epoch) = page.epoch.as_ref().map(|epoch| epoch.as_str()) else { return Ok(()) };
    if state.server_epoch.as_deref() == Some(epoch) {
        return Ok(());
    }
    if state.server_epoch.is_some() {
        for table in tables.0.values() {
            let reset = Query::update()
                .table(table.iden())
                .value(name("version"), 0)
                .and_where(col("version").gt(0))
                .to_owned();
            run(tx, &reset).await?;
            // What an answer of another history has confirmed is not confirmed by this load.
            let unconfirmed = Query::update()
                .table(table.iden())
                .value(name("confirmed"), state.generation.saturating_sub(1))
                .and_where(col("confirmed").eq(state.generation))
                .to_owned();
            run(tx, &unconfirmed).await?;
        }
        tombstones::forget(tx).await?;
    }
    state::enter(tx, epoch).await
}

/// The part of a page for one table.
struct Applying<'a> {
    tables: &'a Tables,
    table: &'a Table,
    declaration: &'a RecordTable,
    generation: i64,
}

impl Applying<'_> {
    async fn apply(
        &self,
        tx: &Tx,
        page: &[&RecordRow],
        buried: &[&RecordTombstone],
        at: Time,
        report: &mut Report,
    ) -> Res<()> {
        let of_rows = page.iter().map(|row| Named { id: row.id, made: row.client_id, buried: false });
        let of_buried = buried.iter().map(|gone| Named { id: gone.id, made: gone.client_id, buried: true });
        let named: Vec<_> = of_rows.chain(of_buried).collect();
        let current = self.current(tx, &named, report).await?;
        let id = |id: RecordId| current.get(&id.as_uuid()).copied().unwrap_or(id.as_uuid());
        let ids: BTreeSet<_> = named.iter().map(|named| id(named.id)).collect();
        let before = local::load(tx, self.table, ids.iter().copied()).await?;
        let mut tombstones = Tombstones::of(tx, self.table, ids).await?;
        let (mut records, mut lost) = (before.clone(), Vec::new());
        let mut incoming: Vec<_> = page.iter().map(|row| Incoming::of(row, self.declaration)).collect();
        let mut known: Vec<_> = incoming.iter_mut().map(|incoming| &mut incoming.known).collect();
        alias::follow(tx, self.table, &mut known).await?;
        for incoming in incoming {
            if let Some(local) = records.get_mut(&id(incoming.row.id)) {
                incoming.put(local, self.declaration, &mut tombstones, self.generation);
            }
        }
        for tombstone in buried {
            let current = id(tombstone.id);
            let renamed = current != tombstone.id.as_uuid();
            // If the record has another row, the tombstone is that of an earlier one.
            if let Some(local) = records.get_mut(&current).filter(|local| !renamed || local.row.is_none()) {
                lost.extend(bury(local, signed(tombstone.version.get()), &mut tombstones, at));
            }
        }
        report.compare(&before, &records, self.declaration);
        local::store(tx, self.table, &before, &records).await?;
        tombstones.store(tx, self.table).await?;
        conflicts::keep(tx, lost).await
    }

    /// The current ids of these records, where they are others. What was made here and is named by its first id is re-keyed.
    async fn current(&self, tx: &Tx, named: &[Named], report: &mut Report) -> Res<HashMap<Uuid, Uuid>> {
        let made = |named: &Named| named.made.filter(|made| *made != named.id);
        let all = named.iter().flat_map(|named| [Some(named.id), made(named)]).flatten().map(|id| id.as_uuid());
        let mut aliases = alias::resolve_all(tx, &self.table.name, &IdSet::of(all)).await?;
        let current = |id: RecordId, aliases: &HashMap<_, _>| *aliases.get(&id.as_uuid()).unwrap_or(&id.as_uuid());
        let made_here = IdSet::of(named.iter().filter_map(made).map(|made| current(made, &aliases)));
        if made_here.is_empty() {
            return Ok(aliases);
        }
        let here = self.here(tx, &made_here).await?;
        for named in named {
            let Some(made) = made(named).map(|made| current(made, &aliases)) else { continue };
            let id = current(named.id, &aliases);
            // If the record has a row of its own, a tombstone is that of an earlier one.
            let is_it = here.get(&made).is_some_and(|has_row| !(named.buried && *has_row));
            if id != made && is_it {
                report.changed += 1 + usize::try_from(rekey(tx, self.tables, self.table, made, id).await?).unwrap_or(0);
                aliases.values_mut().filter(|target| **target == made).for_each(|target| *target = id);
                aliases.insert(made, id);
            }
        }
        Ok(aliases)
    }

    /// Which of these records this device has anything of, and whether that is a row of the server.
    async fn here(&self, tx: &Tx, ids: &IdSet) -> Res<HashMap<Uuid, bool>> {
        let mut stored = Query::select();
        stored.columns(["id", "server_id"].map(name)).from(self.table.iden()).and_where(among(col("id"), ids));
        let queued = Query::select()
            .column(queue::Column::RecordId)
            .from(queue::Entity)
            .and_where(queue::Column::TableName.eq(self.table.name.as_str()))
            .and_where(among(col("record_id"), ids))
            .to_owned();
        let mut here = HashMap::new();
        for row in rows(tx, &queued).await? {
            here.insert(row.id("record_id")?, false);
        }
        for row in rows(tx, &stored).await? {
            here.insert(row.id("id")?, row.opt_id("server_id")?.is_some());
        }
        Ok(here)
    }
}

/// A record that a page names, and the id that the device made.
struct Named {
    id: RecordId,
    made: Option<RecordId>,
    buried: bool,
}

/// The server has deleted the record, or hides it. Returns what was lost by that.
fn bury(local: &mut Local, version: i64, tombstones: &mut Tombstones, at: Time) -> Vec<Lost> {
    if local.row.as_ref().is_some_and(|row| row.version > version) {
        return Vec::new();
    }
    local.row = None;
    tombstones.add(local.id, version);
    let gone = std::mem::take(&mut local.changes);
    match gone.last() {
        Some(last) if last.operation != RecordOperation::Delete => {
            gone.into_iter().filter_map(|change| Lost::of_gone(change, at)).collect()
        }
        _ => Vec::new(),
    }
}

/// The last page of a load: what none of its pages has named is gone.
async fn end_load(tx: &Tx, tables: &Tables, unknown: &[TableName], generation: i64, report: &mut Report) -> Res<()> {
    state::end_load(tx).await?;
    for (table, declaration) in tables.declared().filter(|(_, declaration)| !unknown.contains(&declaration.server_name))
    {
        let unnamed = Query::select()
            .column(name("id"))
            .from(table.iden())
            .and_where(col("confirmed").ne(generation))
            .and_where(col("server_id").is_not_null())
            .to_owned();
        let unnamed = rows(tx, &unnamed).await?.iter().map(|row| row.id("id")).collect::<Res<Vec<_>>>()?;
        for chunk in unnamed.chunks(CHUNK) {
            let before = local::load(tx, table, chunk.iter().copied()).await?;
            let mut records = before.clone();
            records.values_mut().for_each(lose_access);
            report.compare(&before, &records, declaration);
            local::store(tx, table, &before, &records).await?;
        }
    }
    Ok(())
}

/// Records read at a time.
const CHUNK: usize = 500;

fn lose_access(local: &mut Local) {
    let operation = |change: Option<&Entry>| change.map(|change| change.operation.clone());
    let (first, last) = (operation(local.changes.first()), operation(local.changes.last()));
    if last.is_none() || last == Some(RecordOperation::Delete) {
        (local.row, local.changes) = (None, Vec::new());
    } else if first != Some(RecordOperation::Create) {
        local.changes.iter_mut().filter(|change| change.refusal.is_none()).for_each(|change| {
            change.refuse(RecordRefusalCode::AccessLost);
        });
    }
}
