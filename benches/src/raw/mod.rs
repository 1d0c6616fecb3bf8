//! The best that SQLite can do: the same writes and reads through prepared statements, by code that knows the outcome
//! in advance.
//!
//! Fieldpost creates the file, so tables, indexes, triggers and full-text index are the same, and so are its
//! connections' pragmas. What is left out is the cost of being sure: querying what is already stored, deriving unread
//! counts and ranges from it, comparing digests, moving work to another thread.

mod page;
mod reads;
mod write;

pub(crate) use page::Way;

use anyhow::Result;
use rusqlite::{Connection, types::ValueRef};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

/// A separate connection to a file that Fieldpost created.
pub(crate) struct Raw {
    connection: Connection,
}

impl Raw {
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;
             PRAGMA cache_size = -16384; PRAGMA secure_delete = ON; PRAGMA synchronous = NORMAL;
             PRAGMA wal_autocheckpoint = 8000;",
        )?;
        connection.set_prepared_statement_cache_capacity(256);
        Ok(Self { connection })
    }

    /// From now on every commit survives a power failure.
    pub(crate) fn synchronous_full(&self) -> Result<()> {
        Ok(self.connection.execute_batch("PRAGMA synchronous = FULL")?)
    }

    /// A digest of everything that a page writes.
    pub(crate) fn content(&self) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        for table in ["messages ORDER BY id", "conversations ORDER BY id", "sync_state"] {
            let mut statement = self.connection.prepare(&format!("SELECT * FROM {table}"))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    hash(row.get_ref(column)?, &mut hasher);
                }
            }
        }
        let words = "SELECT count(*) FROM messages_search WHERE messages_search MATCH 'bandage'";
        self.connection.query_row(words, [], |row| row.get::<_, i64>(0))?.hash(&mut hasher);
        Ok(hasher.finish())
    }
}

fn hash(value: ValueRef<'_>, hasher: &mut DefaultHasher) {
    match value {
        ValueRef::Null => 0_u8.hash(hasher),
        ValueRef::Integer(number) => number.hash(hasher),
        ValueRef::Real(number) => number.to_bits().hash(hasher),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.hash(hasher),
    }
}
