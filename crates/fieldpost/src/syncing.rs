//! Syncing and its status.

use crate::{Client, Result, Status, SyncReport};
use tokio::sync::watch;

impl Client {
    /// Runs a pass now (pull-to-refresh): sends the outbox, then fetches what is new. Concurrent calls share one pass.
    ///
    /// # Errors
    /// [`crate::Error::Offline`] when the server is out of reach, [`crate::Error::SignedOut`] when there is no session.
    /// Local changes are kept in any case.
    pub async fn sync(&self) -> Result<SyncReport> {
        Ok(self.inner.sides.messages.sync().await?)
    }

    /// Alias of [`Client::sync`], named as in the sync context of the app that Fieldpost was made for.
    ///
    /// # Errors
    /// As [`Client::sync`].
    pub async fn trigger_message_sync(&self) -> Result<SyncReport> {
        self.sync().await
    }

    /// The status and its changes: read it with `borrow()`, wait for the next change with `changed()`.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.inner.sides.messages.status()
    }
}
