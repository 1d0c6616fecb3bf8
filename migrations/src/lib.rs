//! The history of the local Fieldpost database, version 4 and up.
//!
//! The app that Fieldpost replaces wrote versions 4 and 5 with WatermelonDB: the version is SQLite's `user_version`,
//! ids are 16 random characters, and every table has the columns `_status` and `_changed`. From version 6 on the file
//! belongs to the engine, and SeaORM lists the applied migrations in `seaql_migrations`. `user_version` is still set,
//! so that an older app sees that the file is too new for it.
//!
//! * Append only. A released migration never changes. It spells the table and column names of its time as strings and
//!   never uses today's entities.
//! * [`upgrade`] runs all pending migrations inside the caller's transaction. A crash leaves either the old file or the
//!   new one.
//! * A new file runs the whole history, so that a fresh install and an upgraded one have the same tables.
//! * [`inspect`] writes nothing: a file that must be refused is refused unchanged.

mod adoption;
mod inspect;
mod script;
mod upgrade;
mod v10;
mod v11;
mod v12;
mod v13;
mod v4;
mod v5;
mod v6;
mod v7;
mod v8;
mod v9;

pub use adoption::{Outcome, Progress};
pub use inspect::{FileState, inspect};
pub use upgrade::{Migrator, upgrade, upgrade_watched};

/// The version that [`upgrade`] produces, kept in `PRAGMA user_version`.
pub const SCHEMA_VERSION: u32 = 13;

/// Marks a file as Fieldpost's (`PRAGMA application_id`), for tools such as `file`: "FPST".
pub const APPLICATION_ID: u32 = 0x4650_5354;
