//! The handle that an app holds.

use crate::Result;
use fieldpost_storage::Store;
use fieldpost_sync::{Engine, Env};
use std::{fmt, sync::Arc};

/// One account on one device. Cheap to clone; all clones are the same client.
///
/// Each feature has a module of its own: conversations, messages, people, sessions, syncing.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Engine,
    pub(crate) env: Env,
}

impl Client {
    /// Finishes what is running and lets go of the file. Later calls fail; closing twice is allowed.
    ///
    /// # Errors
    /// If the store cannot finish.
    pub async fn close(&self) -> Result<()> {
        Ok(self.inner.store.close().await?)
    }

    /// Publishes the outbox's new size after a local write. The write itself has succeeded: what fails here must not
    /// make the app write again.
    pub(crate) async fn note_local_write(&self) {
        if let Err(error) = self.inner.engine.refresh_status().await {
            tracing::warn!(%error, "the status could not be read after a local write");
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
