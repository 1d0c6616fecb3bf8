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
//!
//! All connections can be let go of and taken back (`pause`, `resume`): a system that suspends an app kills it if it
//! holds a lock on a file. So the writer's place may be empty, and `standing` says why.

use crate::{
    error::{Fault, Res, at_border},
    open::{SqliteOptions, connections},
    sql::Tx,
};
use fieldpost_storage::{StorageError, StorageErrorKind, StorageResult};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use std::{
    path::Path,
    sync::{PoisonError, RwLock},
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
    options: SqliteOptions,
    /// Held for a moment only, never across an await.
    standing: RwLock<Standing>,
    writer: Mutex<Writer>,
}

/// Whether there are connections.
#[derive(Debug, Clone)]
enum Standing {
    /// These read.
    Open(DatabaseConnection),
    /// Not now.
    Paused,
    /// Never again.
    Closed,
}

/// A writing connection and the reading ones.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) writer: DatabaseConnection,
    pub(crate) readers: DatabaseConnection,
}

#[derive(Debug)]
struct Writer {
    connections: Option<Connections>,
    /// What the connection is switched to; none when that is not known for sure.
    durability: Option<Durability>,
}

impl Db {
    pub(crate) fn new(options: SqliteOptions, connections: Connections) -> Self {
        let standing = RwLock::new(Standing::Open(connections.readers.clone()));
        let writer = Mutex::new(Writer { connections: Some(connections), durability: None });
        Self { options, standing, writer }
    }

    pub(crate) fn path(&self) -> &Path {
        self.options.path()
    }

