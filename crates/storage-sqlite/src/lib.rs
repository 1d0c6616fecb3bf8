//! The storage contract of Fieldpost on SQLite, with SeaORM.
//!
//! [`SqliteStore`] keeps one account in one file. The contract (`fieldpost_storage`) says what every method does; the essays
//! at the top of the modules here say how: `db` (connections and durability), `replica::apply` (pages as sets),
//! `ranges` (what is known of a thread), `derived` (unread counts and list rows), `rekey` (canonical ids).
//!
//! No type of SeaORM or sqlx is in the public API.

mod conversations;
mod db;
mod derived;
mod error;
mod held;
mod inspect;
mod messages;
mod open;
mod outbox;
mod overlay;
mod packed;
mod people;
mod ranges;
mod readers;
mod rekey;
mod replica;
mod resolve;
mod row;
mod rows;
mod search;
mod sessions;
mod sql;
mod turn;
mod version;
mod wipe;
mod writer;

#[cfg(test)]
mod plans;

pub use open::SqliteOptions;

use async_trait::async_trait;
use fieldpost_storage::{Inspection, MutationIds, StorageResult, Store};
use std::{path::Path, sync::Arc};

/// The local database of one account.
#[derive(Debug)]
pub struct SqliteStore {
    db: db::Db,
    turn: turn::TurnFile,
    /// For mutations that the store records by itself.
    ids: Arc<dyn MutationIds>,
}

impl SqliteStore {
    fn new(db: db::Db, ids: Arc<dyn MutationIds>) -> Self {
        let turn = turn::TurnFile::beside(db.path());
        Self { db, turn, ids }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.db.path()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn pause(&self) -> StorageResult<()> {
        self.turn.until_free().await;
        self.db.pause().await
    }

    async fn resume(&self) -> StorageResult<()> {
        self.db.resume().await
    }

    async fn inspect(&self) -> StorageResult<Inspection> {
        inspect::inspect(&self.db).await
    }

    async fn wipe(&self) -> StorageResult<()> {
        wipe::wipe(&self.db).await
    }

    async fn close(&self) -> StorageResult<()> {
        self.db.close().await
    }
}
