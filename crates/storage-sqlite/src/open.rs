//! Opening a file: look first, refuse untouched, then upgrade, then serve.

use crate::{
    SqliteStore,
    db::{Connections, Db},
    error::{Fault, Res, at_border, is_cut_off},
    held::Held,
    outbox,
    readers::Readers,
};
use fieldpost_migrations::{FileState, inspect, upgrade};
use fieldpost_storage::{MutationIds, RandomIds, StorageErrorKind, StorageResult};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How to open a file.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    path: PathBuf,
    busy_timeout: Duration,
    readers: u32,
    max_pages: Option<u32>,
    ids: Arc<dyn MutationIds>,
}

impl SqliteOptions {
    /// The usual way: waits up to 5 s for another process, reads with up to 3 connections.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let (busy_timeout, ids) = (Duration::from_secs(5), Arc::new(RandomIds));
        Self { path: path.into(), busy_timeout, readers: 3, max_pages: None, ids }
    }

    pub(crate) fn most_readers(&self) -> u32 {
        self.readers.max(1)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How long to wait for another process before a call fails as busy.
    #[must_use]
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How many connections read at the same time, at least one.
    #[must_use]
    pub const fn readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }

    /// Where the ids of the mutations come from that the store records by itself.
    #[must_use]
    pub fn mutation_ids(mut self, ids: Arc<dyn MutationIds>) -> Self {
        self.ids = ids;
        self
    }

    /// The most pages of 4 KiB that the file may grow to; a write beyond fails as on a full disk.
    #[must_use]
    pub const fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }
}

impl<P: Into<PathBuf>> From<P> for SqliteOptions {
    fn from(path: P) -> Self {
        Self::new(path)
    }
}

impl SqliteStore {
    /// Opens a file; makes one, readable by its owner only, if there is none. A file of an older version, back to version 4
    /// of the app that Fieldpost replaces, is upgraded in place, whole or not at all.
    ///
    /// # Errors
    /// [`StorageErrorKind::NewerSchema`], [`StorageErrorKind::NotADatabase`] and [`StorageErrorKind::CannotOpen`] before
    /// anything is written.
    pub async fn open(options: impl Into<SqliteOptions>) -> StorageResult<Self> {
        let options = options.into();
        let opened = connections(&options).await.map_err(|fault| at_border(fault, "open", &options.path))?;
        let ids = Arc::clone(&options.ids);
        let db = Db::new(options, opened);
        if let Err(error) = outbox::check_readable(&db).await {
            // The failure that matters is the first one.
            let _ = db.close().await;
            return Err(error);
        }
        Ok(Self::new(db, ids))
    }
}

/// Looks at the file, upgrades it, and connects to it.
pub(crate) async fn connections(options: &SqliteOptions) -> Res<Connections> {
    if !prepare_file(options.path.clone()).await? {
        refuse_unknown(options).await?;
    }
    let writer = connect(options, Access::Write).await?;
    let readers = match migrate(&writer).await {
        Ok(()) => Readers::connect(options).await,
        Err(fault) => Err(fault),
    };
    let held = match readers {
        Ok(readers) => hold(&writer).await.map(|writer| Connections { writer, readers }),
        Err(fault) => Err(fault),
    };
    // What is held is not the pool's any more.
    let _ = writer.close().await;
    held
}

/// Takes the connection out of its pool, which would ask it after each use whether it still lives.
async fn hold(pool: &DatabaseConnection) -> Res<Held> {
    Ok(Held::new(pool.get_sqlite_connection_pool().acquire().await?.detach()))
}

/// One more connection that reads.
pub(crate) async fn reader(options: &SqliteOptions) -> Res<SqliteConnection> {
    let connect = tuned(SqliteConnectOptions::new(), options, Access::Read).disable_statement_logging();
    Ok(connect.connect().await?)
}

/// Looks at the file, or makes it, where blocking is allowed. Says whether it is new.
async fn prepare_file(path: PathBuf) -> Res<bool> {
    let prepared = tokio::task::spawn_blocking(move || make_or_check(&path)).await;
    prepared.unwrap_or_else(|_| Err(Fault::kind(StorageErrorKind::Other)))
}

/// Makes the file if there is none, and says whether it did.
///
/// SQLite gives `-wal` and `-shm` the permissions of the file, so making it private makes all of them private.
fn make_or_check(path: &Path) -> Res<bool> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_header(path).map(|()| false),
        Err(error) => Err(cannot_open(path, &error)),
    }
}

