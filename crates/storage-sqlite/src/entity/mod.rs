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
pub(crate) mod audit_log;
pub(crate) mod carried_items;
pub(crate) mod conversation_settings;
pub(crate) mod conversations;
pub(crate) mod drafts;
pub(crate) mod import_account;
pub(crate) mod import_report;
pub(crate) mod known_changes;
pub(crate) mod messages;
pub(crate) mod messages_search_entries;
pub(crate) mod messages_search_pending;
pub(crate) mod messages_search_state;
pub(crate) mod near_misses;
pub(crate) mod outbox;
pub(crate) mod outbox_counts;
pub(crate) mod people;
pub(crate) mod reactions;
pub(crate) mod read_markers;
pub(crate) mod record_aliases;
pub(crate) mod record_clocks;
pub(crate) mod record_columns;
pub(crate) mod record_conflicts;
pub(crate) mod record_counts;
pub(crate) mod record_queue;
pub(crate) mod record_sync;
pub(crate) mod record_tables;
pub(crate) mod record_tombstones;
pub(crate) mod safety_checks;
pub(crate) mod session;
pub(crate) mod sync_state;
pub(crate) mod tombstones;
pub(crate) mod treatments;
pub(crate) mod unread_total;
pub(crate) mod unreadable_rows;
pub(crate) mod value;
pub(crate) mod workers;

#[cfg(test)]
mod schema;
