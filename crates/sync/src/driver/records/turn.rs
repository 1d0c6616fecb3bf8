//! The turn to sync the records of a store, which both lanes of a process share.

use crate::driver::pass::{TURN_POLL_INTERVAL, TURN_TIMEOUT};
use async_trait::async_trait;
use fieldpost_storage::{StorageError, StorageErrorKind, StorageResult, Turn, Turns, records::RecordStore};
use std::sync::{Arc, Weak};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

/// The turns of [`RecordStore::try_record_turn`].
pub(super) struct RecordTurns(pub(super) Arc<dyn RecordStore>);

#[async_trait]
impl Turns for RecordTurns {
    async fn try_turn(&self) -> StorageResult<Option<Turn>> {
        self.0.try_record_turn().await
    }
}

/// A turn that lasts as long as any lane has it.
pub(super) struct SharedTurn {
    turns: Arc<dyn Turns>,
    taken: Mutex<Weak<Turn>>,
}

impl SharedTurn {
    pub(super) fn new(turns: Arc<dyn Turns>) -> Self {
        Self { turns, taken: Mutex::default() }
    }

    /// Takes the turn, or joins the lane that has it. It waits a while for another process.
    pub(super) async fn take(&self) -> StorageResult<Arc<Turn>> {
        let mut taken = self.taken.lock().await;
        if let Some(turn) = taken.upgrade() {
            return Ok(turn);
        }
        let began_waiting = Instant::now();
        loop {
            if let Some(turn) = self.turns.try_turn().await? {
                let turn = Arc::new(turn);
                *taken = Arc::downgrade(&turn);
                return Ok(turn);
            }
            if began_waiting.elapsed() >= TURN_TIMEOUT {
                return Err(StorageError::new(StorageErrorKind::Busy, "sync_records"));
            }
            sleep(TURN_POLL_INTERVAL).await;
        }
    }
}
