//! Open transactions that write records. Each method locks the record that it writes, so a push to it is answered with
//! `retry`.

use super::{RecordKey, RecordSubmission, api::answer, push};
use crate::{
    OutgoingRecord, RecordPushAnswer, RemoteError, RemoteErrorKind, RemoteResult,
    reference::{Locked, OpenTransaction, open::Lock, state::State},
};
use fieldpost_domain::{
    AccessToken, OrgId,
    records::{Fields, RecordId, TableName},
};

impl OpenTransaction {
    /// Inserts a row; see [`crate::reference::ReferenceServer::insert_record`]. If an id is taken when it commits, the
    /// whole transaction fails.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn insert_record(
        &self,
        table: &TableName,
        (id, client_id): (RecordId, Option<RecordId>),
        org_id: OrgId,
        fields: Fields,
    ) -> Result<(), Locked> {
        self.lock_record(table, id)?;
        let table = table.clone();
        self.add(move |transaction| {
            if !transaction.insert_foreign(&table, (id, client_id), org_id, &fields) {
                transaction.fail();
            }
        });
        Ok(())
    }

    /// Changes columns of a row.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn update_record(&self, table: &TableName, id: RecordId, fields: Fields) -> Result<(), Locked> {
        self.lock_record(table, id)?;
        let table = table.clone();
        self.add(move |transaction| {
            transaction.update_foreign(&table, id, |row| row.fields.merge(&fields));
        });
        Ok(())
    }

    /// Gives a row to another org.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn move_record(&self, table: &TableName, id: RecordId, org_id: OrgId) -> Result<(), Locked> {
        self.lock_record(table, id)?;
        let table = table.clone();
        self.add(move |transaction| {
            transaction.update_foreign(&table, id, |row| row.org_id = org_id);
        });
        Ok(())
    }

    /// Deletes a row.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn delete_record(&self, table: &TableName, id: RecordId) -> Result<(), Locked> {
        self.lock_record(table, id)?;
        let table = table.clone();
        self.add(move |transaction| {
            transaction.delete_foreign(&table, id);
        });
        Ok(())
    }

    /// Applies a batch as the last step of this transaction, and commits. Changes of records that another transaction
    /// has locked are answered with `retry`.
    ///
    /// # Errors
    /// As [`crate::RecordsApi::push_records`]; [`RemoteErrorKind::Interrupted`] when the server has restarted meanwhile.
    pub fn push_records(self, token: &AccessToken, changes: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer> {
        const OPERATION: &str = "push_records";
        let mut guard = self.server.lock();
        let state: &mut State = &mut guard;
        let caller = state.caller(token, OPERATION)?;
        let Some(pending) = state.open.by_id.remove(&self.id) else {
            return Err(RemoteError::new(RemoteErrorKind::Interrupted, OPERATION));
        };
        let batch: Vec<_> = changes.iter().map(RecordSubmission::from).collect();
        let results = push::push_as(state, caller, &batch, (pending.stamp, pending.now), Some(self.id));
        state.open.end(self.id);
        Ok(answer(state, changes, results))
    }

    fn lock_record(&self, table: &TableName, id: RecordId) -> Result<(), Locked> {
        let mut state = self.server.lock();
        // A table that is not offered has no rows to lock.
        let Some(table) = state.tables.records.number(table) else { return Ok(()) };
        state.open.take(Lock::Record(RecordKey { table, id }), self.id)
    }
}
