//! The role that shows records and takes a person's changes.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{
    MutationId, Time,
    records::{
        DeviceTime, NewRecord, Record, RecordChange, RecordConflict, RecordId, RecordQuery, RecordTable, TableName,
    },
};

/// Declared tables and their records.
///
/// Each rule names, in brackets, the story of the conformance suite that holds it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Records: Send + Sync {
    /// Declares the tables that the app uses: all of them, in one call, after opening.
    ///
    /// 1. A new table is created, a new column is added; a field that was kept in [`Record::extra`] moves into it
    ///    (`a_new_column_takes_what_was_kept`).
    /// 2. A table that is no longer declared keeps its data and its queued changes; it is neither shown nor sent until it
    ///    is declared again (`what_is_no_longer_declared_is_kept`). A column keeps its data too and is not shown; changes
    ///    of it that are queued are sent as they were made (`a_column_that_is_no_longer_declared_is_kept`).
    /// 3. Declaring the same again changes nothing (`declaring_again_changes_nothing`).
    /// 4. When the set of tables grows, or a table gets another name on the server, the next pull is a first load, which
    ///    fetches the rows that other devices wrote before (`a_new_table_loads_again`). So it is when a table that has rows
    ///    of the server gets a column, or a column another name: what the server has of it was perhaps never sent
    ///    (`a_new_column_loads_again`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Declaration`] for a declaration that is refused, also for a column that once was
    /// declared with another kind. Then nothing is declared differently (`a_faulty_declaration_changes_nothing`).
    async fn declare(&self, tables: &[RecordTable]) -> StorageResult<()>;

    /// The declared tables, by name.
    async fn declared(&self) -> StorageResult<Vec<RecordTable>>;

    /// Creates a record and queues the create.
    ///
    /// 1. The fields are checked against the declaration (`a_record_is_checked_against_its_declaration`).
    /// 2. Without an org it gets that of the signed-in person (`a_record_belongs_to_the_org_of_its_author`).
    /// 3. The priority follows the rule of the table. Queued creates of records that it refers to are raised to it, so
    ///    they are sent first (`what_an_immediate_record_refers_to_is_immediate`).
    /// 4. Creating the same id again changes nothing and returns the stored record (`creating_twice_changes_nothing`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::InvalidRecord`] for fields that do not fit, and for the id of a record that was deleted
    /// (`a_deleted_record_is_not_created_again`); [`crate::StorageErrorKind::NotFound`] for
    /// a table that is not declared; [`crate::StorageErrorKind::NoAccount`] when nobody has signed in;
    /// [`crate::StorageErrorKind::NotSynced`] when no org is given and the person's is not known yet.
    async fn create_record(&self, mutation: MutationId, new: NewRecord) -> StorageResult<Record>;

    /// Changes a record and queues the change.
    ///
    /// 1. Only the fields of the change are set (`an_update_sets_its_fields_alone`), and only those that differ from what is
    ///    shown are queued: somebody else may have changed the others meanwhile (`an_update_sends_only_what_differs`).
    /// 2. A change of a record whose last queued mutation was never attempted is folded into it, with the later time
    ///    (`an_update_is_folded_into_what_was_never_sent`). Not if it refers to a record that was created since, because
    ///    that must be sent before it (`an_update_is_not_folded_past_what_it_refers_to`), and not if the result would be
    ///    larger than [`fieldpost_domain::records::RECORD_LIMIT`].
    /// 3. If the change makes the record immediate, all its queued mutations become immediate
    ///    (`a_record_that_becomes_immediate_takes_its_queue_along`), and creates of records that it refers to as with
    ///    [`Records::create_record`]. What becomes more urgent no longer waits. No priority is ever lowered.
    /// 4. If an earlier change of the record is a dead letter, this one is parked with it
    ///    (`a_change_behind_a_refused_one_parks`).
    /// 5. A change that sets nothing to another value queues nothing (`an_update_of_nothing_queues_nothing`).
    ///
    /// # Errors
    /// As [`Records::create_record`]; [`crate::StorageErrorKind::NotFound`] also when there is no such record.
    async fn update_record(&self, mutation: MutationId, change: RecordChange) -> StorageResult<Record>;

    /// Deletes a record and queues the delete. The record is no longer shown.
    ///
    /// 1. A record whose create was never attempted, or was refused, leaves with all its queued mutations, and nothing is
    ///    queued (`deleting_what_was_never_sent_leaves_nothing`).
    /// 2. Deleting what is not there succeeds and queues nothing (`deleting_twice_is_one_delete`).
    /// 3. Changes of the record that were never attempted or were refused leave: the delete makes them pointless
    ///    (`a_delete_replaces_what_was_never_sent`).
    /// 4. Its priority is that of a change of the record as it is shown.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] for a table that is not declared.
    async fn delete_record(
        &self,
        mutation: MutationId,
        table: TableName,
        record: RecordId,
        at: DeviceTime,
    ) -> StorageResult<()>;

    /// A record; none if it is not there.
    async fn record(&self, table: &TableName, record: RecordId) -> StorageResult<Option<Record>>;

    /// The records that a query asks for (`a_query_filters_orders_and_limits`). Text is compared by its bytes, false is
    /// below true, times are compared as moments.
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::InvalidRecord`] when a condition names no column, or its value does not fit: null can
    /// only be compared with `Is` and `IsNot`, JSON only with null, and only text can contain. JSON gives no order
    /// (`a_faulty_query_is_refused`).
    async fn records(&self, query: &RecordQuery) -> StorageResult<Vec<Record>>;

    /// The changes of this device that lost against later ones, the newest first.
    async fn record_conflicts(&self) -> StorageResult<Vec<RecordConflict>>;

    /// Forgets a lost change: the person has decided. False if it is not there.
    async fn dismiss_record_conflict(&self, mutation: MutationId) -> StorageResult<bool>;

    /// Applies a lost change again: a new update with its fields. Returns the record
    /// (`a_lost_change_can_be_applied_again`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::NotFound`] when there is no such conflict, or its record is gone. The conflict stays
    /// then.
    async fn reapply_record_conflict(
        &self,
        lost: MutationId,
        mutation: MutationId,
        at: DeviceTime,
    ) -> StorageResult<Record>;

    /// Records in a table, shown ones only.
    async fn count_records(&self, table: &TableName) -> StorageResult<u64>;

    /// When the newest change in the queue was made, by the device clock; none if the queue is empty.
    async fn last_record_change(&self) -> StorageResult<Option<Time>>;
}
