//! Syncing and its status.

use crate::{Client, Failure, Result, moment};
use std::time::SystemTime;

/// The status as one word ([`fieldpost::SyncStatus`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum SyncStatus {
    /// Nobody is signed in.
    SignedOut,
    /// There is no network, or the last attempt could not reach the server.
    Offline,
    /// A pass is running.
    Syncing,
    /// The last pass failed, but not because of the network.
    Error,
    /// Something is to be sent, or nothing was ever synced.
    Pending,
    /// Nothing is left to do.
    Synced,
}

/// Whether live hints come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum LiveStatus {
    /// They are not wanted now.
    Off,
    /// They are wanted, and do not come.
    Reconnecting,
    /// They come.
    Live,
}

/// The progress of the first load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Progress {
    /// Conversations so far.
    pub done: u32,
    /// Conversations in total; none before the first page.
    pub total: Option<u32>,
}

/// Everything that an app shows about syncing ([`fieldpost::Status`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Status {
    /// As one word.
    pub sync_status: SyncStatus,
    /// Whether somebody is signed in.
    pub signed_in: bool,
    /// The platform reports that there is no network.
    pub no_network: bool,
    /// Whether a pass is running.
    pub syncing: bool,
    /// What waits for the server.
    pub pending: u32,
    /// What was refused and waits for the person.
    pub failed: u32,
    /// When the last successful sync finished.
    pub last_success_at: Option<SystemTime>,
    /// Why the last pass failed; none if it succeeded.
    pub last_error: Option<Failure>,
    /// While the first load is running.
    pub first_load: Option<Progress>,
    /// Whether live hints come.
    pub live: LiveStatus,
}

/// What a pass did ([`fieldpost::SyncReport`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// Calls.
    pub requests: u32,
    /// Mutations that the server acknowledged.
    pub pushed: u32,
    /// Mutations that it refused.
    pub failed: u32,
    /// Mutations that it wants again later.
    pub retrying: u32,
    /// Rows that changed something here.
    pub rows: u32,
    /// New messages of others.
    pub new_messages: u32,
}

#[uniffi::export]
impl Client {
    /// Runs a pass now: sends the outbox, then fetches what is new. Concurrent calls share one pass.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Offline`], [`crate::ErrorKind::SignedOut`]. Local changes are kept in any case.
    pub async fn sync(&self) -> Result<SyncReport> {
        self.run(|client| async move { Ok(client.sync().await?.into()) }).await
    }

    /// The status now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub fn status(&self) -> Result<Status> {
        let status = self.sdk()?.status().borrow().clone();
        Ok(status.into())
    }
}

impl From<fieldpost::SyncStatus> for SyncStatus {
    fn from(status: fieldpost::SyncStatus) -> Self {
        match status {
            fieldpost::SyncStatus::SignedOut => Self::SignedOut,
            fieldpost::SyncStatus::Offline => Self::Offline,
            fieldpost::SyncStatus::Syncing => Self::Syncing,
            fieldpost::SyncStatus::Error => Self::Error,
            fieldpost::SyncStatus::Pending => Self::Pending,
            fieldpost::SyncStatus::Synced => Self::Synced,
        }
    }
}

impl From<fieldpost::Status> for Status {
    fn from(status: fieldpost::Status) -> Self {
        Self {
            sync_status: status.sync_status().into(),
            signed_in: status.signed_in,
            no_network: status.no_network,
            syncing: status.syncing,
            pending: moment::count(status.pending),
            failed: moment::count(status.failed),
            last_success_at: status.last_success_at.map(moment::out),
            last_error: status.last_error.map(failure),
            first_load: status.bootstrap.map(|progress| Progress {
                done: moment::count(progress.done),
                total: progress.total.map(moment::count),
            }),
            live: match status.live {
                fieldpost::LiveStatus::Off => LiveStatus::Off,
                fieldpost::LiveStatus::Reconnecting => LiveStatus::Reconnecting,
                fieldpost::LiveStatus::Live => LiveStatus::Live,
            },
        }
    }
}

pub(crate) fn failure(error: fieldpost::SyncError) -> Failure {
    fieldpost::Error::from(error).into()
}

impl From<fieldpost::SyncReport> for SyncReport {
    fn from(report: fieldpost::SyncReport) -> Self {
        Self {
            requests: moment::count(report.requests),
            pushed: moment::count(report.pushed),
            failed: moment::count(report.failed),
            retrying: moment::count(report.retrying),
            rows: moment::count(report.rows),
            new_messages: moment::count(report.new_messages),
        }
    }
}
