//! JSON of docs/protocol.md, read tolerantly and written strictly.
//!
//! A page is applied completely or not at all, and the cursor moves with it. So an unreadable row must not fail the
//! page (the device would request the same page for ever), and must not be skipped (it would never come again). It is
//! passed on as its original text, with a reason, in [`fieldpost_domain::Changes::unreadable`]. The rules:
//!
//! - **Not JSON, or an envelope without its essential fields** (a cursor, the results): the whole response is
//!   `Malformed`. None of it is used and the same call is repeated.
//! - **A row with a missing id, a `seq` of 0, a number that is negative or not below 2^53, an invalid time**:
//!   unreadable.
//! - **What PostgreSQL can store but this crate cannot represent** costs a field, not the row. Unreadable metadata is
//!   omitted ([`free`]), an unreadable unknown field is dropped. A time out of range is left out or clamped to the
//!   nearest end of the range, and `extra` keeps its original text.
//! - **Unknown fields** go to `extra`; the open enums keep **unknown enum values**; **null and absent** are the same;
//!   absent lists are empty. `metadata` that is not an object (other clients may write any JSON there) goes to `extra`,
//!   since losing the message over it would be worse. Content besides `deleted_at` is dropped.
//! - **An unreadable `me`** is `Malformed`: without it the caller would seem to have no membership, and that has
//!   consequences.
//!
//! Good pages are parsed in one pass, straight into typed rows, without an intermediate [`serde_json::Value`] and
//! without `flatten`, which would buffer every field. Only when that fails is the page parsed again, with each row
//! taken as text first and parsed on its own ([`list::Careful`]). Both passes use the same types; only
//! [`list::Reading`] differs.
//!
//! serde's error messages quote the input. So every field error is replaced by the field's name where it occurs
//! ([`object`]), and no other text from serde leaves this module.

pub(crate) mod answer;
mod free;
mod kinds;
mod list;
mod object;
pub(crate) mod page;
#[cfg(feature = "records")]
pub(crate) mod records;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod result;
mod result_row;
mod row;
mod scalar;
pub(crate) mod session;
mod text;

#[cfg(test)]
mod tests;
