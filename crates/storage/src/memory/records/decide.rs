//! A person's decisions about dead letters, queued changes and conflicts.

use super::state::{Entry, Key, RecordsState};
use crate::{StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::{
    MutationId,
    records::{DeviceTime, Record, RecordChange, RecordOperation, RecordRefusalCode},
};

impl RecordsState {
    pub(super) fn retry(&mut self, mutation: MutationId) -> StorageResult<()> {
        let dead_letter = self.find(mutation).filter(|entry| entry.refusal.is_some());
        let missing = || StorageError::new(StorageErrorKind::NotFound, "retry_record");
        let key = dead_letter.ok_or_else(missing)?.key.clone();
        let dead = |entry: &&mut Entry| entry.key == key && entry.refusal.is_some();
        self.queue.iter_mut().filter(dead).for_each(requeue);
        Ok(())
    }

    pub(super) fn cancel(&mut self, mutation: MutationId) -> StorageResult<()> {
        let missing = || StorageError::new(StorageErrorKind::NotFound, "cancel_record");
        let entry = self.find(mutation).ok_or_else(missing)?;
        if entry.is_sending() {
            return Err(StorageError::new(StorageErrorKind::OutcomeUnknown, "cancel_record"));
        }
        let key = entry.key.clone();
        if entry.operation == RecordOperation::Create && !self.rows.contains_key(&key) {
            self.queue.retain(|entry| entry.key != key);
        } else {
            self.queue.retain(|entry| entry.id != mutation);
            self.free_followers(&key);
        }
        self.drop_unconfirmed(&key);
        Ok(())
    }

    /// Queues what was parked behind a dead letter again, if none is left.
    fn free_followers(&mut self, key: &Key) {
        let code = |entry: &Entry| entry.refusal.as_ref().map(|refusal| refusal.code.clone());
        let parked = |entry: &Entry| code(entry) == Some(RecordRefusalCode::AfterRefused);
        let refused = |entry: &Entry| code(entry).is_some() && !parked(entry);
        if !self.changes_of(key).any(refused) {
            self.queue.iter_mut().filter(|entry| entry.key == *key && parked(entry)).for_each(requeue);
        }
    }

    /// Removes a record that the last load did not name, once nothing of it is queued.
    fn drop_unconfirmed(&mut self, key: &Key) {
        let unconfirmed = self.rows.get(key).is_some_and(|row| row.confirmed != self.generation);
        if unconfirmed && !self.loading && self.changes_of(key).next().is_none() {
            self.rows.remove(key);
        }
    }

    pub(super) fn dismiss(&mut self, lost: MutationId) -> bool {
        let before = self.conflicts.len();
        self.conflicts.retain(|conflict| conflict.mutation_id != lost);
        self.conflicts.len() < before
    }

    pub(super) fn reapply(&mut self, lost: MutationId, mutation: MutationId, at: DeviceTime) -> StorageResult<Record> {
        let missing = || StorageError::new(StorageErrorKind::NotFound, "reapply_record_conflict");
        let conflict = self.conflicts.iter().find(|conflict| conflict.mutation_id == lost).ok_or_else(missing)?;
        let table = self.declared(&conflict.table).ok_or_else(missing)?;
        let declared = |name: &str| table.find(name).is_some();
        let fields = conflict.lost.clone().into_iter().filter(|(name, _)| declared(name)).collect();
        let change = RecordChange { table: conflict.table.clone(), id: conflict.record_id, fields, at };
        let record = self.update(mutation, change)?;
        self.dismiss(lost);
        Ok(record)
    }
}

fn requeue(entry: &mut Entry) {
    (entry.refusal, entry.failures, entry.next_at, entry.last_retry) = (None, 0, None, None);
}