/// A file that does not begin as every SQLite file does is refused before SQLite sees it.
fn check_header(path: &Path) -> Res<()> {
    use io::Read as _;
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let not_a_database = || Fault::Kind(StorageErrorKind::NotADatabase, Some(path.display().to_string()));
    let file = fs::File::open(path).map_err(|error| cannot_open(path, &error))?;
    if !file.metadata().map_err(|error| cannot_open(path, &error))?.is_file() {
        return Err(not_a_database());
    }
    let mut start = Vec::with_capacity(MAGIC.len());
    file.take(MAGIC.len() as u64).read_to_end(&mut start).map_err(|error| cannot_open(path, &error))?;
    // A new file that was never written to is empty.
    if start.is_empty() || start == MAGIC { Ok(()) } else { Err(not_a_database()) }
}

fn cannot_open(path: &Path, error: &io::Error) -> Fault {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageErrorKind::Full,
        io::ErrorKind::ReadOnlyFilesystem => StorageErrorKind::ReadOnly,
        _ => StorageErrorKind::CannotOpen,
    };
    Fault::Kind(kind, Some(format!("{}: {error}", path.display())))
}

/// Looks at the file through a connection that cannot write. What a killed process left half done has to be taken back first,
/// which such a connection may not do; then one looks that writes nothing else.
async fn refuse_unknown(options: &SqliteOptions) -> Res<()> {
    let state = match look(options, Access::Look).await {
        Err(fault) if is_cut_off(&fault) => look(options, Access::Read).await?,
        looked => looked?,
    };
    let detail = |version: u32| Some(format!("{} has version {version}", options.path.display()));
    match state {
        FileState::Empty | FileState::Watermelon(_) | FileState::Fieldpost(_) => Ok(()),
        FileState::Newer(version) => Err(Fault::Kind(StorageErrorKind::NewerSchema, detail(version))),
        FileState::Foreign(version) => Err(Fault::Kind(StorageErrorKind::NotADatabase, detail(version))),
    }
}

async fn look(options: &SqliteOptions, access: Access) -> Res<FileState> {
    let probe = connect(options, access).await?;
    let state = inspect(&probe).await;
    probe.close().await?;
    Ok(state?)
}

/// One transaction for all that is pending.
async fn migrate(writer: &DatabaseConnection) -> Res<()> {
    if inspect(writer).await? == FileState::Fieldpost(fieldpost_migrations::SCHEMA_VERSION) {
        return Ok(());
    }
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = writer.begin_with_options(options).await?;
    upgrade(&transaction).await?;
    Ok(transaction.commit().await?)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Not a byte is written.
    Look,
    /// Statements cannot write; SQLite itself may take back what was left half done.
    Read,
    Write,
}

async fn connect(options: &SqliteOptions, access: Access) -> Res<DatabaseConnection> {
    // The real name is given below: as a path, which needs no escaping.
    let mut connect = ConnectOptions::new("sqlite:fieldpost");
    connect
        .max_connections(1)
        // The pool of the one that writes must not replace it when it is taken out.
        .min_connections(u32::from(access != Access::Write))
        .acquire_timeout(options.busy_timeout + Duration::from_secs(25))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .record_stmt_in_spans(false)
        .sqlx_logging(false);
    let options = options.clone();
    connect.map_sqlx_sqlite_opts(move |sqlite| tuned(sqlite, &options, access));
    Ok(Database::connect(connect).await?)
}

fn tuned(sqlite: SqliteConnectOptions, options: &SqliteOptions, access: Access) -> SqliteConnectOptions {
    let sqlite = sqlite.filename(&options.path).create_if_missing(false).busy_timeout(options.busy_timeout);
    let sqlite = sqlite.read_only(access == Access::Look).statement_cache_capacity(256);
    match access {
        Access::Look => sqlite,
        Access::Read => sqlite.pragma("query_only", "ON"),
        Access::Write => {
            let sqlite = sqlite.pragma("journal_mode", "WAL").pragma("recursive_triggers", "ON");
            let sqlite = sqlite.pragma("cache_size", "-16384");
            // Moving the log into the file rewrites every page that has changed since, scattered over all of it. Done every
            // 1,000 pages, as SQLite would, it takes more time than the pages of a sync themselves, and some commit of
            // a person has to wait for it. So a pass does it at its end (`Db::tidy`), and a commit only at 32 MiB.
            let sqlite = sqlite.pragma("wal_autocheckpoint", "8000");
            // What a person may not see any more must not be found in the file either. FAST would leave it in pages
            // that came free whole, and those of a conversation that leaves do; inserting costs nothing more with ON.
            let sqlite = sqlite.pragma("secure_delete", "ON");
            // On Apple's systems fsync leaves data in the cache of the drive, which a power cut empties; only F_FULLFSYNC
            // writes it out. Elsewhere these change nothing.
            let sqlite = sqlite.pragma("fullfsync", "ON").pragma("checkpoint_fullfsync", "ON");
            options.max_pages.map_or(sqlite.clone(), |pages| sqlite.pragma("max_page_count", pages.to_string()))
        }
    }
}
