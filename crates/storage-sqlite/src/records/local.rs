//! All that this device has of a record: the server's row and the queued changes over it.
//!
//! Whoever changes the one or the other reads the record, changes it in memory, and writes it back ([`load`], [`store`]). So
//! what is shown is computed anew in the transaction that changes what it is made of.

use super::{
    entry::{self, Entry},
    stored::{self, Base, Stored},
    tables::Table,
};
use crate::{
    error::Res,
    sql::{IdSet, Tx},
    values::unsigned,
};
use fieldpost_domain::{
    OrgId, Version,
    records::{Fields, Record, RecordId, RecordOperation, RecordState, RecordTable},
};
use fieldpost_storage::ChangeSet;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The server's row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) base: Base,
    /// Without nulls, with names of the server.
    pub(super) extra: Fields,
    pub(super) version: i64,
    pub(super) confirmed: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Local {
    pub(super) id: Uuid,
    pub(super) row: Option<Row>,
    /// In their order.
    pub(super) changes: Vec<Entry>,
}

/// The version of a row that the server has not sent.
pub(super) const UNKNOWN: i64 = -1;

impl Row {
    /// Sets fields; null removes one.
    pub(super) fn set(&mut self, fields: impl IntoIterator<Item = (String, Value)>) {
        set(&mut self.base.fields, fields);
    }
}

/// Sets fields; null removes one.
pub(super) fn set(into: &mut Fields, fields: impl IntoIterator<Item = (String, Value)>) {
    for (name, value) in fields {
        if value.is_null() {
            into.take(&name);
        } else {
            into.set(name, value);
        }
    }
}

impl Local {
    pub(super) const fn nothing(id: Uuid) -> Self {
        Self { id, row: None, changes: Vec::new() }
    }

    pub(super) fn is_known(&self) -> bool {
        self.row.is_some() || !self.changes.is_empty()
    }

    /// What is shown; none if it is not there, or deleted here.
    pub(super) fn shown(&self) -> Option<Base> {
        let mut shown = self.row.as_ref().map(|row| row.base.clone());
        for change in &self.changes {
            match (&change.operation, &mut shown) {
                (RecordOperation::Create, None) => shown = of_create(change),
                (RecordOperation::Create | RecordOperation::Update, Some(shown)) if !change.is_unreadable => {
                    set(&mut shown.fields, change.fields.clone());
                    shown.modified_at = change.at.at;
                }
                (RecordOperation::Delete, _) => shown = None,
                _ => {}
            }
        }
        shown
    }

    /// The record as it is shown.
    pub(super) fn record(&self, table: &RecordTable) -> Option<Record> {
        let shown = self.shown()?;
        Some(record(table, self.id, shown, self.row.as_ref(), state(&self.changes)))
    }

    /// Whether nobody could tell them apart. Their changes are the same.
    fn looks_like(&self, other: &Self) -> bool {
        let seen = |row: &Row| (row.base.clone(), row.extra.clone(), row.version);
        self.row.as_ref().map(seen) == other.row.as_ref().map(seen)
    }

    /// As the file has it; none if there is nothing to show or to keep.
    fn stored(&self) -> Option<Stored> {
        let shown = self.shown();
        let row = self.row.as_ref();
        let deleted = shown.is_none();
        let base = row.filter(|_| !self.changes.is_empty()).map(|row| row.base.clone());
        let Base { org_id, created_at, modified_at, fields } = shown.or_else(|| base.clone())?;
        Some(Stored {
            id: self.id,
            server_id: row.map(|_| self.id),
            org_id,
            created_at,
            modified_at,
            fields,
            version: row.map_or(UNKNOWN, |row| row.version),
            base,
            deleted,
            confirmed: row.map_or(0, |row| row.confirmed),
            extra: row.map(|row| row.extra.clone()).unwrap_or_default(),
        })
    }
}

fn of_create(create: &Entry) -> Option<Base> {
    let mut fields = Fields::new();
    set(&mut fields, create.fields.clone());
    let org_id: OrgId = create.org_id?;
    Some(Base { org_id, created_at: create.recorded_at, modified_at: create.at.at, fields })
}

fn state(changes: &[Entry]) -> RecordState {
    match changes {
        [] => RecordState::Synced,
        changes if changes.iter().any(|change| change.refusal.is_some()) => RecordState::Failed,
        _ => RecordState::Queued,
    }
}

