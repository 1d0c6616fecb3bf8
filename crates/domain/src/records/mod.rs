//! Records: rows of an app's own tables that work offline.
//!
//! An app declares its tables ([`RecordTable`]): the names on both sides, the columns, the priority, and what decides
//! when two people change one record ([`ConflictRule`]). Each change of a record is a [`RecordMutation`] in a queue of
//! its own. It has nothing to do with the outbox of messages, and neither waits for the other.
//!
//! The first users are the four clinical tables ([`clinical`]).
//!
//! **Ids.** A record's id is a UUIDv7 made on the device. The server stores it as `client_id`, which is unique, and new
//! rows also get it as their primary key. A row that another client made keeps the server's primary key as its id. If
//! the server has a record under another primary key (an older app created it), the record is re-keyed to that.
//!
//! **Time.** Last-write-wins compares when two people changed a record. No clock of a device can be trusted for that,
//! so a change carries a [`DeviceTime`]: a time and the clock that it was read from. Each answer of the server
//! tells how far the two clocks are apart, so what travels is a time of the server's clock; before the first answer it is
//! how long ago the change was made ([`Modified`]).

pub mod audit;
pub mod clinical;
mod column;
mod fields;
mod mutation;
mod name;
mod outcome;
mod page;
mod priority;
mod query;
mod record;
mod table;
mod time;

pub use crate::id::{AuditId, RecordId};
pub use audit::{AuditEntry, AuditOperation, NewAuditEntry};
pub use column::{Column, ColumnKind};
pub use fields::{FieldError, Fields, IntoValue};
pub use mutation::{NewRecord, RecordChange, RecordMutation, RecordOperation};
pub use name::{ColumnName, NameError, TableName};
pub use outcome::{RecordOutcome, RecordRefusal, RecordRefusalCode, RecordResult};
pub use page::{RecordPage, RecordRow, RecordTombstone};
pub use priority::{Priority, PriorityRule};
pub use query::{Comparison, Filter, Order, RecordQuery};
pub use record::{Record, RecordConflict, RecordState};
/// A value of a field: JSON.
pub use serde_json::Value;
pub use table::{ConflictRule, DeclarationError, RECORD_LIMIT, RecordTable};
pub use time::{ClockId, DeviceTime, Modified};
