//! All roles of records together.

use super::{AuditLog, RecordQueue, RecordReplica, Records};
use crate::{ChangeReceiver, StorageResult, Turn};
use async_trait::async_trait;

/// The records of one account on one device.
#[async_trait]
pub trait RecordStore: Records + RecordQueue + RecordReplica + AuditLog {
    /// The changes of each commit from now on ([`crate::ChangeSet::records`]), as [`crate::Store::changes`].
    fn record_changes(&self) -> ChangeReceiver;

    /// The turn to sync the records. It is another turn than that of messages: neither waits for the other. What was
    /// under way when the last turn ended is under way no more: it is sent again, with the same ids
    /// (`what_a_turn_left_under_way_is_sent_again`).
    async fn try_record_turn(&self) -> StorageResult<Option<Turn>>;
}