/// A record of what is shown of it.
fn record(table: &RecordTable, id: Uuid, shown: Base, row: Option<&Row>, state: RecordState) -> Record {
    let id = RecordId::from_uuid(id);
    Record {
        id,
        table: table.name.clone(),
        server_id: row.map(|_| id),
        org_id: shown.org_id,
        fields: shown.fields.into_iter().filter(|(name, _)| table.find(name).is_some()).collect(),
        extra: row.map(|row| row.extra.clone()).unwrap_or_default(),
        created_at: shown.created_at,
        modified_at: shown.modified_at,
        version: row.map_or(Version::ZERO, |row| told(row.version)),
        state,
    }
}

/// The server's number of a stored version.
fn told(version: i64) -> Version {
    Version::new(unsigned(version))
}

/// The record of a row that is shown.
pub(super) fn of_stored(table: &RecordTable, stored: Stored, state: RecordState) -> Record {
    let Stored { id, server_id, org_id, created_at, modified_at, fields, version, extra, confirmed, .. } = stored;
    let shown = Base { org_id, created_at, modified_at, fields };
    let row = server_id.map(|_| Row { base: shown.clone(), extra, version, confirmed });
    record(table, id, shown, row.as_ref(), state)
}

/// The server's row of a stored one.
fn row(stored: Stored) -> Option<Row> {
    let Stored { server_id, org_id, created_at, modified_at, fields, version, base, confirmed, extra, .. } = stored;
    server_id?;
    let base = base.unwrap_or(Base { org_id, created_at, modified_at, fields });
    Some(Row { base, extra, version, confirmed })
}

/// Reads records with their changes. What is not here is there as nothing.
pub(super) async fn load(tx: &Tx, table: &Table, ids: impl IntoIterator<Item = Uuid>) -> Res<BTreeMap<Uuid, Local>> {
    let mut found: BTreeMap<_, _> = ids.into_iter().map(|id| (id, Local::nothing(id))).collect();
    if found.is_empty() {
        return Ok(found);
    }
    let ids = IdSet::of(found.keys().copied());
    for stored in stored::find(tx, table, &ids).await? {
        if let Some(local) = found.get_mut(&stored.id) {
            local.row = row(stored);
        }
    }
    for change in entry::of_records(tx, &table.name, &ids).await? {
        if let Some(local) = found.get_mut(&change.record) {
            local.changes.push(change);
        }
    }
    Ok(found)
}

/// One record.
pub(super) async fn one(tx: &Tx, table: &Table, id: Uuid) -> Res<Local> {
    Ok(load(tx, table, [id]).await?.remove(&id).unwrap_or_else(|| Local::nothing(id)))
}

/// Writes back what has changed since it was read.
pub(super) async fn store(
    tx: &Tx,
    table: &Table,
    before: &BTreeMap<Uuid, Local>,
    after: &BTreeMap<Uuid, Local>,
) -> Res<()> {
    let (mut saved, mut removed, mut left) = (Vec::new(), Vec::new(), Vec::new());
    let (mut looks, mut waits) = (false, false);
    for (id, local) in after {
        let old = before.get(id);
        if old == Some(local) {
            continue;
        }
        waits |= old.is_none_or(|old| old.changes != local.changes);
        looks |= waits || old.is_none_or(|old| !old.looks_like(local));
        match local.stored() {
            Some(stored) => saved.push(stored),
            None => removed.push(*id),
        }
        let kept = |change: &&Entry| local.changes.iter().any(|kept| kept.id == change.id);
        let old = old.map_or(&[][..], |old| &old.changes);
        left.extend(old.iter().filter(|change| !kept(change)).map(|change| change.id));
        for change in local.changes.iter().filter(|change| old.iter().any(|old| old.id == change.id && old != *change))
        {
            entry::rewrite(tx, change).await?;
        }
    }
    stored::save(tx, table, &saved).await?;
    stored::remove(tx, table, &IdSet::of(removed)).await?;
    entry::remove(tx, left).await?;
    let touched = ChangeSet::of_records(looks.then(|| table.name.clone()));
    tx.changed(if waits { touched.and_record_queue() } else { touched }).await;
    Ok(())
}

/// The same of one record.
pub(super) async fn store_one(tx: &Tx, table: &Table, before: Local, after: Local) -> Res<()> {
    let id = after.id;
    store(tx, table, &BTreeMap::from([(id, before)]), &BTreeMap::from([(id, after)])).await
}
