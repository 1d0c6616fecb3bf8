//! Records: offline tables of the app's own, and the clinical ones.
//!
//! An app declares its tables with [`crate::Builder::records`] or [`crate::Builder::clinical`]. [`Client::records`]
//! gives a handle to one of them, [`Client::clinical`] typed handles to the four clinical ones. Every write is stored
//! with its queue item before the call returns, and works without a network. The queue has nothing to do with the
//! outbox of messages.
//!
//! ```
//! use fieldpost::records::{Column, ColumnKind, ColumnName, Fields, RecordQuery, RecordTable, TableName};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("ada.db");
//! let visits = TableName::new("visits")?;
//! let place = ColumnName::new("place")?;
//! let table = RecordTable::new(visits.clone()).column(Column::new(place, ColumnKind::Text).required());
//! let client = fieldpost::Fieldpost::builder().local_only().database(file).records([table]).open().await?;
//! assert!(client.records(&visits).query(RecordQuery::new(visits.clone())).await?.is_empty());
//! # let missing = client.records(&visits).create(Fields::new()).await;
//! # assert!(missing.is_err());
//! # client.close().await?;
//! # Ok(())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     tokio::runtime::Runtime::new()?.block_on(example())
//! # }
//! ```

mod audit;
mod clinical;
mod context;
mod decisions;
mod handle;
mod typed;
mod watching;

pub use clinical::Clinical;
pub use fieldpost_domain::records::clinical::tables as clinical_tables;
pub use fieldpost_domain::records::clinical::{
    CheckStatus, Model, ModelError, NearMiss, SafetyCheck, Severity, Treatment, TreatmentStatus, Worker,
};
pub use fieldpost_domain::records::{
    AuditOperation, Column, ColumnKind, ColumnName, Comparison, ConflictRule, DeclarationError, FieldError, Fields,
    Filter, IntoValue, NameError, Order, Priority, PriorityRule, Record, RecordConflict, RecordId, RecordOperation,
    RecordQuery, RecordRefusal, RecordRefusalCode, RecordState, RecordTable, TableName, Value,
};
pub use fieldpost_storage::records::{AuditCounts, CarriedItem, RecordCounts, RecordEntryState, RecordQueueEntry};
pub use handle::Records;
pub use typed::{TypedRecord, TypedRecords};

use crate::{Client, Error, Result, client::log_status_error};
use fieldpost_domain::records::DeviceTime;
use fieldpost_storage::records::RecordStore;
use fieldpost_sync::Coordinator;
use std::sync::Arc;

impl Client {
    /// A handle to a declared table. It does no I/O and does not check that the table is declared; its methods do.
    #[must_use]
    pub fn records(&self, table: &TableName) -> Records {
        Records::new(self.clone(), table.clone())
    }

    /// Typed handles to the clinical tables.
    #[must_use]
    pub fn clinical(&self) -> Clinical {
        Clinical::new(self.clone())
    }

    /// Whether any table is declared.
    #[must_use]
    pub fn has_records(&self) -> bool {
        self.inner.records.is_some()
    }

    pub(crate) fn record_store(&self) -> Result<&Arc<dyn RecordStore>> {
        self.inner.records.as_ref().ok_or_else(no_records)
    }

    pub(crate) fn coordinator(&self) -> Result<&Coordinator> {
        self.inner.sides.both.as_ref().ok_or_else(no_records)
    }

    /// The time of a change that is made now.
    pub(crate) fn device_time(&self) -> Result<DeviceTime> {
        Ok(self.coordinator()?.records().now())
    }

    /// Publishes the queue's new size after a local write and triggers a pass. The write itself has succeeded, so a
    /// failure here must not make the app write again.
    pub(crate) async fn note_record_write(&self) {
        if let Ok(coordinator) = self.coordinator() {
            log_status_error(coordinator.records().note_local_write().await);
        }
    }

    /// The declared tables, by name.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn record_tables(&self) -> Result<Vec<RecordTable>> {
        Ok(self.record_store()?.declared().await?)
    }
}

fn no_records() -> Error {
    Error::Configuration("this client has no records; declare tables with Builder::records".to_owned())
}
