//! The role that keeps the copy of the server's records.

use crate::{LineSpeed, ReducedSize, StorageResult};
use async_trait::async_trait;
use fieldpost_domain::{Cursor, Time, records::RecordPage};
use serde::{Deserialize, Serialize};

/// What passes have learned, for the next one in any process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordMemory {
    /// The size of batches that gets through.
    pub push_size: ReducedSize,
    /// The size of pages that gets through.
    pub page_size: ReducedSize,
    /// How fast the line is.
    pub line: LineSpeed,
    /// A pull of several pages has begun and has not ended: its last page tells only what was committed before it began.
    pub run_open: bool,
    /// Changes that lost, ever.
    pub lost: u64,
    /// Changes whose record the server did not have, ever.
    pub missing: u64,
    /// Rows that this version could not read, ever.
    pub unreadable: u64,
    /// Changes of which the server has left out fields, because its table has no such columns, ever.
    pub ignored: u64,
}

/// How far this device has followed the server's records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordSyncState {
    /// Where the next pull continues; none for a first load.
    pub cursor: Option<Cursor>,
    /// When records last synced successfully, by the device clock.
    pub last_success_at: Option<Time>,
    /// What passes have learned.
    pub memory: RecordMemory,
}

/// What applying a page did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordApplyReport {
    /// Records that are new or look different.
    pub changed: u32,
    /// Records that left.
    pub removed: u32,
}

/// The copy of the server's records.
///
/// Each rule names, in brackets, the story of the conformance suite that holds it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RecordReplica: Send + Sync {
    /// How far this device has followed.
    async fn record_state(&self) -> StorageResult<RecordSyncState>;

    /// Applies a page and stores its cursor, in one transaction. `from` is the cursor that the page was requested with.
    ///
    /// 1. A row of an older version never replaces a newer one, and a deleted record does not come back by a late page
    ///    (`an_older_row_replaces_nothing`, `a_late_page_does_not_resurrect_a_record`).
    ///    A row of the same version does replace: it is the row. A tombstone counts against a row of its version or an
    ///    older one, and removes a record of its version or an older one.
    /// 2. Queued changes stay visible over the new row (`a_queued_change_stays_over_a_pulled_row`).
    /// 3. A row whose `client_id` is the id of a record here is that record, whose id becomes the server's
    ///    (`a_pulled_row_finds_the_record_that_it_is`).
    /// 4. A page of a load marks what it names. The last one removes the records that no page has named, except those
    ///    with queued changes; their changes become dead letters ([`fieldpost_domain::records::RecordRefusalCode::AccessLost`])
    ///    unless they are creates, or follow one (`a_load_removes_what_it_did_not_name`). When its last dead letter has
    ///    left, the record leaves. A record whose last queued change is a delete leaves at once. Tables that are not
    ///    declared, and tables that the page calls unknown, keep all (`a_load_leaves_other_tables_alone`).
    /// 5. A tombstone removes the record; queued changes of it become conflicts as with a missing record, noticed at the
    ///    server's time of the page (`a_tombstone_removes_the_record`). If the last of them is a delete there is none.
    ///    A tombstone names the record's `client_id` too; if the record has another row by now, it is that of an earlier
    ///    one (`a_tombstone_of_an_earlier_row_leaves_the_record`).
    /// 6. Fields that the declaration does not have, and rows of tables that are not declared, lose nothing: the former
    ///    are kept in `extra`, as are values of another kind than the column's, under the server's names; the latter are
    ///    fetched when the table is declared (`unknown_fields_are_kept`). A field that the row does not name keeps its
    ///    value. A value that is nested deeper than [`fieldpost_domain::metadata::READABLE_DEPTH`] is null
    ///    (`deep_json_of_a_row_harms_no_query`).
    /// 7. A page of another epoch than the last one: the versions of before mean nothing, so any row replaces, and
    ///    tombstones are forgotten (`after_a_restore_any_row_counts`). Nor does a load count as named what an answer of the
    ///    other epoch has said (`a_load_after_a_restore_does_not_name_what_was_won_before`).
    ///
    /// # Errors
    /// [`crate::StorageErrorKind::Superseded`] when the position is no longer `from`: another process has moved it.
    async fn apply_records(&self, from: Option<Cursor>, page: &RecordPage) -> StorageResult<RecordApplyReport>;

    /// Begins a first load: the cursor is dropped, the rows stay until the load has ended. A page of a load that nobody
    /// has begun begins it.
    async fn begin_record_load(&self) -> StorageResult<()>;

    /// Saves what a pass has learned and, if it succeeded, when.
    async fn remember_records(&self, memory: &RecordMemory, success_at: Option<Time>) -> StorageResult<()>;
}
