//! The role that combines the others, and whose turn it is.

use crate::{error::Fault, store::SqliteStore, turn::TurnFile};
use async_trait::async_trait;
use fieldpost_storage::{
    ChangeReceiver, MutationIds, RandomIds, StorageErrorKind, StorageResult, Turn, records::RecordStore,
};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

/// The turn, and the name of the pass that has it. What an earlier pass has taken is not under way any more.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) turn: TurnFile,
    name: Mutex<Uuid>,
}

impl Pass {
    pub(crate) fn beside(database: &Path) -> Self {
        Self { turn: TurnFile::beside(database, "-records-turn"), name: Mutex::new(random()) }
    }

    pub(super) fn name(&self) -> Uuid {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = random();
    }
}

/// No other pass has it, in any process.
fn random() -> Uuid {
    RandomIds.new_id(fieldpost_domain::Time::UNIX_EPOCH).as_uuid()
}

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
            self.db.fail(Fault::Kind(StorageErrorKind::CannotOpen, Some(detail)), OPERATION)
        })?;
        if turn.is_some() {
            self.records.begin();
        }
        Ok(turn)
    }
}
