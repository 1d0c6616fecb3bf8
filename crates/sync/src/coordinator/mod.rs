//! Coordinates the two sides: records and messages.
//!
//! The two have nothing in common but the session and the network: each has its own queue, turn, position, schedule and
//! result. The coordinator starts them in the order that an app expects, tells both what the app reports, and shows one
//! state. A failure of one side never becomes one of the other.

mod lifecycle;
mod runner;
mod state;
mod watch;

pub use lifecycle::Left;
pub use runner::ContextRunner;
pub use state::{ConnectionKind, ContextState};
pub use watch::ContextWatch;

use crate::{Engine, RecordEngine, RecordReport, SyncError, SyncReport};
use fieldpost_domain::planted::{PlantedBug, planted};
use std::sync::Arc;
use tokio::sync::watch as channel;
use watch::Own;

/// What a sync of both sides did. Each side has a result of its own.
#[derive(Debug, Clone)]
pub struct ContextReport {
    /// The result of the records.
    pub records: Result<RecordReport, SyncError>,
    /// The result of the messages.
    pub messages: Result<SyncReport, SyncError>,
}

impl ContextReport {
    /// The first error, that of the records first.
    #[must_use]
    pub fn error(&self) -> Option<&SyncError> {
        self.records.as_ref().err().or(self.messages.as_ref().err())
    }
}

/// Syncs records and messages of one store.
#[derive(Debug)]
pub struct Coordinator {
    records: Arc<RecordEngine>,
    messages: Arc<Engine>,
    own: channel::Sender<Own>,
}

impl Coordinator {
    /// Coordinates two engines of one store. They should share a session ([`Engine::shared_session`]).
    #[must_use]
    pub fn new(records: Arc<RecordEngine>, messages: Arc<Engine>) -> Self {
        Self { records, messages, own: channel::Sender::new(Own::default()) }
    }

    /// The engine of the records.
    #[must_use]
    pub const fn records(&self) -> &Arc<RecordEngine> {
        &self.records
    }

    /// The engine of the messages.
    #[must_use]
    pub const fn messages(&self) -> &Arc<Engine> {
        &self.messages
    }

    /// The state and its changes.
    #[must_use]
    pub fn watch(&self) -> ContextWatch {
        ContextWatch::of(self)
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> ContextState {
        self.watch().state()
    }

    /// Syncs both sides: the queue of the records and their pull, the audit log, then the messages. An immediate change
    /// that is written meanwhile is sent at once. Neither side's failure keeps the other from being synced.
    pub async fn trigger_sync(&self) -> ContextReport {
        let _running = Running::begin(&self.own);
        let records = Box::pin(self.records.sync()).await;
        let messages = Box::pin(self.records.beside(self.messages.sync())).await;
        match &messages {
            Err(error) if planted(PlantedBug::MessageFailureFailsRecords) => {
                ContextReport { records: Err(error.clone()), messages }
            }
            _ => ContextReport { records, messages },
        }
    }

    /// Syncs the messages alone (pull-to-refresh). An immediate change of a record that is written meanwhile is sent at
    /// once.
    ///
    /// # Errors
    /// As [`Engine::sync`].
    pub async fn trigger_message_sync(&self) -> Result<SyncReport, SyncError> {
        Box::pin(self.records.beside(self.messages.sync())).await
    }
}

/// A sync of both sides that is running. It ends when this is dropped.
struct Running<'a>(&'a channel::Sender<Own>);

impl<'a> Running<'a> {
    fn begin(own: &'a channel::Sender<Own>) -> Self {
        own.send_modify(|own| own.triggered += 1);
        Self(own)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|own| own.triggered -= 1);
    }
}
