//! The role that keeps changes of records until the server has answered them.

use crate::{BatchLimits, StorageResult};
use async_trait::async_trait;
use fieldpost_domain::{
    MutationId, RetryCode, Time,
    records::{
        ClockId, Fields, Priority, RecordId, RecordMutation, RecordOperation, RecordRefusal, RecordResult, TableName,
    },
};

/// Asks for the next changes to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordBatch {
    /// The limits.
    pub limits: BatchLimits,
    /// Only changes of this priority or a more urgent one.
    pub at_most: Priority,
    /// Changes that wait for a later time are skipped; none for all, whatever they wait for.
    pub due_at: Option<Time>,
}

/// The state of a change in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordEntryState {
    /// It waits to be sent.
    Queued {
        /// How often sending it failed in a row.
        failures: u32,
        /// Not before this time, by the device clock.
        next_at: Option<Time>,
        /// The reason of the last "retry".
        last_retry: Option<RetryCode>,
    },
    /// It was sent and there is no answer yet, or the answer was lost. Until an answer comes it is sent again unchanged,
    /// and cannot be cancelled.
    Sending,
    /// It was refused: a dead letter.
    Failed(RecordRefusal),
    /// Its table is not declared.
    NotDeclared,
}

/// A change as the queue shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordQueueEntry {
    /// Its id.
    pub mutation_id: MutationId,
    /// The table.
    pub table: TableName,
    /// The record.
    pub record_id: RecordId,
    /// What it does.
    pub operation: RecordOperation,
    /// The fields that it sets.
    pub fields: Fields,
    /// How urgent it is.
    pub priority: Priority,
    /// Its state.
    pub state: RecordEntryState,
    /// When it was made, by the device clock.
    pub recorded_at: Time,
}

/// The sizes of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordCounts {
    /// Changes that wait for the server, also those of tables that are not declared.
    pub pending: u64,
    /// Those of them that are immediate.
    pub immediate: u64,
    /// Dead letters.
    pub failed: u64,
    /// Lost changes that nobody has decided about.
    pub conflicts: u64,
    /// Items of an older app that are carried.
    pub carried: u64,
    /// The earliest time that a waiting change becomes due; none if one could be taken now, or nothing waits for a time.
    /// What waits behind another change does not count, nor does what is under way.
    pub next_at: Option<Time>,
}

/// What recording results did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordSettleReport {
    /// Changes that the server has.
    pub won: u32,
    /// Changes that lost against later ones.
    pub lost: u32,
    /// Changes whose record the server does not have.
    pub missing: u32,
    /// Changes that became dead letters, including dependent ones.
    pub failed: u32,
    /// Changes that wait for another attempt.
    pub retrying: u32,
    /// Results for changes that are no longer in the queue.
    pub unknown: u32,
    /// Records that got the server's id, from the old id to the new one.
    pub rekeyed: Vec<(RecordId, RecordId)>,
}

/// An item of an older app's queue that is none of Fieldpost's business, such as a photo upload. It is kept as it was
/// written, except that ids of records in it are the new ones.
#[derive(Debug, Clone, PartialEq)]
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
    /// Its priority.
    pub priority: i64,
    /// How often it was tried.
    pub retry_count: i64,
    /// When it was made.
    pub created_at: Option<Time>,
}

