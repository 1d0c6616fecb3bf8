//! All connections to one file: looked at first, refused untouched, then upgraded.

use crate::{
    connect::{Access, connect},
    error::{Fault, Res, is_cut_off},
    file,
    held::Held,
    options::SqliteOptions,
    readers::Readers,
};
use fieldpost_migrations::{FileState, inspect, upgrade};
use fieldpost_storage::StorageErrorKind;
use sea_orm::{DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait};

/// A writing connection and the reading ones.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) writer: Held,
    pub(crate) readers: Readers,
}

impl Connections {
    /// Looks at the file, upgrades it, and connects to it.
    pub(crate) async fn open(options: &SqliteOptions) -> Res<Self> {
        if !file::prepare(options.path().to_owned()).await? {
            refuse_unknown(options).await?;
        }
        let writer = connect(options, Access::Write).await?;
        let readers = match migrate(&writer).await {
            Ok(()) => Readers::connect(options).await,
            Err(fault) => Err(fault),
        };
        let held = match readers {
            Ok(readers) => hold(&writer).await.map(|writer| Self { writer, readers }),
            Err(fault) => Err(fault),
        };
        // What is held is not the pool's any more.
        let _ = writer.close().await;
        held
    }

    /// Connects another writer, because the thread of this one has died.
    pub(crate) async fn replace_writer(&mut self, options: &SqliteOptions) -> Res<()> {
        let pool = connect(options, Access::Write).await?;
        self.writer = hold(&pool).await?;
        let _ = pool.close().await;
        Ok(())
    }

    /// Waits for those that are in use, and closes all.
    pub(crate) async fn close(self) -> Res<()> {
        let readers = self.readers.close().await;
        // The writer goes last: closing the last connection moves the write-ahead log into the file, which a reading connection
        // cannot do.
        self.writer.close().await.and(readers)
    }
}

/// Takes the connection out of its pool, which would ask it after each use whether it still lives.
async fn hold(pool: &DatabaseConnection) -> Res<Held> {
    Ok(Held::new(pool.get_sqlite_connection_pool().acquire().await?.detach()))
}

/// Looks at the file through a connection that cannot write. What a killed process left half done has to be taken back first,
/// which such a connection may not do; then one looks that writes nothing else.
async fn refuse_unknown(options: &SqliteOptions) -> Res<()> {
    let state = match look(options, Access::Look).await {
        Err(fault) if is_cut_off(&fault) => look(options, Access::Read).await?,
        looked => looked?,
    };
    let detail = |version: u32| Some(format!("{} has version {version}", options.path().display()));
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
