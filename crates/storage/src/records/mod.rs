//! Records: the part of the storage contract for rows of an app's own tables.
//!
//! A [`RecordStore`] holds them in the same file as the messages, with a queue and a position of their own. Nothing here
//! reads or writes a message, and no method of [`crate::Store`] touches a record, except that [`crate::Store::wipe`]
//! erases them too.
//!
//! These rules hold for all methods:
//!
//! * Each method is one transaction. A change that was accepted survives a power failure.
//! * What is shown is the server's row with the queued changes of this device over it. The server's row is kept beside
//!   it until they are settled, so a refused or lost change can be taken back.
//! * Ids that were re-keyed are resolved by every method, also in columns that refer to records.
//! * Names of tables and columns are those of the device. Only what comes from the server as it is has the server's names:
//!   rows, tombstones, [`fieldpost_domain::records::RecordResult::ignored`]; so have entries of the audit log.
//! * Values are kept in one spelling ([`fieldpost_domain::records::RecordTable::canonical`]), and compared in it.
//! * A method that names a table which is not declared fails with [`crate::StorageErrorKind::NotFound`].
//! * A mutation id that is in the queue already changes nothing (`the_same_mutation_again_changes_nothing`).

mod audit;
mod queue;
mod replica;
mod rows;
mod store;

pub use audit::{AUDIT_LIMIT, AuditCounts, AuditLog, CONTEXT_LIMIT};
pub use queue::{
    CarriedItem, RecordBatch, RecordCounts, RecordEntryState, RecordQueue, RecordQueueEntry, RecordSettleReport,
};
pub use replica::{RecordApplyReport, RecordMemory, RecordReplica, RecordSyncState};
pub use rows::Records;
pub use store::RecordStore;

#[cfg(feature = "mock")]
pub use self::{audit::MockAuditLog, queue::MockRecordQueue, replica::MockRecordReplica, rows::MockRecords};
