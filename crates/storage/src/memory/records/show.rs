//! What is shown: a row with the queued changes over it.

use super::state::{Entry, Key, RecordsState, Row, set};
use fieldpost_domain::{
    Version,
    records::{Fields, Record, RecordOperation, RecordState, RecordTable, TableName},
};
use std::collections::BTreeMap;

impl RecordsState {
    /// The record as it is shown; none if it is not there, is deleted here, or its table is not declared.
    pub(super) fn shown(&self, key: &Key) -> Option<Record> {
        let table = self.declared(&key.0)?;
        let changes: Vec<&Entry> = self.changes_of(key).collect();
        show(table, key, self.rows.get(key), &changes)
    }

    /// All shown records of a table, by id.
    pub(super) fn all_shown(&self, name: &TableName) -> BTreeMap<Key, Record> {
        let Some(table) = self.declared(name) else { return BTreeMap::new() };
        let mut known: BTreeMap<&Key, Vec<&Entry>> = BTreeMap::new();
        for key in self.rows.keys().filter(|key| key.0 == *name) {
            known.entry(key).or_default();
        }
        for entry in self.queue.iter().filter(|entry| entry.key.0 == *name) {
            known.entry(&entry.key).or_default().push(entry);
        }
        let shown = known
            .into_iter()
            .filter_map(|(key, changes)| Some((key.clone(), show(table, key, self.rows.get(key), &changes)?)));
        shown.collect()
    }
}

fn show(table: &RecordTable, key: &Key, row: Option<&Row>, changes: &[&Entry]) -> Option<Record> {
    let mut record = row.map(|row| of_row(key, row));
    for change in changes {
        match (&change.operation, &mut record) {
            (RecordOperation::Create, None) => record = of_create(change),
            (RecordOperation::Create | RecordOperation::Update, Some(record)) => {
                set(&mut record.fields, change.fields.clone());
                record.modified_at = change.modified_at.at;
            }
            (RecordOperation::Delete, _) => record = None,
            _ => {}
        }
    }
    let mut record = record?;
    let is_declared = |name: &str| table.find(name).is_some();
    record.fields = std::mem::take(&mut record.fields).into_iter().filter(|(name, _)| is_declared(name)).collect();
    record.state = match changes {
        [] => RecordState::Synced,
        changes if changes.iter().any(|change| change.refusal.is_some()) => RecordState::Failed,
        _ => RecordState::Queued,
    };
    Some(record)
}

fn of_row(key: &Key, row: &Row) -> Record {
    Record {
        id: key.1,
        table: key.0.clone(),
        server_id: Some(key.1),
        org_id: row.org_id,
        fields: row.fields.clone(),
        extra: row.extra.clone(),
        created_at: row.created_at,
        modified_at: row.modified_at,
        version: row.version,
        state: RecordState::Synced,
    }
}

fn of_create(create: &Entry) -> Option<Record> {
    let mut fields = Fields::new();
    set(&mut fields, create.fields.clone());
    Some(Record {
        id: create.key.1,
        table: create.key.0.clone(),
        server_id: None,
        org_id: create.org_id?,
        fields,
        extra: Fields::new(),
        created_at: create.recorded_at,
        modified_at: create.modified_at.at,
        version: Version::default(),
        state: RecordState::Queued,
    })
}
