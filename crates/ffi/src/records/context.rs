//! Syncing of records and messages together.

use crate::{
    Client, Failure, Result, Status, Subscription, SyncReport, SyncStatus, listening::listener, moment,
    syncing::failure,
};
use futures::{StreamExt, stream};
use std::{sync::Arc, time::SystemTime};

/// How the device is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ConnectionKind {
    /// The app has not said.
    Unknown,
    /// There is no network.
    NoNetwork,
    /// A wireless network.
    Wifi,
    /// A mobile network.
    Cellular,
    /// A cable.
    Ethernet,
    /// Another network.
    Other,
}

/// What a sync of both sides came to. Each side has a result of its own.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ContextReport {
    /// What the pass of the messages did; none if it failed.
    pub messages: Option<SyncReport>,
    /// Why the messages failed.
    pub messages_failure: Option<Failure>,
    /// Changes of records that the server has; none if their pass failed.
    pub records_won: Option<u32>,
    /// Why the records failed.
    pub records_failure: Option<Failure>,
}

/// The state of both sides ([`fieldpost::ContextState`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ContextState {
    /// As one word.
    pub sync_status: SyncStatus,
    /// The side of the messages.
    pub messages: Status,
    /// Changes of records that wait for the server.
    pub records_pending: u32,
    /// Refused changes of records.
    pub records_failed: u32,
    /// Lost changes that nobody has decided about.
    pub conflicts: u32,
    /// Why the last pass of the records failed.
    pub records_error: Option<Failure>,
    /// How the device is connected.
    pub connection: ConnectionKind,
    /// Whether the server can be reached, as far as is known.
    pub online: bool,
    /// When both sides were last synced.
    pub last_sync_at: Option<SystemTime>,
}

listener!(
    /// Is told of the state of both sides.
    ContextListener,
    ContextState
);

#[uniffi::export]
impl Client {
    /// Syncs everything now: records, the audit log, then messages.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Configuration`] without tables; failures of syncing are in the report.
    pub async fn trigger_sync(&self) -> Result<ContextReport> {
        self.run(|client| async move { Ok(client.trigger_sync().await?.into()) }).await
    }

    /// Watches the state of both sides. The first update is what it is now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Configuration`] without tables.
    pub fn watch_context(&self, listener: Box<dyn ContextListener>) -> Result<Arc<Subscription>> {
        let watch = self.sdk()?.sync_context()?;
        let first = ContextState::from(watch.state());
        let changes = stream::unfold(watch, async |mut watch| {
            let state = watch.changed().await?;
            Some((Ok::<_, fieldpost::Error>(ContextState::from(state)), watch))
        });
        Subscription::follow(listener, Some(first), changes.take_until(Box::pin(self.ended()?)))
    }

    /// Reports how the device is connected.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Configuration`] without tables.
    pub fn set_connection(&self, connection: ConnectionKind) -> Result<()> {
        let client = self.sdk()?;
        let _inside = crate::runtime::runtime()?.enter();
        Ok(client.set_connection(connection.into())?)
    }
}

impl From<ConnectionKind> for fieldpost::ConnectionKind {
    fn from(kind: ConnectionKind) -> Self {
        match kind {
            ConnectionKind::Unknown => Self::Unknown,
            ConnectionKind::NoNetwork => Self::None,
            ConnectionKind::Wifi => Self::Wifi,
            ConnectionKind::Cellular => Self::Cellular,
            ConnectionKind::Ethernet => Self::Ethernet,
            ConnectionKind::Other => Self::Other,
        }
    }
}

impl From<fieldpost::ConnectionKind> for ConnectionKind {
    fn from(kind: fieldpost::ConnectionKind) -> Self {
        match kind {
            fieldpost::ConnectionKind::Unknown => Self::Unknown,
            fieldpost::ConnectionKind::None => Self::NoNetwork,
            fieldpost::ConnectionKind::Wifi => Self::Wifi,
            fieldpost::ConnectionKind::Cellular => Self::Cellular,
            fieldpost::ConnectionKind::Ethernet => Self::Ethernet,
            fieldpost::ConnectionKind::Other => Self::Other,
        }
    }
}

impl From<fieldpost::ContextReport> for ContextReport {
    fn from(report: fieldpost::ContextReport) -> Self {
        let (messages, messages_failure) = split(report.messages);
        let (records, records_failure) = split(report.records);
        Self {
            messages: messages.map(Into::into),
            messages_failure,
            records_won: records.map(|records| moment::count(records.won)),
            records_failure,
        }
    }
}

fn split<T>(result: std::result::Result<T, fieldpost::SyncError>) -> (Option<T>, Option<Failure>) {
    match result {
        Ok(report) => (Some(report), None),
        Err(error) => (None, Some(failure(error))),
    }
}

impl From<fieldpost::ContextState> for ContextState {
    fn from(state: fieldpost::ContextState) -> Self {
        Self {
            sync_status: state.sync_status().into(),
            online: state.is_online(),
            last_sync_at: state.last_sync_at().map(moment::out),
            messages: state.messages.into(),
            records_pending: moment::count(state.records.pending),
            records_failed: moment::count(state.records.failed),
            conflicts: moment::count(state.records.conflicts),
            records_error: state.records.last_error.map(failure),
            connection: state.connection.into(),
        }
    }
}
