//! JSON as docs/protocol.md has it, read tolerantly and written strictly.
//!
//! A page is applied whole or not at all, and the cursor moves with it. So one row that cannot be read must neither fail the
//! page (the device would ask for the same page for ever) nor be skipped (it would never come again): it is handed on as the
//! text that came, with a reason, in [`fieldpost_domain::Changes::unreadable`]. The lines are drawn here:
//!
//! - **Not JSON, or an envelope without what the call is for** (a cursor, the results): the whole answer is `Malformed`.
//!   Nothing of it is used and the same call is made again.
//! - **A row with a missing id, a `seq` of 0, a number that is negative or not below 2^53, a time that is none**: unreadable.
//! - **What PostgreSQL can store and nothing here can represent** costs a field, not the row: metadata that cannot be read is
//!   omitted ([`free`]), an unknown field is dropped, a time of no use is left out or moved to the end of its side, and stays
//!   in `extra` as it came.
//! - **Unknown fields** go to `extra`; **unknown enum values** are kept by the open enums; **null and absent** are the same;
//!   absent lists are empty. `metadata` that is no object (other clients may write any JSON there) goes to `extra`, since
//!   losing the message for it would be worse; content that stands beside `deleted_at` is dropped.
//! - **`me` that cannot be read** is `Malformed`: without it the caller would seem to have no membership, and that has
//!   consequences.
//!
//! Good pages are read in one pass, straight into typed rows: no [`serde_json::Value`] in between, and no `flatten`, which
//! would buffer every field. Only when that fails is the page read again, with each row taken as text first and parsed by
//! itself ([`list::Careful`]). The types are the same in both passes; [`list::Reading`] is the difference.
//!
//! The messages of serde's errors quote what they could not read. Every error of a field is therefore replaced by the
//! field's name where it arises ([`object`]), and no other text of serde leaves this module.

pub(crate) mod answer;
mod free;
mod kinds;
mod list;
mod object;
pub(crate) mod page;
pub(crate) mod request;
pub(crate) mod result;
mod result_row;
mod row;
mod scalar;
pub(crate) mod session;
mod text;

#[cfg(test)]
mod tests;
