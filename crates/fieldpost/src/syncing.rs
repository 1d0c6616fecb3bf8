//! Syncing, and its status.

use crate::{Client, Result, Status, SyncReport};
use tokio::sync::watch;

impl Client {
    /// Pull-to-refresh: sends what waits, then fetches what is new. Calls at the same time share one pass.
    ///
    /// # Errors
    /// [`crate::Error::Offline`] when the server is out of reach, [`crate::Error::SignedOut`] when there is no session. What
    /// was written is kept in any case.
    pub async fn sync(&self) -> Result<SyncReport> {
        Ok(self.inner.engine.sync().await?)
    }

    /// [`Client::sync`] by the name that it has in the sync context of the app that Fieldpost was made for.
    ///
    /// # Errors
    /// As [`Client::sync`].
    pub async fn trigger_message_sync(&self) -> Result<SyncReport> {
        self.sync().await
    }

    /// The status and its changes: read it with `borrow()`, wait for the next with `changed()`.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.inner.engine.status()
    }
}
