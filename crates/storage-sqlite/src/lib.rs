//! The storage contract of Fieldpost on SQLite, with SeaORM.
//!
//! [`SqliteStore`] keeps one account in one file. The contract (`fieldpost_storage`) says what every method does; the essays
//! at the top of the modules here say how: `db` (connections and durability), `replica::apply` (pages as sets),
//! `ranges` (what is known of a thread), `derived` (unread counts and list rows), `rekey` (canonical ids).
//!
//! No type of SeaORM or sqlx is in the public API.

mod change_key;
mod connect;
mod connections;
mod conversations;
mod db;
#[cfg(test)]
mod deadly;
mod derived;
mod drafts;
mod encryption;
mod entity;
mod error;
mod file;
mod filtered;
mod held;
mod hot;
mod import;
mod inspect;
mod leftovers;
mod line;
mod messages;
mod mutations;
mod open;
mod options;
mod outbox;
mod packed;
#[cfg(feature = "records")]
mod pass;
mod path;
mod people;
mod presence;
mod ranges;
mod readers;
#[cfg(feature = "records")]
mod records;
mod rekey;
mod replica;
mod resolve;
mod row;
mod rows;
mod search;
mod section;
mod sessions;
mod sql;
mod store;
mod turn;
mod values;
mod version;
mod wipe;
mod writer;

#[cfg(test)]
mod plans;

pub use change_key::{KeyChange, KeyProgress, change_key};
pub use import::{ImportError, ImportProgress, Occupied, import_watermelon, import_watermelon_encrypted};
pub use options::SqliteOptions;
pub use store::SqliteStore;
