//! What the client syncs: messages, and records if tables are declared.
//!
//! Only this module knows whether there are records. What the app reports goes to both sides, by the coordinator.

use crate::Result;
use fieldpost_domain::Session;
use fieldpost_remote::Credentials;
use fieldpost_storage::OutboxCounts;
#[cfg(feature = "records")]
use fieldpost_sync::{ContextRunner, Coordinator, RecordEngine, RecordParts};
use fieldpost_sync::{Engine, Runner, SyncError};
use std::{sync::Arc, time::Duration};

/// The engines of a client.
pub(crate) struct Sides {
    pub(crate) messages: Arc<Engine>,
    #[cfg(feature = "records")]
    pub(crate) both: Option<Coordinator>,
}

/// Background sync of what there is.
pub(crate) enum Running {
    Messages(Runner),
    #[cfg(feature = "records")]
    Both(ContextRunner),
}

impl Running {
    pub(crate) async fn stop(self) {
        match self {
            Self::Messages(runner) => runner.stop().await,
            #[cfg(feature = "records")]
            Self::Both(runner) => runner.stop().await,
        }
    }
}

/// Calls a method of the coordinator if there are records, otherwise of the engine of messages.
macro_rules! on_what_there_is {
    ($sides:ident, $target:ident => $call:expr) => {{
        #[cfg(feature = "records")]
        if let Some($target) = &$sides.both {
            return $call;
        }
        let $target = &$sides.messages;
        $call
    }};
}

impl Sides {
    pub(crate) const fn of_messages(messages: Arc<Engine>) -> Self {
        Self {
            messages,
            #[cfg(feature = "records")]
            both: None,
        }
    }

    /// Adds the side of the records, which shares the session.
    #[cfg(feature = "records")]
    pub(crate) fn with_records(
        self,
        store: Arc<dyn fieldpost_storage::records::RecordStore>,
        api: Arc<dyn fieldpost_remote::RecordsApi>,
        env: fieldpost_sync::Env,
        rhythm: fieldpost_sync::Rhythm,
    ) -> Self {
        let parts = RecordParts::of(store, api, self.messages.shared_session(), env);
        let records = Arc::new(RecordEngine::new(parts).with_rhythm(rhythm));
        let both = Coordinator::new(records, Arc::clone(&self.messages));
        Self { both: Some(both), ..self }
    }

    pub(crate) fn start(&self) -> Running {
        #[cfg(feature = "records")]
        if let Some(both) = &self.both {
            return Running::Both(ContextRunner::start(both));
        }
        Running::Messages(Runner::start(Arc::clone(&self.messages)))
    }

    pub(crate) fn set_online(&self, online: bool) {
        on_what_there_is!(self, side => side.set_online(online));
    }

    pub(crate) fn foreground(&self) {
        on_what_there_is!(self, side => side.foreground());
    }

    pub(crate) fn hint(&self) {
        on_what_there_is!(self, side => side.hint());
    }

    pub(crate) async fn background(&self, deadline: Duration) -> Result<OutboxCounts> {
        #[cfg(feature = "records")]
        if let Some(both) = &self.both {
            return Ok(both.background(deadline).await?.messages);
        }
        Ok(self.messages.background(deadline).await?)
    }

    pub(crate) async fn pause(&self) {
        on_what_there_is!(self, side => side.pause().await);
    }

    pub(crate) fn resume(&self) {
        on_what_there_is!(self, side => side.resume());
    }

    pub(crate) async fn sign_in(&self, credentials: &Credentials) -> std::result::Result<Session, SyncError> {
        on_what_there_is!(self, side => side.sign_in(credentials).await)
    }

    pub(crate) async fn sign_out(&self) -> std::result::Result<(), SyncError> {
        on_what_there_is!(self, side => side.sign_out().await)
    }

    pub(crate) async fn session_changed(&self) {
        on_what_there_is!(self, side => side.session_changed().await);
    }

    pub(crate) async fn forget(&self) {
        on_what_there_is!(self, side => side.forget().await);
    }

    pub(crate) async fn refresh_status(&self) -> std::result::Result<(), SyncError> {
        on_what_there_is!(self, side => side.refresh_status().await)
    }
}
