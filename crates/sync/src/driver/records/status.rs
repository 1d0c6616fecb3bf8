//! What is known about syncing records.

use crate::SyncError;
use fieldpost_domain::Time;

/// Everything that an app shows about syncing records.
#[derive(Debug, Clone, Default)]
pub struct RecordStatus {
    /// Whether somebody is signed in.
    pub signed_in: bool,
    /// The platform reports that there is no network.
    pub no_network: bool,
    /// Whether a pass is running.
    pub syncing: bool,
    /// Changes that wait for the server.
    pub pending: u64,
    /// Those of them that are immediate.
    pub immediate: u64,
    /// Dead letters: changes that wait for a person's decision.
    pub failed: u64,
    /// Lost changes that nobody has decided about.
    pub conflicts: u64,
    /// Items of an older app that are carried.
    pub carried: u64,
    /// The earliest time that a waiting change becomes due, by the device clock; none if one is due, or nothing waits.
    pub next_at: Option<Time>,
    /// Entries of the audit log that wait to be uploaded. They are not pending changes.
    pub audit_pending: u64,
    /// Entries of the audit log that were dropped because it was full, ever.
    pub audit_dropped: u64,
    /// When the last successful sync finished, by the device clock.
    pub last_success_at: Option<Time>,
    /// Why the last pass failed; none if it succeeded.
    pub last_error: Option<SyncError>,
    /// Why the last pass did not upload the audit log. That is no failure of the pass.
    pub audit_error: Option<SyncError>,
    /// Changes that lost, ever.
    pub lost: u64,
    /// Changes whose record the server did not have, ever.
    pub missing: u64,
    /// Rows that this version could not read, ever.
    pub unreadable: u64,
    /// Changes of which the server has left out fields, because its table has no such columns, ever. Their values are on
    /// this device alone; the log names the columns.
    pub ignored: u64,
}
