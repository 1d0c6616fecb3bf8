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
//! * Ids that were re-keyed are resolved by every method.

mod audit;
mod queue;
mod replica;
mod rows;
mod store;

pub use audit::{AuditCounts, AuditLog};
pub use queue::{
    CarriedItem, RecordBatch, RecordCounts, RecordEntryState, RecordQueue, RecordQueueEntry, RecordSettleReport,
};
pub use replica::{RecordApplyReport, RecordMemory, RecordReplica, RecordSyncState};
pub use rows::Records;
pub use store::RecordStore;

#[cfg(feature = "mock")]
pub use self::{audit::MockAuditLog, queue::MockRecordQueue, replica::MockRecordReplica, rows::MockRecords};
