//! The sync status that an app shows.

use crate::{SyncError, machine::live::LiveStatus};
use fieldpost_domain::Time;
use fieldpost_storage::Health;
use serde::Serialize;

/// The status as one word. If several apply, the first in this order wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// Nobody is signed in.
    SignedOut,
    /// There is no network, or the last attempt could not reach the server.
    Offline,
    /// A pass is running.
    Syncing,
    /// The last pass failed, but not because of the network.
    Error,
    /// The outbox has something to send, or the store was never synced.
    Pending,
    /// Nothing is left to send, and everything of the server is here. Dead letters do not count; see
    /// [`Status::failed`].
    Synced,
}

/// The status of message syncing alone, for an app that has a sync context of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageSyncStatus {
    /// Nothing is running, and the last pass succeeded or there was none.
    Idle,
    /// A pass is running.
    Syncing,
    /// The last pass failed.
    Error,
}

/// The progress of a bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Conversations loaded so far.
    pub done: u64,
    /// Conversations in total; none before the first page.
    pub total: Option<u64>,
}

/// Everything that an app shows about syncing.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Whether somebody is signed in.
    pub signed_in: bool,
    /// The platform reports that there is no network.
    pub no_network: bool,
    /// Whether a pass is running.
    pub syncing: bool,
    /// Mutations that are not settled yet.
    pub pending: u64,
    /// Dead letters: mutations that wait for a person's decision.
    pub failed: u64,
    /// When the last successful sync finished, by the device clock.
    pub last_success_at: Option<Time>,
    /// Why the last pass failed; none if it succeeded.
    pub last_error: Option<SyncError>,
    /// The progress of the bootstrap, while one is running.
    pub bootstrap: Option<Progress>,
    /// How often something had to be repaired, by any process.
    pub health: Health,
    /// Whether hints of the server come. Nothing depends on them: without, the timer finds what is new.
    pub live: LiveStatus,
}

impl Status {
    /// The status as one word.
    #[must_use]
    pub fn sync_status(&self) -> SyncStatus {
        if !self.signed_in {
            return SyncStatus::SignedOut;
        }
        match &self.last_error {
            Some(error) if error.is_offline() => SyncStatus::Offline,
            _ if self.no_network => SyncStatus::Offline,
            _ if self.syncing => SyncStatus::Syncing,
            Some(_) => SyncStatus::Error,
            None if self.pending > 0 || self.last_success_at.is_none() => SyncStatus::Pending,
            None => SyncStatus::Synced,
        }
    }

    /// The status of message syncing alone.
    #[must_use]
    pub const fn message_sync_status(&self) -> MessageSyncStatus {
        match (self.syncing, &self.last_error) {
            (true, _) => MessageSyncStatus::Syncing,
            (false, Some(_)) => MessageSyncStatus::Error,
            (false, None) => MessageSyncStatus::Idle,
        }
    }
}
