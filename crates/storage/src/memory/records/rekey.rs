//! Gives a record the server's id.

use super::state::{Key, RecordsState};
use fieldpost_domain::records::{AuditEntry, ColumnKind, Fields, RecordId, TableName};
use std::{collections::BTreeMap, sync::Arc};

impl RecordsState {
    /// Changes every `from` to `to` and keeps `from` as an alias. If both have a row, that of `to` stays, because it is
    /// the server's.
    pub(super) fn rekey(&mut self, from: &Key, to: RecordId) {
        let table = &from.0;
        let current = (table.clone(), to);
        let former = self.aliases.iter_mut().filter(|(key, target)| key.0 == *table && **target == from.1);
        former.for_each(|(_, target)| *target = to);
        self.aliases.remove(&current);
        self.aliases.insert(from.clone(), to);
        if let Some(row) = self.rows.remove(from) {
            self.rows.entry(current.clone()).or_insert(row);
        }
        if let Some(version) = self.tombstones.remove(from) {
            self.tombstones.entry(current.clone()).or_insert(version);
        }
        for entry in self.queue.iter_mut().filter(|entry| entry.key == *from) {
            entry.key = current.clone();
        }
        for conflict in self.conflicts.iter_mut().filter(|it| it.table == *table && it.record_id == from.1) {
            conflict.record_id = to;
        }
        self.rekey_carried(from.1, to);
        self.rekey_audit(from, to);
        self.resolve_references();
    }

    fn rekey_carried(&mut self, from: RecordId, to: RecordId) {
        // An id is as good as unique, so it is found wherever it stands.
        let (from, to) = (from.to_string(), to.to_string());
        for item in &mut self.carried {
            item.record_id = item.record_id.replace(&from, &to);
            item.payload = item.payload.replace(&from, &to);
        }
    }

    fn rekey_audit(&mut self, from: &Key, to: RecordId) {
        let Some(server_name) = self.tables.get(&from.0).map(|table| &table.declaration.server_name) else { return };
        for entry in self.audit.iter_mut().filter(|entry| entry.table == *server_name && entry.record_id == from.1) {
            *entry = Arc::new(AuditEntry { record_id: to, ..AuditEntry::clone(entry) });
        }
    }

    /// Puts the current ids into all columns that refer to records.
    pub(super) fn resolve_references(&mut self) {
        let Self { tables, rows, queue, conflicts, aliases, .. } = self;
        let resolve = |table: &TableName, fields: &mut Fields| {
            let columns = tables.get(table).map(|table| &table.columns).into_iter().flatten();
            follow(columns.map(|(name, kind)| (name.as_str(), kind)), aliases, fields);
        };
        rows.iter_mut().for_each(|(key, row)| resolve(&key.0, &mut row.fields));
        queue.iter_mut().for_each(|entry| resolve(&entry.key.0, &mut entry.fields));
        for conflict in conflicts {
            resolve(&conflict.table, &mut conflict.lost);
            resolve(&conflict.table, &mut conflict.won);
        }
    }

    /// Puts the current ids into the columns of some fields that refer to records.
    pub(super) fn follow(&self, table: &TableName, fields: &mut Fields) {
        let columns = self.tables.get(table).map(|table| &table.columns).into_iter().flatten();
        follow(columns.map(|(name, kind)| (name.as_str(), kind)), &self.aliases, fields);
    }

    /// The records that these fields refer to.
    pub(super) fn references(&self, table: &TableName, fields: &Fields) -> Vec<Key> {
        let columns = self.tables.get(table).map(|table| &table.columns).into_iter().flatten();
        let referring = columns.filter_map(|(name, kind)| match kind {
            ColumnKind::Reference(other) => Some((other, fields.get(name.as_str())?.as_str()?.parse().ok()?)),
            _ => None,
        });
        referring.map(|(other, id)| self.resolve(other, id)).collect()
    }
}

fn follow<'a>(
    columns: impl Iterator<Item = (&'a str, &'a ColumnKind)>,
    aliases: &BTreeMap<Key, RecordId>,
    fields: &mut Fields,
) {
    for (name, kind) in columns {
        let ColumnKind::Reference(other) = kind else { continue };
        let id = fields.get(name).and_then(|value| value.as_str()?.parse::<RecordId>().ok());
        if let Some(current) = id.and_then(|id| aliases.get(&(other.clone(), id))) {
            fields.set(name, current.to_string());
        }
    }
}
