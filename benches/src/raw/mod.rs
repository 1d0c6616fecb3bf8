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

use crate::subject::Subject;
use anyhow::{Context as _, Result, ensure};
use fieldpost_domain::BootstrapPage;
use rusqlite::{Connection, types::ValueRef};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};
use tempfile::TempDir;

/// A separate connection to a file that Fieldpost created.
pub(crate) struct Raw {
    connection: Connection,
    /// The folder of a file that exists only for this.
    _folder: Option<TempDir>,
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
        Ok(Self { connection, _folder: None })
    }

    /// A file of its own with this first load, which Fieldpost has applied.
    pub(crate) fn following(first: &BootstrapPage) -> Result<Self> {
        let made = Subject::following(first)?;
        made.close()?;
        let connection = Self::open(&made.file())?.connection;
        Ok(Self { connection, _folder: Some(made.folder) })
    }

    /// The same for every way to write.
    pub(crate) fn in_every_way(first: &BootstrapPage) -> Result<Vec<(Way, Self)>> {
        Way::ALL.into_iter().map(|way| Ok((way, Self::following(first)?))).collect()
    }

    /// Checks that all of them hold the same rows as Fieldpost's file.
    pub(crate) fn check(all: &[(Way, Self)], ours: &Path) -> Result<()> {
        let content = Self::open(ours)?.content()?;
        for (way, raw) in all {
            ensure!(raw.content()? == content, "{}: not the same rows as Fieldpost's", way.name());
        }
        Ok(())
    }

    /// Closes the file and returns its size.
    pub(crate) fn close(self) -> Result<u64> {
        let path = self.connection.path().context("a file")?.to_owned();
        drop(self.connection);
        Ok(fs::metadata(path)?.len())
    }

    /// From now on every commit survives a power failure.
    pub(crate) fn synchronous_full(&self) -> Result<()> {
        Ok(self.connection.execute_batch("PRAGMA synchronous = FULL")?)
    }

    /// A digest of everything that a page writes.
    fn content(&self) -> Result<u64> {
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
