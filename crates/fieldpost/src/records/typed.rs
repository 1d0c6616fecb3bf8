//! A handle to one table whose records have a typed model.

use super::{Fields, Model, Record, RecordId, RecordQuery, RecordState, Records, Value};
use crate::{Error, Result, Time};
use std::marker::PhantomData;

/// A record with its model.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedRecord<M> {
    /// Its id.
    pub id: RecordId,
    /// Its fields.
    pub model: M,
    /// Whether the server has what is shown.
    pub state: RecordState,
    /// When it was created.
    pub created_at: Time,
    /// When it was last changed.
    pub modified_at: Time,
}

/// One table of a client, with a typed model.
#[derive(Debug, Clone)]
pub struct TypedRecords<M> {
    records: Records,
    model: PhantomData<fn() -> M>,
}

impl<M: Model + Send + Sync> TypedRecords<M> {
    pub(super) const fn new(records: Records) -> Self {
        Self { records, model: PhantomData }
    }

    /// The same table without types.
    #[must_use]
    pub const fn untyped(&self) -> &Records {
        &self.records
    }

    /// Creates a record and queues it.
    ///
    /// # Errors
    /// As [`Records::create`]; [`Error::InvalidRecord`] also when a rule of the model is broken.
    pub async fn create(&self, model: &M) -> Result<TypedRecord<M>> {
        model.check().map_err(Error::InvalidRecord)?;
        let fields = model.to_fields().into_iter().filter(|(_, value)| !value.is_null()).collect();
        typed(self.records.create(fields).await?)
    }

    /// Changes a record: reads it, lets `change` change its model, and queues the fields that differ.
    ///
    /// # Errors
    /// As [`Records::update`]; [`Error::UnreadableRecord`] when what is stored does not fit the model.
    pub async fn update(&self, id: RecordId, change: impl FnOnce(&mut M) + Send) -> Result<TypedRecord<M>> {
        let record = self.records.get(id).await?.ok_or(Error::NotFound)?;
        let mut model = read::<M>(&record.fields)?;
        change(&mut model);
        model.check().map_err(Error::InvalidRecord)?;
        let differs = |(name, value): &(String, Value)| match record.fields.get(name) {
            Some(before) => before != value,
            None => !value.is_null() && !is_empty_list(value),
        };
        let fields: Fields = model.to_fields().into_iter().filter(differs).collect();
        typed(self.records.update(record.id, fields).await?)
    }

    /// Deletes a record and queues that.
    ///
    /// # Errors
    /// As [`Records::delete`].
    pub async fn delete(&self, id: RecordId) -> Result<()> {
        self.records.delete(id).await
    }

    /// A record; none if it is not on this device. For what a person looks at, use [`TypedRecords::read`].
    ///
    /// # Errors
    /// [`Error::UnreadableRecord`] when what is stored does not fit the model.
    pub async fn get(&self, id: RecordId) -> Result<Option<TypedRecord<M>>> {
        self.records.get(id).await?.map(typed).transpose()
    }

    /// Shows a record to the signed-in person: reads it and adds that to the audit log, with where in the app.
    ///
    /// # Errors
    /// As [`TypedRecords::get`].
    pub async fn read(&self, id: RecordId, context: &str) -> Result<Option<TypedRecord<M>>> {
        let record = self.get(id).await?;
        if record.is_some() {
            self.records.client().audit_read(self.records.table(), id, context).await?;
        }
        Ok(record)
    }

    /// Shows a list of records to the signed-in person: queries them and adds each to the audit log, with where in the
    /// app. Records that do not fit the model are left out.
    ///
    /// # Errors
    /// As [`TypedRecords::query`].
    pub async fn read_all(&self, query: RecordQuery, context: &str) -> Result<Vec<TypedRecord<M>>> {
        let found = self.query(query).await?;
        let shown: Vec<_> = found.iter().map(|record| record.id).collect();
        self.records.client().audit_reads(self.records.table(), &shown, context).await?;
        Ok(found)
    }

    /// The records that a query asks for. Records that do not fit the model are left out; [`Records::query`] has them.
    ///
    /// # Errors
    /// As [`Records::query`].
    pub async fn query(&self, query: RecordQuery) -> Result<Vec<TypedRecord<M>>> {
        Ok(self.records.query(query).await?.into_iter().filter_map(|record| typed(record).ok()).collect())
    }
}

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn read<M: Model>(fields: &Fields) -> Result<M> {
    M::from_fields(fields).map_err(Error::UnreadableRecord)
}

fn typed<M: Model>(record: Record) -> Result<TypedRecord<M>> {
    let model = read(&record.fields)?;
    let Record { id, state, created_at, modified_at, .. } = record;
    Ok(TypedRecord { id, model, state, created_at, modified_at })
}
