//! The server's results for changes of records.

use super::{RecordId, RecordRow};
use crate::{MutationId, RetryCode, Time, Version, open_enum::open_enum};
use serde::{Deserialize, Serialize};

open_enum!(
    /// Why a change of a record was refused for good (listed in docs/protocol.md).
    #[non_exhaustive]
    RecordRefusalCode {
        /// A field is missing or cannot be read.
        BadRequest => "bad_request",
        /// The server has no such table, or does not offer it to devices.
        UnknownTable => "unknown_table",
        /// The person may not do this.
        Forbidden => "forbidden",
        /// The id belongs to something that the person may not see.
        IdTaken => "id_taken",
        /// A trigger, constraint or type of the project refused it; the detail is its error message.
        Refused => "refused",
        /// The record is larger than the server accepts.
        TooLarge => "too_large",
        /// Not from the server: an earlier change of the same record was refused.
        AfterRefused => "after_refused",
        /// Not from the server: access to the record was lost before this was sent.
        AccessLost => "access_lost",
        /// Not from the server: this version cannot read what was recorded.
        Unreadable => "unreadable",
    }
);

/// A permanent refusal: the change becomes a dead letter and waits for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRefusal {
    /// For programs.
    pub code: RecordRefusalCode,
    /// For people.
    pub detail: Option<String>,
}

/// The outcome of one change.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordOutcome {
    /// The server has it, by this attempt or an earlier one.
    Won {
        /// The server's primary key of the record.
        server_id: RecordId,
        /// The version of its row after the change; none if the record is deleted.
        version: Option<Version>,
        /// When the server says that it was made.
        modified_at: Time,
    },
    /// Somebody else's later change stands.
    Lost {
        /// The row that won.
        winner: Box<RecordRow>,
    },
    /// The server does not have the record, or the person may not see it. The change is skipped.
    Missing,
    /// Refused for good.
    Refused(RecordRefusal),
    /// Not now; the same change may be sent again.
    Retry(RetryCode),
}

/// The result for one change of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordResult {
    /// The mutation.
    pub mutation_id: MutationId,
    /// Its outcome.
    pub outcome: RecordOutcome,
    /// Fields that the server has no columns for, by the server's names. They were not stored there.
    pub ignored: Vec<String>,
}
