//! The queue of records, and the person's decisions about it.

use super::{Priority, Record, fields_text};
use crate::{Client, Refusal, Result, moment};
use fieldpost::{
    MutationId,
    records::{self, RecordId, TableName},
};
use std::time::SystemTime;

/// The sizes of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct RecordCounts {
    /// Changes that wait for the server.
    pub pending: u32,
    /// Those of them that are immediate.
    pub immediate: u32,
    /// Refused changes.
    pub failed: u32,
    /// Lost changes that nobody has decided about.
    pub conflicts: u32,
    /// Items of an older app that are carried.
    pub carried: u32,
    /// When the next waiting change becomes due.
    pub next_at: Option<SystemTime>,
}

/// The state of a queued change.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum RecordEntryState {
    /// It waits to be sent.
    Queued {
        /// How often sending it failed in a row.
        failures: u32,
        /// Not before this time.
        next_at: Option<SystemTime>,
    },
    /// It was sent and there is no answer yet.
    Sending,
    /// It was refused.
    Failed {
        /// Why.
        refusal: Refusal,
    },
    /// Its table is not declared.
    NotDeclared,
}

/// A queued change.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct RecordQueueEntry {
    /// Its id.
    pub mutation_id: MutationId,
    /// The table.
    pub table: TableName,
    /// The record.
    pub record_id: RecordId,
    /// What it does: `create`, `update` or `delete`.
    pub operation: String,
    /// The fields that it sets: a JSON object.
    pub fields: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Its state.
    pub state: RecordEntryState,
    /// When it was made.
    pub recorded_at: SystemTime,
}

/// A change of this device that lost against a later one.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct RecordConflict {
    /// The mutation that lost.
    pub mutation_id: MutationId,
    /// The table.
    pub table: TableName,
    /// The record.
    pub record_id: RecordId,
    /// What this device had set: a JSON object.
    pub lost: String,
    /// The values of the same fields in the row that won.
    pub won: String,
    /// When this device learned of it.
    pub noticed_at: SystemTime,
}

/// An item of an older app's queue that is none of Fieldpost's business.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CarriedItem {
    /// The id that the older app gave it.
    pub id: String,
    /// The table that it names.
    pub table: String,
    /// The record that it names.
    pub record_id: String,
    /// The operation that it names.
    pub operation: String,
    /// Its idempotency key.
    pub idempotency_key: String,
    /// Its payload.
    pub payload: String,
    /// When it was made.
    pub created_at: Option<SystemTime>,
}

#[uniffi::export]
impl Client {
    /// The sizes of the queue.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Configuration`] without tables.
    pub async fn record_counts(&self) -> Result<RecordCounts> {
        self.run(|client| async move { Ok(client.record_counts().await?.into()) }).await
    }

    /// The queue, in the order of sending.
    ///
    /// # Errors
    /// If the store fails.
    #[uniffi::method(default(limit = 1000))]
    pub async fn record_queue(&self, limit: u32) -> Result<Vec<RecordQueueEntry>> {
        self.run(|client| async move { Ok(client.record_queue(limit).await?.into_iter().map(Into::into).collect()) })
            .await
    }

    /// Queues a refused change again.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotWaiting`].
    pub async fn retry_record(&self, mutation: MutationId) -> Result<()> {
        self.run(|client| async move { Ok(client.retry_record(mutation).await?) }).await
    }

    /// Queues every refused change again and returns their number.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn retry_all_records(&self) -> Result<u32> {
        self.run(|client| async move { Ok(moment::count(client.retry_all_records().await?)) }).await
    }

    /// Gives up a change that has not reached the server.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotWaiting`], [`crate::ErrorKind::OutcomeUnknown`].
    pub async fn cancel_record(&self, mutation: MutationId) -> Result<()> {
        self.run(|client| async move { Ok(client.cancel_record(mutation).await?) }).await
    }

    /// Changes of this device that lost against later ones, the newest first.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn record_conflicts(&self) -> Result<Vec<RecordConflict>> {
        self.run(|client| async move { Ok(client.record_conflicts().await?.into_iter().map(Into::into).collect()) })
            .await
    }

    /// Applies a lost change again, as a new one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotWaiting`].
    pub async fn reapply_record_conflict(&self, lost: MutationId) -> Result<Record> {
        self.run(|client| async move { Ok(client.reapply_record_conflict(lost).await?.into()) }).await
    }

    /// Forgets a lost change. False if there is no such change.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn dismiss_record_conflict(&self, lost: MutationId) -> Result<bool> {
        self.run(|client| async move { Ok(client.dismiss_record_conflict(lost).await?) }).await
    }

    /// Items of an older app's queue that the app has to take over.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn carried_items(&self) -> Result<Vec<CarriedItem>> {
        self.run(|client| async move { Ok(client.carried_items().await?.into_iter().map(Into::into).collect()) }).await
    }

    /// Removes a carried item that the app has taken over. False if it is not there.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn remove_carried_item(&self, id: String) -> Result<bool> {
        self.run(|client| async move { Ok(client.remove_carried_item(&id).await?) }).await
    }
}

impl From<records::RecordCounts> for RecordCounts {
    fn from(counts: records::RecordCounts) -> Self {
        Self {
            pending: moment::count(counts.pending),
            immediate: moment::count(counts.immediate),
            failed: moment::count(counts.failed),
            conflicts: moment::count(counts.conflicts),
            carried: moment::count(counts.carried),
            next_at: counts.next_at.map(moment::out),
        }
    }
}

impl From<records::RecordEntryState> for RecordEntryState {
    fn from(state: records::RecordEntryState) -> Self {
        match state {
            records::RecordEntryState::Queued { failures, next_at, .. } => {
                Self::Queued { failures, next_at: next_at.map(moment::out) }
            }
            records::RecordEntryState::Sending => Self::Sending,
            records::RecordEntryState::Failed(refusal) => {
                Self::Failed { refusal: Refusal { code: refusal.code.to_string(), detail: refusal.detail } }
            }
            records::RecordEntryState::NotDeclared => Self::NotDeclared,
        }
    }
}

impl From<records::RecordQueueEntry> for RecordQueueEntry {
    fn from(entry: records::RecordQueueEntry) -> Self {
        Self {
            mutation_id: entry.mutation_id,
            table: entry.table,
            record_id: entry.record_id,
            operation: entry.operation.to_string(),
            fields: fields_text(&entry.fields),
            priority: entry.priority.into(),
            state: entry.state.into(),
            recorded_at: moment::out(entry.recorded_at),
        }
    }
}

impl From<records::RecordConflict> for RecordConflict {
    fn from(conflict: records::RecordConflict) -> Self {
        Self {
            mutation_id: conflict.mutation_id,
            table: conflict.table,
            record_id: conflict.record_id,
            lost: fields_text(&conflict.lost),
            won: fields_text(&conflict.won),
            noticed_at: moment::out(conflict.noticed_at),
        }
    }
}

impl From<records::CarriedItem> for CarriedItem {
    fn from(item: records::CarriedItem) -> Self {
        Self {
            id: item.id,
            table: item.table,
            record_id: item.record_id,
            operation: item.operation,
            idempotency_key: item.idempotency_key,
            payload: item.payload,
            created_at: item.created_at.map(moment::out),
        }
    }
}
