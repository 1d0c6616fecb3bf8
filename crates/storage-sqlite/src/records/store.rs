//! The role that combines the others, and whose turn it is.

use crate::{SqliteStore, error::Fault};
use async_trait::async_trait;
use fieldpost_storage::{ChangeReceiver, StorageErrorKind, StorageResult, Turn, records::RecordStore};

#[async_trait]
impl RecordStore for SqliteStore {
    fn record_changes(&self) -> ChangeReceiver {
        self.db.changes().subscribe()
    }

    async fn try_record_turn(&self) -> StorageResult<Option<Turn>> {
        const OPERATION: &str = "try_record_turn";
        self.db.check_open().map_err(|fault| self.db.fail(fault, OPERATION))?;
        self.db.look_for_others().await.map_err(|fault| self.db.fail(fault, OPERATION))?;
        let turn = self.records.turn.take().await.map_err(|error| {
            let detail = format!("{}: {error}", self.records.turn.path().display());
            self.db.fail(Fault::of(StorageErrorKind::CannotOpen, Some(detail)), OPERATION)
        })?;
        if turn.is_some() {
            self.records.begin();
        }
        Ok(turn)
    }
}