/// The durable queue of changes of records: by priority, then by age.
///
/// Each rule names, in brackets, the story of the conformance suite that holds it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RecordQueue: Send + Sync {
    /// Takes the next changes to send.
    ///
    /// 1. They come by priority, then in the order of recording (`a_batch_is_by_priority_then_by_age`).
    /// 2. Changes of one record stay in order. A change of a record with one that is under way, waiting or refused is
    ///    not taken before that (`changes_of_a_record_stay_in_order`).
    /// 3. A record does not wait for another (`a_waiting_record_holds_no_other`), with one exception: a change that refers
    ///    to a record whose create was queued before it, and waits or is under way, is not taken before that create,
    ///    because the server would refuse it. It may follow in the same batch (`nothing_is_sent_before_what_it_refers_to`).
    ///    A create that was refused holds nothing: the server decides.
    /// 4. Changes of tables that are not declared are skipped (`what_is_no_longer_declared_is_kept`).
    /// 5. The changes are under way until [`RecordQueue::settle_records`], [`RecordQueue::withdraw_records`] or
    ///    [`RecordQueue::postpone_records`] ends that. Whoever gets the turn ([`crate::records::RecordStore::try_record_turn`])
    ///    ends it too: nobody else can be sending. Another handle on the file knows of none. So after a restart they are
    ///    sent again with the same ids (`what_was_under_way_is_sent_again`, `a_new_turn_finds_nothing_under_way`).
    /// 6. A time to wait for that is further away than the longest wait of the priority is due: the clock was set back
    ///    (`a_clock_that_was_set_back_holds_nothing`).
    /// 7. The first change is taken however large it is; the batch ends before the first that exceeds a limit
    ///    (`a_batch_keeps_its_limits`).
    async fn next_records(&self, batch: RecordBatch) -> StorageResult<Vec<RecordMutation>>;

    /// Records results.
    ///
    /// 1. Won: the change leaves the queue; the record has its server id, and the answered version and time
    ///    (`a_won_create_writes_the_server_id_back`). If a row of that version or a newer one was pulled before, the row
    ///    stays as it is (`a_late_answer_does_not_undo_a_pulled_row`). Without a version the record leaves, and a late
    ///    page does not bring it back (`a_won_delete_is_final`). Fields that the server ignored stay here.
    /// 2. Won under another id: the record, references to it, and queued changes of it are re-keyed
    ///    (`another_server_id_re_keys_the_record`).
    /// 3. Lost: the winner is shown, under the changes that are still queued; what was lost is kept as a conflict
    ///    (`a_lost_update_shows_the_winner_and_is_kept`), unless the winner has the same values
    ///    (`a_lost_change_to_the_same_values_is_no_conflict`).
    /// 4. Missing: the change is skipped and reported, and the record leaves; what it would have set is kept as a
    ///    conflict, in which `won` is empty and the times of winning and noticing are `at`
    ///    (`a_missing_record_is_skipped_and_said`). Later changes of the record stay queued for answers of their own; a
    ///    delete leaves without a conflict.
    /// 5. Refused: the change is a dead letter, and so are later changes of the record
    ///    (`a_refused_change_parks_with_its_followers`).
    /// 6. Retry: the change waits as its priority says (`a_retried_change_waits_by_its_priority`). One attempt is known
    ///    to have changed nothing, so if it was the only one, the change can be cancelled.
    /// 7. A result for a change that is not there changes nothing (`a_late_result_changes_nothing`).
    async fn settle_records(&self, results: &[RecordResult], at: Time) -> StorageResult<RecordSettleReport>;

    /// The attempt certainly carried nothing out: the changes are no longer under way, and wait for nothing
    /// (`a_withdrawn_change_was_never_sent`).
    async fn withdraw_records(&self, mutations: &[MutationId]) -> StorageResult<()>;

    /// Sending the changes failed, and they may have been carried out: they wait as their priorities say, and are sent
    /// again with the same ids (`a_postponed_change_waits_by_its_priority`).
    async fn postpone_records(&self, mutations: &[MutationId], at: Time) -> StorageResult<()>;

    /// Waiting ends for all changes: the network is back (`the_network_ends_all_waiting`).
    async fn stop_waiting(&self) -> StorageResult<()>;

    /// A clock of this device was compared with the server's: times of it are known from now on
    /// (`times_of_a_measured_clock_are_known_in_the_next_process`).
    async fn clock_measured(&self, clock: ClockId, ahead_micros: i64) -> StorageResult<()>;

    /// The queue, in the order of sending; at most `limit` entries.
    async fn record_queue(&self, limit: u32) -> StorageResult<Vec<RecordQueueEntry>>;

    /// The sizes of the queue. It does not count rows.
    async fn record_counts(&self, now: Time) -> StorageResult<RecordCounts>;

    /// Queues the dead letters of a record again: this one, those that were parked behind it, and those before it, which
    /// would hold it (`a_dead_letter_is_sent_again_with_its_followers`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] if it is no dead letter.
    async fn retry_record(&self, mutation: MutationId) -> StorageResult<()>;

    /// Gives up a change that is not under way, and shows the record without it: a create leaves with its record and all
    /// changes of it (`a_cancelled_change_is_taken_back`). Changes that were parked behind it are queued again
    /// (`cancelling_a_dead_letter_frees_its_followers`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] if it is not in the queue; [`crate::StorageErrorKind::OutcomeUnknown`] if
    /// it may have been carried out.
    async fn cancel_record(&self, mutation: MutationId) -> StorageResult<()>;

    /// The items of an older app that are carried.
    async fn carried_items(&self) -> StorageResult<Vec<CarriedItem>>;

    /// Removes a carried item that the app has taken over. False if it is not there.
    async fn remove_carried_item(&self, id: &str) -> StorageResult<bool>;
}
