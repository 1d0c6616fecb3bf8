//! The client, which an app holds.

use crate::{
    Conversation, ConversationId, Result, Retention,
    sides::{Running, Sides},
};
use fieldpost_storage::{Store, TokensApart};
use fieldpost_sync::{Env, SyncError};
use std::{fmt, sync::Arc};
use tokio::sync::{Mutex, watch};

/// One account on one device. Cheap to clone; all clones are the same client.
///
/// Each feature has its own module: conversations, messages, people, sessions, syncing, lifecycle. When the last clone
/// is dropped, background sync stops and the streams end.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    /// Where the tokens of the session lie.
    pub(crate) tokens: Arc<TokensApart>,
    pub(crate) sides: Sides,
    /// The records, if tables are declared.
    #[cfg(feature = "records")]
    pub(crate) records: Option<Arc<dyn fieldpost_storage::records::RecordStore>>,
    pub(crate) env: Env,
    pub(crate) retention: Retention,
    /// Whether the app shows who is writing.
    pub(crate) typing: bool,
    /// Gives up the connections to the project, if they are ours.
    pub(crate) drop_connections: Option<Box<dyn Fn() + Send + Sync>>,
    /// Background sync, once started.
    pub(crate) runner: Mutex<Option<Running>>,
    /// Nothing is sent on it: streams end when it is dropped.
    pub(crate) alive: watch::Sender<()>,
}

impl Client {
    /// A handle to a conversation. It does no I/O and does not check that the conversation is on this device; the
    /// handle's methods do.
    #[must_use]
    pub fn conversation(&self, id: ConversationId) -> Conversation {
        Conversation::new(self.clone(), id)
    }

    /// Stops syncing (a running pass stops at its next await) and closes the file. Later calls fail and streams end.
    /// Closing twice is allowed.
    ///
    /// # Errors
    /// If the store cannot close.
    pub async fn close(&self) -> Result<()> {
        self.stop().await;
        self.inner.sides.pause().await;
        Ok(self.inner.store.close().await?)
    }

    /// Publishes the outbox's new size after a local write and triggers a pass. The write itself has succeeded, so a
    /// failure here must not make the app write again.
    pub(crate) async fn note_local_write(&self) {
        log_status_error(self.inner.sides.messages.note_local_write().await);
    }
}

pub(crate) fn log_status_error(noted: std::result::Result<(), SyncError>) {
    if let Err(error) = noted {
        tracing::warn!(%error, "the status could not be read after a local write");
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
