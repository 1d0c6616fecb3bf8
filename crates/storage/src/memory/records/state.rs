//! The data of records as one value.

use crate::records::{CarriedItem, RecordMemory};
use fieldpost_domain::{
    Cursor, MutationId, OrgId, RetryCode, ServerEpoch, Time, Version,
    records::{
        AuditEntry, ClockId, ColumnKind, ColumnName, DeviceTime, Fields, Priority, RecordConflict, RecordId,
        RecordOperation, RecordRefusal, RecordTable, TableName,
    },
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// A record, by its table and its current id.
pub(super) type Key = (TableName, RecordId);

#[derive(Debug, Clone, Default)]
pub(in crate::memory) struct RecordsState {
    /// Tables that are declared, or once were.
    pub(super) tables: BTreeMap<TableName, Table>,
    /// The server's rows, with what this device has won.
    pub(super) rows: BTreeMap<Key, Row>,
    /// In the order of recording.
    pub(super) queue: Vec<Entry>,
    /// The next number of [`Entry::position`].
    pub(super) next_position: u64,
    /// The oldest first.
    pub(super) conflicts: Vec<RecordConflict>,
    pub(super) tombstones: BTreeMap<Key, Version>,
    /// From former ids to the current ones; never a chain.
    pub(super) aliases: BTreeMap<Key, RecordId>,
    /// By how many microseconds a clock is ahead of the server's.
    pub(super) clocks: BTreeMap<ClockId, i64>,
    pub(super) carried: Vec<CarriedItem>,
    /// The oldest first.
    pub(super) audit: VecDeque<Arc<AuditEntry>>,
    /// Entries of the audit log that were dropped.
    pub(super) dropped: u64,
    pub(super) cursor: Option<Cursor>,
    /// The server's name for the epoch of the rows.
    pub(super) epoch: Option<ServerEpoch>,
    /// Grows when a load begins.
    pub(super) generation: u64,
    /// The load of this generation has not ended.
    pub(super) loading: bool,
    pub(super) last_success_at: Option<Time>,
    pub(super) memory: RecordMemory,
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    /// As it was declared last.
    pub(super) declaration: RecordTable,
    /// Whether the last call declared it.
    pub(super) declared: bool,
    /// All columns that were ever declared.
    pub(super) columns: BTreeMap<ColumnName, ColumnKind>,
}

/// A row of the server, with names of the device.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) org_id: OrgId,
    pub(super) created_at: Time,
    pub(super) modified_at: Time,
    /// Without nulls. Columns that are no longer declared are here too.
    pub(super) fields: Fields,
    /// Without nulls, with names of the server.
    pub(super) extra: Fields,
    pub(super) version: Version,
    /// The generation of the load that named it last.
    pub(super) confirmed: u64,
}

/// A change in the queue.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) position: u64,
    pub(super) id: MutationId,
    pub(super) key: Key,
    pub(super) operation: RecordOperation,
    pub(super) org_id: Option<OrgId>,
    pub(super) fields: Fields,
    pub(super) priority: Priority,
    pub(super) modified_at: DeviceTime,
    /// When it was first made; later changes may have been folded into it.
    pub(super) recorded_at: Time,
    /// Attempts with an unknown outcome.
    pub(super) attempts: u32,
    /// Failures in a row.
    pub(super) failures: u32,
    pub(super) next_at: Option<Time>,
    pub(super) last_retry: Option<RetryCode>,
    /// Why it is a dead letter.
    pub(super) refusal: Option<RecordRefusal>,
    /// The pass that has it under way.
    pub(super) taken_by: Option<u64>,
}

impl RecordsState {
    /// The current id of a record.
    pub(super) fn resolve(&self, table: &TableName, id: RecordId) -> Key {
        let key = (table.clone(), id);
        match self.aliases.get(&key) {
            Some(current) => (table.clone(), *current),
            None => key,
        }
    }

    /// The changes of a record, in their order.
    pub(super) fn changes_of<'a>(&'a self, key: &'a Key) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.queue.iter().filter(move |entry| entry.key == *key)
    }

    pub(super) fn find(&self, mutation: MutationId) -> Option<&Entry> {
        self.queue.iter().find(|entry| entry.id == mutation)
    }

    pub(super) fn declared(&self, table: &TableName) -> Option<&RecordTable> {
        self.tables.get(table).filter(|table| table.declared).map(|table| &table.declaration)
    }

    /// The declared table that the server calls so.
    pub(super) fn on_server(&self, server_name: &TableName) -> Option<&RecordTable> {
        let mut declared = self.tables.values().filter(|table| table.declared).map(|table| &table.declaration);
        declared.find(|table| table.server_name == *server_name)
    }

    /// Whether this device has anything of the record.
    pub(super) fn is_known(&self, key: &Key) -> bool {
        self.rows.contains_key(key) || self.changes_of(key).next().is_some()
    }
}

impl Row {
    /// Sets fields; null removes one.
    pub(super) fn set(&mut self, fields: impl IntoIterator<Item = (String, serde_json::Value)>) {
        set(&mut self.fields, fields);
    }
}

/// Sets fields; null removes one.
pub(super) fn set(into: &mut Fields, fields: impl IntoIterator<Item = (String, serde_json::Value)>) {
    for (name, value) in fields {
        if value.is_null() {
            into.take(&name);
        } else {
            into.set(name, value);
        }
    }
}

impl Entry {
    /// Whether an attempt may have carried it out.
    pub(super) const fn is_sending(&self) -> bool {
        self.attempts > 0 && self.refusal.is_none()
    }

    /// Whether it certainly never reached the server, or was refused there.
    pub(super) const fn is_unsent(&self) -> bool {
        self.attempts == 0 || self.refusal.is_some()
    }

    /// It is no longer under way, and was not carried out by this attempt.
    pub(super) fn undo_attempt(&mut self) {
        self.attempts = self.attempts.saturating_sub(1);
        self.taken_by = None;
    }

    /// It waits as its priority says.
    pub(super) fn wait(&mut self, at: Time) {
        self.taken_by = None;
        self.failures = self.failures.saturating_add(1);
        self.next_at = at.checked_add_signed(long(self.priority.backoff(self.failures)));
    }
}

/// A wait as a difference of times. Waits are hours.
pub(super) fn long(wait: std::time::Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(wait).unwrap_or(chrono::TimeDelta::MAX)
}
