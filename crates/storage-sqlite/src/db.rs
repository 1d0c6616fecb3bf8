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
//! holds a lock on a file. So the writer's place may be empty, and `availability` says why.
//!
//! SQL by hand: pragmas of the connection.

use crate::{
    connections::Connections,
    error::{Fault, Res, at_border},
    options::SqliteOptions,
    readers::{Readers, Reading},
    sql::Tx,
    writer::{Writer, Writing},
};
use fieldpost_storage::{ChangeSender, ChangeSet, StorageError, StorageErrorKind, StorageResult};
use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::Mutex;

pub(crate) use crate::writer::Durability;

/// The connections to one file.
#[derive(Debug)]
pub(crate) struct Db {
    options: SqliteOptions,
    /// Held for a moment only, never across an await.
    availability: RwLock<Availability>,
    writer: Arc<Mutex<Writer>>,
    changes: ChangeSender,
}

/// Whether there are connections.
#[derive(Debug, Clone)]
enum Availability {
    /// These read.
    Open(Readers),
    /// Not now.
    Paused,
    /// Never again.
    Closed,
}

impl Db {
    pub(crate) fn new(options: SqliteOptions, connections: Connections) -> Self {
        let availability = RwLock::new(Availability::Open(connections.readers.clone()));
        let writer = Arc::new(Mutex::new(Writer::new(options.clone(), connections)));
        Self { options, availability, writer, changes: ChangeSender::default() }
    }

    /// Where commits are reported.
    pub(crate) const fn changes(&self) -> &ChangeSender {
        &self.changes
    }

    pub(crate) fn path(&self) -> &Path {
        self.options.path()
    }

    pub(crate) const fn has_key(&self) -> bool {
        self.options.key_given().is_some()
    }

    fn availability(&self) -> Availability {
        self.availability.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_availability(&self, availability: Availability) {
        *self.availability.write().unwrap_or_else(PoisonError::into_inner) = availability;
    }

    /// The reading connections.
    pub(crate) fn check_open(&self) -> Res<Readers> {
        match self.availability() {
            Availability::Open(readers) => Ok(readers),
            Availability::Paused => Err(Fault::kind(StorageErrorKind::Paused)),
            Availability::Closed => Err(Fault::kind(StorageErrorKind::Closed)),
        }
    }

    pub(crate) fn fail(&self, fault: Fault, operation: &'static str) -> StorageError {
        // Whatever a connection says that was closed under it, this is why.
        let fault = self.check_open().err().unwrap_or(fault);
        at_border(fault, operation, self.path())
    }

    /// Waits for the turn to write. The transaction begins with its first statement.
    pub(crate) async fn write(&self, operation: &'static str, durability: Durability) -> StorageResult<Write<'_>> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        if self.check_open().is_ok_and(|readers| readers.are_frozen()) {
            return Err(self.fail(Fault::kind(StorageErrorKind::Full), operation));
        }
        match writer.prepare(durability).await {
            Ok(()) => Ok(Write { db: self, operation, tx: Tx::Writing(Mutex::new(Writing::new(writer))) }),
            Err(fault) => Err(self.fail(fault, operation)),
        }
    }

    /// A connection for a single query.
    pub(crate) fn look(&self, operation: &'static str) -> StorageResult<Read<'_>> {
        let readers = self.check_open().map_err(|fault| self.fail(fault, operation))?;
        Ok(Read { db: self, operation, tx: Tx::Reading(Mutex::new(Reading::single(readers))) })
    }

    /// Begins a transaction that reads: all of its queries see one state.
    pub(crate) async fn read(&self, operation: &'static str) -> StorageResult<Read<'_>> {
        let begun = match self.check_open() {
            Ok(readers) => Reading::begin(readers).await,
            Err(fault) => Err(fault),
        };
        let reading = begun.map_err(|fault| self.fail(fault, operation))?;
        Ok(Read { db: self, operation, tx: Tx::Reading(Mutex::new(reading)) })
    }

    /// Runs statements outside of a transaction on the writing connection, when it is its turn.
    pub(crate) async fn run_alone(&self, operation: &'static str, sql: &'static str) -> StorageResult<()> {
        let mut writer = self.writer.lock().await;
        let ran = match writer.free().await {
            Ok(held) => held.run(sql, 1, Vec::new()).await.map(drop),
            Err(fault) => Err(fault),
        };
        ran.map_err(|fault| self.fail(fault, operation))
    }

    /// Moves the log into the file, as far as nobody reads what it would overwrite, when it is the writer's turn: a checkpoint
    /// writes, and of what writes there is one. What could not be moved stays where it is just as safe, so no failure of this is
    /// anybody's business.
    pub(crate) async fn tidy(&self) {
        let _ = self.writer.lock().await.checkpoint().await;
    }

    /// Moves the whole log into the file and empties it, when it is the writer's turn.
    pub(crate) async fn empty_log(&self, operation: &'static str) -> StorageResult<()> {
        let emptied = self.writer.lock().await.empty_log().await;
        emptied.map_err(|fault| self.fail(fault, operation))
    }

    /// Reports what others have committed since somebody looked last.
    pub(crate) async fn look_for_others(&self) -> Res<()> {
        if self.changes.is_heard() && self.writer.lock().await.look_for_others().await? {
            self.changes.send(ChangeSet::everything());
        }
        Ok(())
    }

    /// Waits for the writer's turn and lets go of all connections.
    pub(crate) async fn pause(&self) -> StorageResult<()> {
        let mut writer = self.writer.lock().await;
        if matches!(self.availability(), Availability::Closed) {
            return Err(StorageError::new(StorageErrorKind::Closed, "pause"));
        }
        self.set_availability(Availability::Paused);
        let left = writer.close().await;
        left.map_err(|fault| at_border(fault, "pause", self.path()))
    }

    /// Takes the file back.
    pub(crate) async fn resume(&self) -> StorageResult<()> {
        let mut writer = self.writer.lock().await;
        match self.availability() {
            Availability::Open(_) => return Ok(()),
            Availability::Paused => {}
            Availability::Closed => return Err(StorageError::new(StorageErrorKind::Closed, "resume")),
        }
        // A pause that was given up half way is finished first.
        let connected = match writer.close().await {
            Ok(()) => Connections::open(&self.options).await,
            Err(fault) => Err(fault),
        };
        let connections = connected.map_err(|fault| at_border(fault, "resume", self.path()))?;
        self.set_availability(Availability::Open(connections.readers.clone()));
        *writer = Writer::new(self.options.clone(), connections);
        self.changes.send(ChangeSet::everything());
        Ok(())
    }

    /// Waits for the writer's turn and closes all connections for good.
    pub(crate) async fn close(&self) -> StorageResult<()> {
        let mut writer = self.writer.lock().await;
        self.set_availability(Availability::Closed);
        self.changes.close();
        writer.close().await.map_err(|fault| at_border(fault, "close", self.path()))
    }
}

/// A transaction that writes. Dropped without [`Write::finish`], it never happened.
pub(crate) struct Write<'a> {
    db: &'a Db,
    operation: &'static str,
    tx: Tx,
}

impl Write<'_> {
    pub(crate) const fn tx(&self) -> &Tx {
        &self.tx
    }

    /// Commits if the work went well, else rolls back; and reports what looks different.
    pub(crate) async fn finish<T>(self, result: Res<T>) -> StorageResult<T> {
        let ended = match result {
            Ok(value) => self.tx.commit().await.map(|changes| (value, changes)),
            Err(fault) => {
                self.db.changes.send(self.tx.rollback().await);
                Err(fault)
            }
        };
        let reported = ended.map(|(value, changes)| {
            self.db.changes.send(changes);
            value
        });
        reported.map_err(|fault| self.db.fail(fault, self.operation))
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
        result.and_then(|value| ended.map(|_| value)).map_err(|fault| self.db.fail(fault, self.operation))
    }
}

#[cfg(test)]
mod tests {
    use crate::SqliteStore;
    use fieldpost_storage::{
        BootstrapReason, Outbox, Replica, Sessions, SyncMemory,
        conformance::{build, given},
    };

