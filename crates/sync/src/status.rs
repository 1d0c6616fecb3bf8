//! What a person sees of syncing.

use crate::SyncError;
use fieldpost_domain::Time;
use fieldpost_storage::Health;
use serde::Serialize;

/// The one word that an app shows. Where several hold, the first of this order wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// Nobody is signed in.
    SignedOut,
    /// There is no network, or the server was out of reach at the last attempt.
    Offline,
    /// A pass is running.
    Syncing,
    /// The last pass failed for another reason than the network.
    Error,
    /// Something waits in the outbox, or nothing was ever synced.
    Pending,
    /// Nothing waits for the server, and everything of the server is here. What it refused waits for the person: see
    /// [`Status::failed`].
    Synced,
}

/// The state of message syncing alone, as an app's sync context shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageSyncStatus {
    /// Nothing is running, and the last pass was well or never was.
    Idle,
    /// A pass is running.
    Syncing,
    /// The last pass failed.
    Error,
}

/// How far a first load is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Conversations loaded.
    pub done: u64,
    /// Conversations there are; none until the first page has told.
    pub total: Option<u64>,
}

/// Everything an app shows about syncing.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Whether somebody is signed in.
    pub signed_in: bool,
    /// The platform says that there is no network.
    pub no_network: bool,
    /// Whether a pass is running.
    pub syncing: bool,
    /// Mutations that wait for the server.
    pub pending: u64,
    /// Dead letters: mutations that wait for a person.
    pub failed: u64,
    /// When a sync last finished well, by the device's clock.
    pub last_success_at: Option<Time>,
    /// Why the last pass failed; none if it was well.
    pub last_error: Option<SyncError>,
    /// The progress of a first load, while one is under way.
    pub bootstrap: Option<Progress>,
    /// How often something had to be put right, by whichever process.
    pub health: Health,
}

impl Status {
    /// The one word.
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

    /// Message syncing alone.
    #[must_use]
    pub const fn message_sync_status(&self) -> MessageSyncStatus {
        match (self.syncing, &self.last_error) {
            (true, _) => MessageSyncStatus::Syncing,
            (false, Some(_)) => MessageSyncStatus::Error,
            (false, None) => MessageSyncStatus::Idle,
        }
    }
}
