//! The role that keeps the audit log until it is uploaded.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{
    AuditId,
    records::{AuditEntry, NewAuditEntry},
};

/// The sizes of the audit log on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditCounts {
    /// Entries that wait to be uploaded.
    pub pending: u64,
    /// Entries that were dropped because the log was full, ever. The newest stay.
    pub dropped: u64,
}

/// The most entries that wait on a device.
pub const AUDIT_LIMIT: usize = 10_000;

/// The most characters of a context.
pub const CONTEXT_LIMIT: usize = 500;

/// The audit log: bounded, and never in the way of anything else.
///
/// Each rule names, in brackets, the story of the conformance suite that holds it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds entries for the owner of the file, all of them or none: a list that is shown is one call.
    ///
    /// 1. Nothing is added, and that is no error, when the file has no owner (`nothing_is_audited_without_an_owner`).
    ///    Whether the owner is signed in now is for the caller to know, because an app may keep its session itself.
    /// 2. The table is written by its name on the server, the record by its current id
    ///    (`an_entry_has_the_names_of_the_server`).
    /// 3. Above [`AUDIT_LIMIT`] entries the oldest are dropped and counted
    ///    (`a_full_audit_log_drops_the_oldest_and_counts_them`).
    /// 4. A context is cut after [`CONTEXT_LIMIT`] characters; an id that is there already adds nothing
    ///    (`an_entry_is_never_refused`).
    async fn audit(&self, entries: Vec<NewAuditEntry>) -> StorageResult<()>;

    /// The oldest entries, at most `limit`. They stay until [`AuditLog::audited`]
    /// (`entries_stay_until_the_server_has_them`).
    async fn next_audit(&self, limit: u32) -> StorageResult<Vec<AuditEntry>>;

    /// The server has these entries, or has refused them for good: they leave.
    async fn audited(&self, entries: &[AuditId]) -> StorageResult<()>;

    /// The sizes of the log.
    async fn audit_counts(&self) -> StorageResult<AuditCounts>;
}
