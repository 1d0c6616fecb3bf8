//! What an app shows about syncing as a whole.

use crate::{MessageSyncStatus, RecordStatus, Status, SyncError, SyncStatus};
use fieldpost_domain::Time;
use serde::Serialize;

/// How the device is connected, as the app says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// The app has not said.
    #[default]
    Unknown,
    /// There is no network.
    None,
    /// A wireless network.
    Wifi,
    /// A mobile network.
    Cellular,
    /// A cable.
    Ethernet,
    /// Another network.
    Other,
}

impl ConnectionKind {
    /// Whether there is a network. Until the app says otherwise, there is one.
    #[must_use]
    pub const fn is_online(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// The state of both sides at one moment.
#[derive(Debug, Clone, Default)]
pub struct ContextState {
    /// The side of the records.
    pub records: RecordStatus,
    /// The side of the messages.
    pub messages: Status,
    /// How the device is connected.
    pub connection: ConnectionKind,
    /// Whether a sync of both sides is running.
    pub triggered: bool,
}

impl ContextState {
    /// The state as one word: offline before syncing before error before pending before synced. When nobody is signed
    /// in, that is said instead.
    ///
    /// An error of message syncing is not one of the whole; see [`ContextState::message_sync_status`].
    #[must_use]
    pub fn sync_status(&self) -> SyncStatus {
        if !self.messages.signed_in && !self.records.signed_in {
            return SyncStatus::SignedOut;
        }
        if !self.is_online() {
            return SyncStatus::Offline;
        }
        if self.triggered || self.records.syncing || self.messages.syncing {
            return SyncStatus::Syncing;
        }
        let never = self.records.last_success_at.is_none() || self.messages.last_success_at.is_none();
        match &self.records.last_error {
            Some(_) => SyncStatus::Error,
            None if self.pending() > 0 || never => SyncStatus::Pending,
            None => SyncStatus::Synced,
        }
    }

    /// The status of message syncing alone.
    #[must_use]
    pub const fn message_sync_status(&self) -> MessageSyncStatus {
        self.messages.message_sync_status()
    }

    /// Whether the server can be reached, as far as is known: the app reports a network, and the last attempt of neither
    /// side found the server out of reach.
    #[must_use]
    pub fn is_online(&self) -> bool {
        let reached = |error: &Option<SyncError>| error.as_ref().is_none_or(|error| !error.is_offline());
        self.connection.is_online()
            && !self.records.no_network
            && !self.messages.no_network
            && reached(&self.records.last_error)
            && reached(&self.messages.last_error)
    }

    /// What waits for the server, of both sides.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.records.pending + self.messages.pending
    }

    /// Dead letters of both sides.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.records.failed + self.messages.failed
    }

    /// When both sides were last synced: the earlier of the two times; none while one never was.
    #[must_use]
    pub fn last_sync_at(&self) -> Option<Time> {
        Some(self.records.last_success_at?.min(self.messages.last_success_at?))
    }

    /// The last error, that of the records first.
    #[must_use]
    pub fn last_error(&self) -> Option<&SyncError> {
        self.records.last_error.as_ref().or(self.messages.last_error.as_ref())
    }
}
