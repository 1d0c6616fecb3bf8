//! The audit log: who has looked at which record.

use super::{AuditCounts, AuditOperation, RecordId, TableName};
use crate::{Client, Result};
use fieldpost_domain::records::NewAuditEntry;

/// The most characters of a context.
const CONTEXT_LIMIT: usize = 500;

impl Client {
    /// Adds to the audit log that the signed-in person has seen a record, with where in the app. Without a session
    /// nothing is added. The log is uploaded with a later sync, after everything else; it is bounded, and
    /// [`Client::audit_counts`] says how many of the oldest entries were dropped.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn audit_read(&self, table: &TableName, record: RecordId, context: &str) -> Result<()> {
        self.audit_reads(table, &[record], context).await
    }

    /// The same for a list of records, in one write.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn audit_reads(&self, table: &TableName, records: &[RecordId], context: &str) -> Result<()> {
        if records.is_empty() || !self.is_signed_in().await? {
            return Ok(());
        }
        let at = self.device_time()?;
        let context = Some(context.trim()).filter(|context| !context.is_empty());
        let context: Option<String> =
            context.map(|context| context.replace('\0', "").chars().take(CONTEXT_LIMIT).collect());
        let read = |record: &RecordId| NewAuditEntry {
            id: self.inner.env.audit_id(),
            table: table.clone(),
            record_id: *record,
            operation: AuditOperation::Read,
            context: context.clone(),
            at,
        };
        Ok(self.record_store()?.audit(records.iter().map(read).collect()).await?)
    }

    /// The sizes of the audit log on this device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn audit_counts(&self) -> Result<AuditCounts> {
        Ok(self.record_store()?.audit_counts().await?)
    }
}
