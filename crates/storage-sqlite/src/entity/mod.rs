//! The tables of the file, one entity each.
//!
//! They are private: what leaves this crate are the types of the contract. A test holds each against the schema that the
//! migrations lead to, so that neither can drift.

#![allow(
    dead_code,
    reason = "an entity says all that its table has, and SeaORM makes types for relations, which none has"
)]

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod aliases;
pub(crate) mod conversations;
pub(crate) mod import_account;
pub(crate) mod known_changes;
pub(crate) mod messages;
pub(crate) mod outbox;
pub(crate) mod outbox_counts;
pub(crate) mod people;
pub(crate) mod read_markers;
pub(crate) mod session;
pub(crate) mod sync_state;
pub(crate) mod tombstones;
pub(crate) mod unread_total;
pub(crate) mod unreadable_rows;
pub(crate) mod value;

#[cfg(test)]
mod schema;
