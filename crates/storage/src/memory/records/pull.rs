//! Applies pages from the server.

use super::state::{Entry, Key, RecordsState, Row, set};
use crate::{StorageError, StorageErrorKind, StorageResult, records::RecordApplyReport};
use fieldpost_domain::{
    Cursor, ServerEpoch, Time, Version,
    planted::{PlantedBug, planted},
    records::{
        Fields, Record, RecordOperation, RecordPage, RecordRefusal, RecordRefusalCode, RecordRow, RecordTombstone,
        TableName,
    },
};
use std::collections::BTreeMap;

impl RecordsState {
    pub(super) fn begin_load(&mut self) {
        self.cursor = None;
        self.generation += 1;
        self.loading = true;
    }

    pub(super) fn apply(&mut self, from: Option<Cursor>, page: &RecordPage) -> StorageResult<RecordApplyReport> {
        if self.cursor != from {
            return Err(StorageError::new(StorageErrorKind::Superseded, "apply_records"));
        }
        let before = self.everything();
        self.enter(page.epoch.as_ref());
        page.rows.iter().for_each(|row| self.put_row(row));
        page.tombstones.iter().for_each(|tombstone| self.bury(tombstone, page.server_time));
        if page.loading && !page.more {
            self.end_load(&page.unknown_tables);
        }
        self.cursor = Some(page.cursor.clone());
        Ok(self.compare(&before))
    }

    fn everything(&self) -> BTreeMap<Key, Record> {
        self.tables.keys().flat_map(|table| self.all_shown(table)).collect()
    }

    fn compare(&self, before: &BTreeMap<Key, Record>) -> RecordApplyReport {
        let after = self.everything();
        let changed = after.iter().filter(|(key, record)| before.get(key) != Some(record)).count();
        let removed = before.keys().filter(|key| !after.contains_key(&self.resolve(&key.0, key.1))).count();
        RecordApplyReport { changed: count(changed), removed: count(removed) }
    }

    /// Versions of another epoch mean nothing.
    fn enter(&mut self, epoch: Option<&ServerEpoch>) {
        let Some(epoch) = epoch else { return };
        if self.epoch.replace(epoch.clone()).is_some_and(|before| before != *epoch) {
            // What an answer of another history has confirmed is not confirmed by this load.
            let unconfirmed = self.generation.saturating_sub(1);
            for row in self.rows.values_mut() {
                (row.version, row.confirmed) = (Version::default(), unconfirmed);
            }
            self.tombstones.clear();
        }
    }

    /// Stores a row of the server, unless it is older than what is here.
    pub(super) fn put_row(&mut self, row: &RecordRow) {
        let Some(table) = self.on_server(&row.table).cloned() else { return };
        let key = self.resolve(&table.name, row.id);
        if let Some(made_here) = row.client_id.map(|id| self.resolve(&table.name, id))
            && made_here != key
            && self.is_known(&made_here)
        {
            self.rekey(&made_here, key.1);
        }
        let generation = self.generation;
        if let Some(stored) = self.rows.get_mut(&key) {
            stored.confirmed = generation;
        }
        let newer = self.rows.get(&key).is_some_and(|stored| stored.version > row.version)
            && !planted(PlantedBug::OlderRecordWins);
        let deleted = self.tombstones.get(&key).is_some_and(|deleted| *deleted >= row.version);
        if newer || deleted {
            return;
        }
        self.tombstones.remove(&key);
        let (mut known, extra) = table.from_server(row.fields.clone());
        self.follow(&table.name, &mut known);
        let fresh = Row {
            org_id: row.org_id,
            created_at: row.created_at.unwrap_or(row.modified_at),
            modified_at: row.modified_at,
            fields: Fields::new(),
            extra: Fields::new(),
            version: row.version,
            confirmed: generation,
        };
        let stored = self.rows.entry(key).or_insert(fresh);
        (stored.org_id, stored.modified_at, stored.version) = (row.org_id, row.modified_at, row.version);
        stored.created_at = row.created_at.unwrap_or(stored.created_at);
        for column in &table.columns {
            // What was kept of another kind is replaced by what fits, and the other way round.
            if known.get(column.name.as_str()).is_some() {
                stored.extra.take(column.server_name.as_str());
            } else if extra.get(column.server_name.as_str()).is_some() {
                stored.fields.take(column.name.as_str());
            }
        }
        stored.set(known);
        set(&mut stored.extra, extra);
    }

    /// The server has deleted a record, or hides it.
    fn bury(&mut self, tombstone: &RecordTombstone, at: Time) {
        let Some(table) = self.on_server(&tombstone.table).map(|table| table.name.clone()) else { return };
        let key = self.resolve(&table, tombstone.id);
        // If the record has another row, the tombstone is that of an earlier one.
        if key.1 != tombstone.id && self.rows.contains_key(&key) {
            return;
        }
        if let Some(made_here) = tombstone.client_id.map(|id| self.resolve(&table, id))
            && made_here != key
            && !self.rows.contains_key(&made_here)
            && self.is_known(&made_here)
        {
            self.rekey(&made_here, key.1);
        }
        if self.rows.get(&key).is_some_and(|row| row.version > tombstone.version) {
            return;
        }
        self.rows.remove(&key);
        let version = self.tombstones.entry(key.clone()).or_default();
        *version = (*version).max(tombstone.version);
        let (gone, stay): (Vec<Entry>, _) = self.queue.drain(..).partition(|entry| entry.key == key);
        self.queue = stay;
        if gone.last().is_some_and(|last| last.operation != RecordOperation::Delete)
            && !planted(PlantedBug::TombstoneDropsChanges)
        {
            gone.into_iter().for_each(|entry| self.keep_gone(entry, at));
        }
    }

    /// The last page of a load: what none of its pages has named is gone.
    fn end_load(&mut self, unknown: &[TableName]) {
        self.loading = false;
        let in_load =
            |table: &TableName| self.declared(table).is_some_and(|table| !unknown.contains(&table.server_name));
        let unnamed = self.rows.iter().filter(|(key, row)| row.confirmed != self.generation && in_load(&key.0));
        let unnamed: Vec<Key> = unnamed.map(|(key, _)| key.clone()).collect();
        for key in unnamed {
            if !planted(PlantedBug::UnnamedRecordStays) {
                self.lose_access(&key);
            }
        }
    }

    fn lose_access(&mut self, key: &Key) {
        let operation = |entry: Option<&Entry>| entry.map(|entry| entry.operation.clone());
        let (first, last) = (operation(self.changes_of(key).next()), operation(self.changes_of(key).next_back()));
        let drops = planted(PlantedBug::AccessLostDropsChanges);
        if last.is_none() || last == Some(RecordOperation::Delete) || drops {
            self.queue.retain(|entry| entry.key != *key);
            self.rows.remove(key);
        } else if first != Some(RecordOperation::Create) {
            let lost = |entry: &&mut Entry| entry.key == *key && entry.refusal.is_none();
            for entry in self.queue.iter_mut().filter(lost) {
                entry.refusal = Some(RecordRefusal { code: RecordRefusalCode::AccessLost, detail: None });
            }
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
