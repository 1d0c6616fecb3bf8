//! Reading and writing records.

use super::{fields, fields_text};
use crate::{Client, Result, moment};
use fieldpost::{
    OrgId,
    records::{self, ColumnName, RecordId, TableName},
};
use std::time::SystemTime;

/// Whether the server has what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RecordState {
    /// The server has it as it is shown.
    Synced,
    /// A change waits.
    Queued,
    /// A change was refused, and waits for the person.
    Failed,
}

/// A record ([`fieldpost::records::Record`]).
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// Its table.
    pub table: TableName,
    /// The org that it belongs to.
    pub org_id: OrgId,
    /// Its fields: a JSON object.
    pub fields: String,
    /// When it was created.
    pub created_at: SystemTime,
    /// When it was last changed.
    pub modified_at: SystemTime,
    /// Whether the server has what is shown.
    pub state: RecordState,
}

/// How a value is compared with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Comparison {
    /// Equal. Null equals null.
    Is,
    /// Not equal.
    IsNot,
    /// Below.
    Below,
    /// At most.
    AtMost,
    /// Above.
    Above,
    /// At least.
    AtLeast,
    /// The text contains this one.
    Contains,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Filter {
    /// The column.
    pub column: ColumnName,
    /// The comparison.
    pub comparison: Comparison,
    /// The value, as JSON.
    pub value: String,
}

/// Asks for records of one table. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RecordQuery {
    /// The table.
    pub table: TableName,
    /// The conditions.
    #[uniffi(default = [])]
    pub filters: Vec<Filter>,
    /// The column that orders the result; `created_at`, the newest first, if there is none.
    #[uniffi(default = None)]
    pub order_by: Option<ColumnName>,
    /// The largest first.
    #[uniffi(default = false)]
    pub descending: bool,
    /// The most records.
    #[uniffi(default = None)]
    pub limit: Option<u32>,
    /// How many records to skip.
    #[uniffi(default = 0)]
    pub offset: u32,
}

#[uniffi::export]
impl Client {
    /// Creates a record in the person's own org and queues it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidRecord`], [`crate::ErrorKind::NotReady`].
    pub async fn create_record(&self, table: TableName, fields: String) -> Result<Record> {
        let fields = self::fields(&fields)?;
        self.run(|client| async move { Ok(client.records(&table).create(fields).await?.into()) }).await
    }

    /// Sets some fields of a record and queues the change. Null clears a field.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidRecord`], [`crate::ErrorKind::NotFound`].
    pub async fn update_record(&self, table: TableName, record: RecordId, fields: String) -> Result<Record> {
        let fields = self::fields(&fields)?;
        self.run(|client| async move { Ok(client.records(&table).update(record, fields).await?.into()) }).await
    }

    /// Deletes a record and queues that.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn delete_record(&self, table: TableName, record: RecordId) -> Result<()> {
        self.run(|client| async move { Ok(client.records(&table).delete(record).await?) }).await
    }

    /// A record; none if it is not on this device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn record(&self, table: TableName, record: RecordId) -> Result<Option<Record>> {
        self.run(|client| async move { Ok(client.records(&table).get(record).await?.map(Into::into)) }).await
    }

    /// The records that a query asks for.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidRecord`] when a condition does not fit the table.
    pub async fn records(&self, query: RecordQuery) -> Result<Vec<Record>> {
        let query: records::RecordQuery = query.try_into()?;
        self.run(|client| async move {
            let table = query.table.clone();
            Ok(client.records(&table).query(query).await?.into_iter().map(Into::into).collect())
        })
        .await
    }

    /// How many records a table has.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn count_records(&self, table: TableName) -> Result<u32> {
        self.run(|client| async move { Ok(moment::count(client.records(&table).count().await?)) }).await
    }
}

impl TryFrom<RecordQuery> for records::RecordQuery {
    type Error = crate::FieldpostError;

    fn try_from(asked: RecordQuery) -> Result<Self> {
        let mut query = Self::new(asked.table);
        for filter in asked.filters {
            let value: serde_json::Value = serde_json::from_str(&filter.value)
                .map_err(|_| crate::FieldpostError::argument("the value of a condition is JSON"))?;
            query = query.filter(filter.column, filter.comparison.into(), value);
        }
        if let Some(column) = asked.order_by {
            query = query.order(column, asked.descending);
        }
        query.limit = asked.limit;
        query.offset = asked.offset;
        Ok(query)
    }
}

impl From<Comparison> for records::Comparison {
    fn from(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Is => Self::Is,
            Comparison::IsNot => Self::IsNot,
            Comparison::Below => Self::Below,
            Comparison::AtMost => Self::AtMost,
            Comparison::Above => Self::Above,
            Comparison::AtLeast => Self::AtLeast,
            Comparison::Contains => Self::Contains,
        }
    }
}

impl From<records::Record> for Record {
    fn from(record: records::Record) -> Self {
        Self {
            id: record.id,
            table: record.table,
            org_id: record.org_id,
            fields: fields_text(&record.fields),
            created_at: moment::out(record.created_at),
            modified_at: moment::out(record.modified_at),
            state: match record.state {
                records::RecordState::Synced => RecordState::Synced,
                records::RecordState::Queued => RecordState::Queued,
                records::RecordState::Failed => RecordState::Failed,
            },
        }
    }
}