    fn standing(&self) -> Standing {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stand(&self, standing: Standing) {
        *self.standing.write().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    /// The reading connections.
    pub(crate) fn check_open(&self) -> Res<DatabaseConnection> {
        match self.standing() {
            Standing::Open(readers) => Ok(readers),
            Standing::Paused => Err(Fault::kind(StorageErrorKind::Paused)),
            Standing::Closed => Err(Fault::kind(StorageErrorKind::Closed)),
        }
    }

    pub(crate) fn fail(&self, fault: Fault, operation: &'static str) -> StorageError {
        // Whatever a connection says that was closed under it, this is why.
        let fault = self.check_open().err().unwrap_or(fault);
        at_border(fault, operation, self.path())
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self, operation: &'static str, durability: Durability) -> StorageResult<Write<'_>> {
        let mut writer = self.writer.lock().await;
        match begin(&mut writer, durability).await {
            Ok(tx) => Ok(Write { db: self, operation, tx: Tx::Transaction(tx), _turn: writer }),
            Err(fault) => Err(self.fail(fault, operation)),
        }
    }

    /// A connection for a single query.
    pub(crate) fn look(&self, operation: &'static str) -> StorageResult<Read<'_>> {
        let readers = self.check_open().map_err(|fault| self.fail(fault, operation))?;
        Ok(Read { db: self, operation, tx: Tx::single(readers) })
    }

    /// Begins a transaction that reads: all of its queries see one state.
    pub(crate) async fn read(&self, operation: &'static str) -> StorageResult<Read<'_>> {
        let begun = match self.check_open() {
            Ok(readers) => readers.begin().await.map_err(Fault::from),
            Err(fault) => Err(fault),
        };
        let tx = begun.map_err(|fault| self.fail(fault, operation))?;
        Ok(Read { db: self, operation, tx: Tx::Transaction(tx) })
    }

    /// Runs statements outside of a transaction on the writing connection, when it is its turn.
    pub(crate) async fn run_alone(&self, operation: &'static str, sql: &str) -> StorageResult<()> {
        let writer = self.writer.lock().await;
        let ran = match &writer.connections {
            Some(connections) => connections.writer.execute_unprepared(sql).await.map(drop).map_err(Fault::from),
            None => Err(Fault::kind(StorageErrorKind::Paused)),
        };
        ran.map_err(|fault| self.fail(fault, operation))
    }

    /// Moves the log into the file, as far as nobody reads what it would overwrite, beside those who write. What could not be
    /// moved stays where it is just as safe, so no failure of this is anybody's business.
    pub(crate) async fn tidy(&self) {
        if let Standing::Open(readers) = self.standing() {
            let _ = readers.execute_unprepared("PRAGMA wal_checkpoint(PASSIVE)").await;
        }
    }

    /// Waits for the writer's turn and lets go of all connections.
    pub(crate) async fn pause(&self) -> StorageResult<()> {
        let mut writer = self.writer.lock().await;
        if matches!(self.standing(), Standing::Closed) {
            return Err(StorageError::new(StorageErrorKind::Closed, "pause"));
        }
        self.stand(Standing::Paused);
        let left = let_go(&mut writer).await;
        left.map_err(|fault| at_border(fault, "pause", self.path()))
    }

    /// Takes the file back.
    pub(crate) async fn resume(&self) -> StorageResult<()> {
        let mut writer = self.writer.lock().await;
        match self.standing() {
            Standing::Open(_) => return Ok(()),
            Standing::Paused => {}
            Standing::Closed => return Err(StorageError::new(StorageErrorKind::Closed, "resume")),
        }
        // A pause that was given up half way is finished first.
        let connected = match let_go(&mut writer).await {
            Ok(()) => connections(&self.options).await,
            Err(fault) => Err(fault),
        };
        let connections = connected.map_err(|fault| at_border(fault, "resume", self.path()))?;
        self.stand(Standing::Open(connections.readers.clone()));
        writer.connections = Some(connections);
        Ok(())
    }

    /// Waits for the writer's turn and closes all connections for good.
    pub(crate) async fn close(&self) -> StorageResult<()> {
        let mut writer = self.writer.lock().await;
        self.stand(Standing::Closed);
        let_go(&mut writer).await.map_err(|fault| at_border(fault, "close", self.path()))
    }
}

/// Closes what is open. Given up half way, it can be called again.
async fn let_go(writer: &mut Writer) -> Res<()> {
    writer.durability = None;
    let Some(connections) = &writer.connections else { return Ok(()) };
    let readers = connections.readers.close_by_ref().await;
    // The writer goes last: closing the last connection moves the write-ahead log into the file, which a reading connection
    // cannot do.
    let closed = connections.writer.close_by_ref().await;
    writer.connections = None;
    Ok(readers.and(closed)?)
}

async fn begin(writer: &mut Writer, durability: Durability) -> Res<DatabaseTransaction> {
    let Some(connections) = &writer.connections else { return Err(Fault::kind(StorageErrorKind::Paused)) };
    if writer.durability != Some(durability) {
        // This call may be dropped between the two lines; then nobody knows, and the next writer sets it again.
        writer.durability = None;
        let pragma = match durability {
            Durability::Process => "PRAGMA synchronous = NORMAL",
            Durability::PowerCut => "PRAGMA synchronous = FULL",
        };
        connections.writer.execute_unprepared(pragma).await?;
        writer.durability = Some(durability);
    }
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    Ok(connections.writer.begin_with_options(options).await?)
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
        let ended = match result {
            Ok(value) => self.tx.commit().await.map(|()| value),
            Err(fault) => {
                // The failure that matters is the first one. Should rolling back fail too, dropping does it.
                let _ = self.tx.rollback().await;
                Err(fault)
            }
        };
        ended.map_err(|fault| self.db.fail(fault, self.operation))
    }
}

/// What reads: a transaction, or a single query.
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
        let ended = self.tx.commit().await;
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
        writer
            .connections
            .as_ref()
            .unwrap()
            .writer
            .query_one_raw(pragma)
            .await
            .unwrap()
            .unwrap()
            .try_get_by_index(0)
            .unwrap()
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
    async fn the_log_is_moved_into_the_file_when_a_pass_is_through_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
        let size = || std::fs::metadata(store.path()).unwrap().len();
        let before = size();
        let messages = build::messages(build::conversation_id(1), 1..=5_000, &build::ada());
        given::loaded_thread(&store, build::direct(1, 5_000), messages).await;
        assert_eq!(size(), before);
        store.record_success(build::at(1)).await.unwrap();
        assert!(size() > before + 500_000, "{} bytes", size());
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
