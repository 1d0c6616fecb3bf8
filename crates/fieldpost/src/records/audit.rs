//! The audit log: who has looked at which record.

use super::{AuditCounts, AuditOperation, RecordId, TableName};
use crate::{Client, Result};

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
        if !self.is_signed_in().await? {
            return Ok(());
        }
        let id = self.inner.env.audit_id();
        let at = self.device_time()?;
        let context = Some(context.trim()).filter(|context| !context.is_empty());
        let context = context.map(|context| context.replace('\0', "").chars().take(CONTEXT_LIMIT).collect());
        Ok(self.record_store()?.audit(id, table, record, AuditOperation::Read, context, at).await?)
    }

    /// The sizes of the audit log on this device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn audit_counts(&self) -> Result<AuditCounts> {
        Ok(self.record_store()?.audit_counts().await?)
    }
}
