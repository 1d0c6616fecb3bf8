//! The history of the local Fieldpost database, version 4 and up.
//!
//! Versions 4 and 5 were written by the app that Fieldpost replaces, with WatermelonDB: the version is SQLite's
//! `user_version`, ids are 16 random characters, and every table has the columns `_status` and `_changed`. From version 6 on
//! the file belongs to the engine, and the applied migrations are listed in `seaql_migrations` as SeaORM does it;
//! `user_version` goes on being kept, so that an older app can see that the file is too new for it.
//!
//! * Append only. A migration that has shipped never changes; what it does is written with the names of its own day as
//!   strings, never with today's entities.
//! * [`upgrade`] runs everything that is pending inside the caller's transaction. A crash leaves the old file or the new one.
//! * A new file runs the whole history, so that a fresh install and an upgraded one have the same tables.
//! * Looking ([`inspect`]) writes nothing: a file that must be refused is refused untouched.

mod inspect;
mod script;
mod upgrade;
mod v10;
mod v4;
mod v5;
mod v6;
mod v7;
mod v8;
mod v9;

pub use inspect::{FileState, inspect};
pub use upgrade::{Migrator, upgrade};

/// The version that [`upgrade`] leads to, kept in `PRAGMA user_version`.
pub const SCHEMA_VERSION: u32 = 10;

/// Marks a file as one of Fieldpost's (`PRAGMA application_id`), for tools such as `file`: "FPST".
pub const APPLICATION_ID: u32 = 0x4650_5354;
