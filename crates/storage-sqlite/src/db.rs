//! Connections: one that writes, a few that read.
//!
//! SQLite has one writer at a time. There is exactly one writing connection, and a lock of our own in front of it: writers of
//! this process queue up in memory instead of polling the file, and SQLITE_BUSY is left for other processes. A writing
//! transaction begins IMMEDIATE; a deferred one that reads first and then writes could be refused in the middle, because
//! SQLite cannot wait when its snapshot is already old.
//!
//! Durability is chosen per transaction. In WAL mode `synchronous=NORMAL` survives a killed process but not a power cut: the
//! last transactions may be gone. That is fine for pages, which the server has and whose cursor goes with them, and it spares
//! a flush per page. What a person did, and tokens that cannot be bought twice, are written with `FULL`. The pragma works
//! only outside a transaction, so the connection is switched before BEGIN when it stands otherwise; one connection rather
//! than one for each keeps one cache and no lock between the two. That a flush reaches the disk is a setting of the
//! connection (`open`).

use crate::error::{Fault, Res, at_border};
use crate::sql::Tx;
use fieldpost_storage::{StorageError, StorageErrorKind, StorageResult};
use sea_orm::{ConnectionTrait, DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::sync::{Mutex, MutexGuard};

/// What a transaction must survive once it has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The end of this process.
    Process,
    /// A power cut.
    PowerCut,
}

/// The connections to one file.
#[derive(Debug)]
pub(crate) struct Db {
    path: PathBuf,
    readers: DatabaseConnection,
    writer: Mutex<Writer>,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Writer {
    connection: DatabaseConnection,
    /// What the connection is switched to; none when that is not known for sure.
    durability: Option<Durability>,
}

impl Db {
    pub(crate) fn new(path: PathBuf, writer: DatabaseConnection, readers: DatabaseConnection) -> Self {
        let writer = Mutex::new(Writer { connection: writer, durability: None });
        Self { path, readers, writer, closed: AtomicBool::new(false) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn fail(&self, fault: Fault, operation: &'static str) -> StorageError {
        // Whatever a connection says that was closed under it, this is why.
        if self.closed.load(Ordering::Acquire) {
            return StorageError::new(StorageErrorKind::Closed, operation);
        }
        at_border(fault, operation, &self.path)
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self, operation: &'static str, durability: Durability) -> StorageResult<Write<'_>> {
        let mut writer = self.writer.lock().await;
        let begun = if self.closed.load(Ordering::Acquire) {
            Err(Fault::kind(StorageErrorKind::Closed))
        } else {
            begin(&mut writer, durability).await
        };
        match begun {
            Ok(tx) => Ok(Write { db: self, operation, tx, _turn: writer }),
            Err(fault) => Err(self.fail(fault, operation)),
        }
    }

    /// Begins a transaction that reads: all of its queries see one state.
    pub(crate) async fn read(&self, operation: &'static str) -> StorageResult<Read<'_>> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StorageError::new(StorageErrorKind::Closed, operation));
        }
        let tx = self.readers.begin().await.map_err(|error| self.fail(error.into(), operation))?;
        Ok(Read { db: self, operation, tx: Tx::new(tx) })
    }

    /// Waits for the writer's turn and closes all connections.
    pub(crate) async fn close(&self) -> StorageResult<()> {
        let writer = self.writer.lock().await;
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let readers = self.readers.close_by_ref().await;
        // The writer goes last: closing the last connection moves the write-ahead log into the file, which a reading
        // connection cannot do.
        let writer = writer.connection.close_by_ref().await;
        readers.and(writer).map_err(|error| at_border(error.into(), "close", &self.path))
    }
}

async fn begin(writer: &mut Writer, durability: Durability) -> Res<Tx> {
    if writer.durability != Some(durability) {
        // This call may be dropped between the two lines; then nobody knows, and the next writer sets it again.
        writer.durability = None;
        let pragma = match durability {
            Durability::Process => "PRAGMA synchronous = NORMAL",
            Durability::PowerCut => "PRAGMA synchronous = FULL",
        };
        writer.connection.execute_unprepared(pragma).await?;
        writer.durability = Some(durability);
    }
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    Ok(Tx::new(writer.connection.begin_with_options(options).await?))
}

/// A transaction that writes. Dropped without [`Write::finish`], it never happened.
pub(crate) struct Write<'a> {
    db: &'a Db,
    operation: &'static str,
    tx: Tx,
    // Fields drop in order: the transaction is rolled back before the next writer gets its turn.
    _turn: MutexGuard<'a, Writer>,
}

impl Write<'_> {
    pub(crate) const fn tx(&self) -> &Tx {
        &self.tx
    }