    /// What the connection was switched to by the write before this.
    async fn stands_at(store: &SqliteStore) -> i64 {
        pragma(store, "PRAGMA synchronous").await
    }

    async fn pragma(store: &SqliteStore, sql: &'static str) -> i64 {
        let mut writer = store.db.writer.lock().await;
        let answer = writer.free().await.unwrap().run(sql, 1, vec![]).await.unwrap();
        sea_orm::sqlx::Row::get(&answer.rows[0], 0)
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
        store.remember(&SyncMemory::default(), Some(build::at(1))).await.unwrap();
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
        store.send(build::mutation_id(1), build::composed(1, thread).into()).await.unwrap();
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

    #[cfg(feature = "records")]
    #[tokio::test]
    async fn changes_of_records_survive_a_power_cut_and_their_pages_need_not() {
        use fieldpost_storage::{
            conformance::records::{Phone, build as records, given as ready},
            records::{RecordQueue as _, RecordReplica as _},
        };
        const NORMAL: i64 = 1;
        const FULL: i64 = 2;
        let folder = tempfile::tempdir().unwrap();
        let store = std::sync::Arc::new(SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap());
        ready::ready(&Phone { store: store.clone(), records: store.clone() }).await;
        ready::loaded(&*store, vec![]).await;
        assert_eq!(stands_at(&store).await, NORMAL);
        ready::created(&*store, 1).await;
        assert_eq!(stands_at(&store).await, FULL);
        store.begin_record_load().await.unwrap();
        assert_eq!(stands_at(&store).await, NORMAL);
        assert_eq!(store.next_records(records::everything()).await.unwrap().len(), 1);
        assert_eq!(stands_at(&store).await, FULL);
        store.begin_record_load().await.unwrap();
        store.settle_records(&[], build::at(1)).await.unwrap();
        assert_eq!(stands_at(&store).await, FULL);
    }
}
