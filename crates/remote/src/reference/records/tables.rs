//! The offered tables and their rows, without rules.

use super::AuditRow;
use fieldpost_domain::{
    AuditId, OrgId, PersonId, Version,
    records::{ColumnKind, RecordId, RecordRow, RecordTable, RecordTombstone, TableName},
};
use std::collections::BTreeMap;

/// The primary key of a record, with the number of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::reference) struct RecordKey {
    pub(in crate::reference) table: usize,
    pub(in crate::reference) id: RecordId,
}

/// A row, and who has created it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::reference) struct StoredRecord {
    pub(in crate::reference) row: RecordRow,
    pub(in crate::reference) author: Option<PersonId>,
}

/// All tables of records.
#[derive(Debug, Clone, Default)]
pub(in crate::reference) struct RecordTables {
    /// The offered tables. A table's number is its place here.
    pub(in crate::reference) offered: Vec<RecordTable>,
    pub(in crate::reference) rows: BTreeMap<RecordKey, StoredRecord>,
    /// Index: the row of each `client_id`.
    pub(in crate::reference) of_client: BTreeMap<RecordKey, RecordId>,
    /// What the members of an org are told of a record that is no longer theirs.
    pub(in crate::reference) tombstones: BTreeMap<(RecordKey, OrgId), RecordTombstone>,
    pub(in crate::reference) audit: BTreeMap<AuditId, AuditRow>,
    /// Counts changes of policies.
    pub(in crate::reference) policies: u64,
}

impl RecordTables {
    /// The number of an offered table.
    pub(in crate::reference) fn number(&self, name: &TableName) -> Option<usize> {
        self.offered.iter().position(|table| table.server_name == *name)
    }

    /// The row that a client calls `id`.
    pub(super) fn find(&self, table: usize, id: RecordId) -> Option<&StoredRecord> {
        let key = RecordKey { table, id };
        let id = self.of_client.get(&key).copied().unwrap_or(id);
        self.rows.get(&RecordKey { table, id })
    }

    /// The key of the row that a client calls `id`; if there is none, the one that it would have.
    pub(super) fn resolve(&self, table: usize, id: RecordId) -> RecordKey {
        RecordKey { table, id: self.find(table, id).map_or(id, |stored| stored.row.id) }
    }

    /// The tombstones of a record that a client calls `id`.
    pub(super) fn tombstones_of(&self, table: usize, id: RecordId) -> impl Iterator<Item = (OrgId, &RecordTombstone)> {
        let of = move |key: &RecordKey, tombstone: &RecordTombstone| {
            key.table == table && (key.id == id || tombstone.client_id == Some(id))
        };
        self.tombstones.iter().filter(move |((key, _), row)| of(key, row)).map(|((_, org), row)| (*org, row))
    }

    /// The highest version that a record ever had.
    pub(in crate::reference) fn version_of(&self, key: RecordKey) -> Version {
        let row = self.rows.get(&key).map(|stored| stored.row.version);
        let dead = self.tombstones.iter().filter(|((dead, _), _)| *dead == key).map(|(_, row)| row.version);
        dead.chain(row).max().unwrap_or(Version::ZERO)
    }

    /// The number of the table that a column refers to, if it does.
    pub(super) fn target_of(&self, kind: &ColumnKind) -> Option<usize> {
        let ColumnKind::Reference(name) = kind else { return None };
        self.offered.iter().position(|table| table.name == *name)
    }

    /// The table of a row that refers to a record, with the name of the column.
    pub(super) fn referring_to(&self, key: RecordKey) -> Option<(&RecordTable, &str)> {
        let id = key.id.to_string();
        self.rows.iter().find_map(|(from, stored)| {
            let table = self.offered.get(from.table)?;
            let column = table.columns.iter().find(|column| {
                self.target_of(&column.kind) == Some(key.table)
                    && stored.row.fields.get(column.server_name.as_str()).is_some_and(|value| *value == *id)
            })?;
            Some((table, column.server_name.as_str()))
        })
    }
}