    /// Commits if the work went well, else rolls back.
    pub(crate) async fn finish<T>(self, result: Res<T>) -> StorageResult<T> {
        let transaction = self.tx.into_inner();
        let ended = match result {
            Ok(value) => transaction.commit().await.map(|()| value).map_err(Fault::from),
            Err(fault) => {
                // The failure that matters is the first one. Should rolling back fail too, dropping does it.
                let _ = transaction.rollback().await;
                Err(fault)
            }
        };
        ended.map_err(|fault| self.db.fail(fault, self.operation))
    }
}

/// A transaction that reads.
pub(crate) struct Read<'a> {
    db: &'a Db,
    operation: &'static str,
    tx: Tx,
}

impl Read<'_> {
    pub(crate) const fn tx(&self) -> &Tx {
        &self.tx
    }

    /// Ends the snapshot.
    pub(crate) async fn finish<T>(self, result: Res<T>) -> StorageResult<T> {
        let ended = self.tx.into_inner().commit().await.map_err(Fault::from);
        result.and_then(|value| ended.map(|()| value)).map_err(|fault| self.db.fail(fault, self.operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteStore;
    use fieldpost_storage::{
        BootstrapReason, Outbox, Replica, Sessions,
        conformance::{build, given},
    };

    /// What the connection was switched to by the write before this.
    async fn stands_at(store: &SqliteStore) -> i64 {
        pragma(store, "PRAGMA synchronous").await
    }

    async fn pragma(store: &SqliteStore, sql: &str) -> i64 {
        let writer = store.db.writer.lock().await;
        let pragma = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql);
        writer.connection.query_one_raw(pragma).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    #[tokio::test]
    async fn a_flush_reaches_the_disk_on_apple_too() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
        for sql in ["PRAGMA fullfsync", "PRAGMA checkpoint_fullfsync"] {
            assert_eq!(pragma(&store, sql).await, 1, "{sql}");
        }
    }

    #[tokio::test]
    async fn what_a_person_did_and_tokens_survive_a_power_cut_and_pages_need_not() {
        const NORMAL: i64 = 1;
        const FULL: i64 = 2;
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
        let messages = build::messages(build::conversation_id(1), 1..=3, &build::ada());
        let thread = given::loaded_thread(&store, build::direct(1, 3), messages).await;
        assert_eq!(stands_at(&store).await, NORMAL);
        store.send(build::mutation_id(1), build::composed(1, thread)).await.unwrap();
        assert_eq!(stands_at(&store).await, FULL);
        store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
        assert_eq!(stands_at(&store).await, NORMAL);
        store.save_session(&build::session(&build::iris(), 1)).await.unwrap();
        assert_eq!(stands_at(&store).await, FULL);
        store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
        store.mark_read(build::mutation_id(2), thread, build::seq(3), build::at(1)).await.unwrap();
        assert_eq!(stands_at(&store).await, FULL);
        store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
        store.open_direct(build::mutation_id(3), build::new_direct(2)).await.unwrap();
        assert_eq!(stands_at(&store).await, FULL);
        store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
        store.settle(vec![]).await.unwrap();
        assert_eq!(stands_at(&store).await, FULL);
    }
}
