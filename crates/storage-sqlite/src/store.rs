//! The store: its connections, and whose turn it is.

use crate::{
    db::Db,
    error::Fault,
    inspect::{imported, inspect},
    turn::TurnFile,
    wipe::wipe,
};
use async_trait::async_trait;
use fieldpost_storage::{
    ChangeReceiver, ChangeSet, ImportReport, Inspection, MutationIds, StorageErrorKind, StorageResult, Store, Turn,
    Turns,
};
use std::{path::Path, sync::Arc};

/// The local database of one account.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) db: Db,
    pub(crate) turn: TurnFile,
    /// For mutations that the store records by itself.
    pub(crate) ids: Arc<dyn MutationIds>,
    /// The turn to sync the records.
    #[cfg(feature = "records")]
    pub(crate) records: crate::pass::Pass,
}

impl SqliteStore {
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
        #[cfg(feature = "records")]
        self.records.turn.until_free().await;
        self.db.pause().await
    }

    async fn resume(&self) -> StorageResult<()> {
        self.db.resume().await
    }

    fn changes(&self) -> ChangeReceiver {
        self.db.changes().subscribe()
    }

    fn look_again(&self) {
        self.db.changes().send(ChangeSet::everything());
    }

    async fn inspect(&self) -> StorageResult<Inspection> {
        inspect(&self.db).await
    }

    async fn imported(&self) -> StorageResult<Option<ImportReport>> {
        imported(&self.db).await
    }

    async fn wipe(&self) -> StorageResult<()> {
        wipe(&self.db).await
    }

    async fn close(&self) -> StorageResult<()> {
        self.db.close().await
    }
}

#[async_trait]
impl Turns for SqliteStore {
    async fn try_turn(&self) -> StorageResult<Option<Turn>> {
        self.db.check_open().map_err(|fault| self.db.fail(fault, "try_turn"))?;
        self.db.look_for_others().await.map_err(|fault| self.db.fail(fault, "try_turn"))?;
        self.turn.take().await.map_err(|error| {
            let detail = format!("{}: {error}", self.turn.path().display());
            self.db.fail(Fault::of(StorageErrorKind::CannotOpen, Some(detail)), "try_turn")
        })
    }
}
