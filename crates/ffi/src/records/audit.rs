//! The audit log: who has looked at which record.

use crate::{Client, Result, moment};
use fieldpost::records::{self, RecordId, TableName};

/// The sizes of the audit log on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct AuditCounts {
    /// Entries that wait to be uploaded.
    pub pending: u32,
    /// Entries that were dropped because the log was full, ever.
    pub dropped: u32,
}

#[uniffi::export]
impl Client {
    /// Adds to the audit log that the signed-in person has seen these records, with where in the app.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn audit_reads(&self, table: TableName, records: Vec<RecordId>, context: String) -> Result<()> {
        self.run(|client| async move { Ok(client.audit_reads(&table, &records, &context).await?) }).await
    }

    /// The sizes of the audit log on this device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn audit_counts(&self) -> Result<AuditCounts> {
        self.run(|client| async move { Ok(client.audit_counts().await?.into()) }).await
    }
}

impl From<records::AuditCounts> for AuditCounts {
    fn from(counts: records::AuditCounts) -> Self {
        Self { pending: moment::count(counts.pending), dropped: moment::count(counts.dropped) }
    }
}
