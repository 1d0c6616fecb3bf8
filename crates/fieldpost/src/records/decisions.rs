//! The queue of records: what waits, what was refused or lost, and the person's decisions about it.

use super::{CarriedItem, Record, RecordConflict, RecordCounts, RecordEntryState, RecordQueueEntry};
use crate::{Client, Error, MutationId, Result};
use fieldpost_storage::{StorageError, StorageErrorKind};

impl Client {
    /// The sizes of the queue.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn record_counts(&self) -> Result<RecordCounts> {
        Ok(self.record_store()?.record_counts(self.device_time()?.at).await?)
    }

    /// The queue, in the order of sending, at most `limit` entries.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn record_queue(&self, limit: u32) -> Result<Vec<RecordQueueEntry>> {
        Ok(self.record_store()?.record_queue(limit).await?)
    }

    /// Queues a refused change again, with the changes that were parked behind it.
    ///
    /// # Errors
    /// [`Error::NotWaiting`] when it was not refused.
    pub async fn retry_record(&self, mutation: MutationId) -> Result<()> {
        self.record_store()?.retry_record(mutation).await.map_err(refused)?;
        self.note_record_write().await;
        Ok(())
    }

    /// Queues every refused change again and returns their number.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn retry_all_records(&self) -> Result<u64> {
        let before = self.record_counts().await?.failed;
        for entry in self.record_queue(u32::MAX).await? {
            if matches!(entry.state, RecordEntryState::Failed(_)) {
                match self.retry_record(entry.mutation_id).await {
                    // It was queued together with one before it.
                    Ok(()) | Err(Error::NotWaiting) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(before.saturating_sub(self.record_counts().await?.failed))
    }

    /// Gives up a change that has not reached the server, and shows the record without it.
    ///
    /// # Errors
    /// [`Error::NotWaiting`]; [`Error::OutcomeUnknown`] while it is in flight.
    pub async fn cancel_record(&self, mutation: MutationId) -> Result<()> {
        self.record_store()?.cancel_record(mutation).await.map_err(refused)?;
        self.note_record_write().await;
        Ok(())
    }

    /// Changes of this device that lost against later ones, the newest first. They wait until the person decides.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn record_conflicts(&self) -> Result<Vec<RecordConflict>> {
        Ok(self.record_store()?.record_conflicts().await?)
    }

    /// Applies a lost change again, as a new one.
    ///
    /// # Errors
    /// [`Error::NotWaiting`] when there is no such change, or its record is gone.
    pub async fn reapply_record_conflict(&self, lost: MutationId) -> Result<Record> {
        let mutation = self.inner.env.mutation_id();
        let at = self.device_time()?;
        let record = self.record_store()?.reapply_record_conflict(lost, mutation, at).await.map_err(refused)?;
        self.note_record_write().await;
        Ok(record)
    }

    /// Forgets a lost change. False if there is no such change.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn dismiss_record_conflict(&self, lost: MutationId) -> Result<bool> {
        Ok(self.record_store()?.dismiss_record_conflict(lost).await?)
    }

    /// Items of an older app's queue that are none of Fieldpost's business, such as photo uploads. They wait here, under
    /// the new ids of their records, until the app takes them over.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn carried_items(&self) -> Result<Vec<CarriedItem>> {
        Ok(self.record_store()?.carried_items().await?)
    }

    /// Removes a carried item that the app has taken over. False if it is not there.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn remove_carried_item(&self, id: &str) -> Result<bool> {
        Ok(self.record_store()?.remove_carried_item(id).await?)
    }
}

/// "Not found" from the queue means that there is no such entry.
fn refused(error: StorageError) -> Error {
    match error.kind() {
        StorageErrorKind::NotFound => Error::NotWaiting,
        _ => error.into(),
    }
}
