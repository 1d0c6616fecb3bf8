//! A handle to one table.

use super::{Fields, Record, RecordId, RecordQuery, TableName};
use crate::{Client, Result};
use fieldpost_domain::{
    OrgId,
    records::{NewRecord, RecordChange},
};

/// One declared table of a client.
#[derive(Debug, Clone)]
pub struct Records {
    client: Client,
    table: TableName,
}

impl Records {
    pub(super) const fn new(client: Client, table: TableName) -> Self {
        Self { client, table }
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &TableName {
        &self.table
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Creates a record in the person's own org and queues it. When this returns, the record survives a power failure.
    ///
    /// # Errors
    /// [`crate::Error::InvalidRecord`] for fields that do not fit the declaration; [`crate::Error::NotReady`] before
    /// the first sync, when the person's org is not known.
    pub async fn create(&self, fields: Fields) -> Result<Record> {
        self.create_in(None, fields).await
    }

    /// Like [`Records::create`], in a given org.
    ///
    /// # Errors
    /// As [`Records::create`].
    pub async fn create_in(&self, org_id: Option<OrgId>, fields: Fields) -> Result<Record> {
        let id = self.client.inner.env.record_id();
        let at = self.client.device_time()?;
        let new = NewRecord { id, table: self.table.clone(), org_id, fields, at };
        let mutation = self.client.inner.env.mutation_id();
        let record = self.client.record_store()?.create_record(mutation, new).await?;
        self.client.note_record_write().await;
        Ok(record)
    }

    /// Sets some fields of a record and queues the change. Null clears a field.
    ///
    /// # Errors
    /// As [`Records::create`]; [`crate::Error::NotFound`] when the record is not on this device.
    pub async fn update(&self, id: RecordId, fields: Fields) -> Result<Record> {
        let change = RecordChange { table: self.table.clone(), id, fields, at: self.client.device_time()? };
        let mutation = self.client.inner.env.mutation_id();
        let record = self.client.record_store()?.update_record(mutation, change).await?;
        self.client.note_record_write().await;
        Ok(record)
    }

    /// Deletes a record and queues that. Deleting what is not there succeeds.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn delete(&self, id: RecordId) -> Result<()> {
        let at = self.client.device_time()?;
        let mutation = self.client.inner.env.mutation_id();
        self.client.record_store()?.delete_record(mutation, self.table.clone(), id, at).await?;
        self.client.note_record_write().await;
        Ok(())
    }

    /// A record; none if it is not on this device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn get(&self, id: RecordId) -> Result<Option<Record>> {
        Ok(self.client.record_store()?.record(&self.table, id).await?)
    }

    /// The records that a query asks for. The query's table is replaced by this one.
    ///
    /// # Errors
    /// [`crate::Error::InvalidRecord`] when a condition does not fit the declaration.
    pub async fn query(&self, mut query: RecordQuery) -> Result<Vec<Record>> {
        query.table = self.table.clone();
        Ok(self.client.record_store()?.records(&query).await?)
    }

    /// How many records there are.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn count(&self) -> Result<u64> {
        Ok(self.client.record_store()?.count_records(&self.table).await?)
    }
}
