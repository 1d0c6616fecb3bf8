//! Syncing of records and messages together: the sync context of an app.

use crate::{Client, Result};
use fieldpost_sync::{ConnectionKind, ContextReport, ContextWatch};

impl Client {
    /// Syncs everything now: the queue of records and their pull, the audit log, then messages. Each side has a result of
    /// its own: a failure of one changes nothing on the other.
    ///
    /// # Errors
    /// Only when no table is declared; failures of syncing are in the report.
    pub async fn trigger_sync(&self) -> Result<ContextReport> {
        Ok(self.coordinator()?.trigger_sync().await)
    }

    /// The state of both sides and its changes: one stream for an app's sync context.
    ///
    /// # Errors
    /// When no table is declared.
    pub fn sync_context(&self) -> Result<ContextWatch> {
        Ok(self.coordinator()?.watch())
    }

    /// Reports how the device is connected. As [`Client::set_online`], and the state shows the kind.
    ///
    /// # Errors
    /// When no table is declared.
    pub fn set_connection(&self, connection: ConnectionKind) -> Result<()> {
        self.coordinator()?.set_connection(connection);
        Ok(())
    }
}
