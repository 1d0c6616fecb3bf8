//! All connections to one file: looked at first, refused untouched, then upgraded.
//!
//! SQL by hand: a pragma.

use crate::{
    connect::{Access, connect, reader},
    encryption,
    error::{Fault, Res, is_cut_off, is_damage, is_full, is_no_page},
    file::{self, Made},
    held::Held,
    leftovers,
    options::SqliteOptions,
    presence::{Presence, is_open_here},
    readers::Readers,
};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_migrations::{FileState, inspect, upgrade};
use fieldpost_storage::StorageErrorKind;
use sea_orm::{
    DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::{self, Connection as _},
};
use std::time::Duration;

/// A writing connection and the reading ones.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) writer: Held,
    pub(crate) readers: Readers,
    /// Dropped after the others.
    _presence: Presence,
}

impl Connections {
    /// Looks at the file, upgrades it, and connects to it. On a full disk, where SQLite cannot make the files that it needs
    /// beside a file, what is in the file itself can still be read.
    pub(crate) async fn open(options: &SqliteOptions) -> Res<Self> {
        match Self::open_whole(options).await {
            Err(fault) if is_full(&fault) => Self::open_frozen(options).await,
            Err(_) if options.key_given().is_some() && planted(PlantedBug::FallsBackToPlain) => {
                Self::open_whole(&options.without_key()).await
            }
            opened => opened,
        }
    }

    async fn open_frozen(options: &SqliteOptions) -> Res<Self> {
        let full = || Fault::of(StorageErrorKind::Full, Some(options.path().display().to_string()));
        // What is in the log only shows with the files that there is no room for.
        if file::has_log(options.path().to_owned()).await {
            return Err(full());
        }
        let options = options.frozen();
        let only = connect(&options, Access::Look).await?;
        let held = match inspect(&only).await {
            Ok(FileState::Fieldpost(fieldpost_migrations::SCHEMA_VERSION)) => Ok(hold(&only).await?),
            // There is no room for an upgrade.
            _ => Err(full()),
        };
        let _ = only.close().await;
        let readers = Readers::connect(&options).await?;
        tracing::warn!("the disk is full: this file can be read and not written");
        Ok(Self { writer: held?, readers, _presence: Presence::of(file::identity(options.path().to_owned()).await) })
    }

    async fn open_whole(options: &SqliteOptions) -> Res<Self> {
        let path = || options.path().to_owned();
        let (made, opened) = Self::open_once(options).await?;
        let now = file::made(path()).await;
        if now == made {
            return opened;
        }
        // It was waiting for a file that has lost its name to one with another key.
        if let Ok(connections) = opened {
            let _ = connections.close().await;
        }
        if now.map(|now| now.file) == made.map(|made| made.file) {
            // Two exchanges can give a file the number that another one had. But the time differs without any exchange too: at the first
            // write to a file of a container's image, and where a file system reports the last change. So it is opened once more.
            let (made, opened) = Self::open_once(options).await?;
            if opened.is_ok() || file::made(path()).await == made {
                return opened;
            }
        }
        Err(Fault::of(StorageErrorKind::Busy, Some(format!("{} was exchanged meanwhile", options.path().display()))))
    }

    /// Which file it was, and what came of it.
    async fn open_once(options: &SqliteOptions) -> Res<(Option<Made>, Res<Self>)> {
        let path = || options.path().to_owned();
        let is_new = file::prepare(path(), options.key_given().cloned()).await?;
        let made = file::made(path()).await;
        Ok((made, Self::open_prepared(options, is_new).await))
    }

    async fn open_prepared(options: &SqliteOptions, is_new: bool) -> Res<Self> {
        let path = || options.path().to_owned();
        if !is_open_here(file::identity(path()).await) {
            match refuse_wrong_key(options).await {
                Err(_) if planted(PlantedBug::WrongKeyWipes) => file::make_anew(path()).await?,
                refused => refused?,
            }
        }
        if !is_new {
            let had_log = file::has_log(path()).await;
            refuse_unknown(options).await?;
            file::make_private(path()).await;
            if had_log {
                refuse_mixed(options).await?;
            }
        }
        if is_new {
            refuse_plain(options).await?;
        }
        let presence = Presence::of(file::identity(path()).await);
        let writer = connect(options, Access::Write).await?;
        let held = match Self::upgraded(&writer, options).await {
            Ok(readers) => hold(&writer).await.map(|writer| Self { writer, readers, _presence: presence }),
            Err(fault) => Err(fault),
        };
        // What is held is not the pool's any more.
        let _ = writer.close().await;
        held
    }

    async fn upgraded(writer: &DatabaseConnection, options: &SqliteOptions) -> Res<Readers> {
        leftovers::sweep(options.path().to_owned()).await;
        migrate(writer).await?;
        Readers::connect(options).await
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
        // A later version of the app that Fieldpost replaces is newer too.
        FileState::Newer(version) | FileState::OtherWatermelon(version @ 6..) => {
            Err(Fault::of(StorageErrorKind::NewerSchema, detail(version)))
        }
        FileState::Foreign(version) | FileState::OtherWatermelon(version) => {
            Err(Fault::of(StorageErrorKind::NotADatabase, detail(version)))
        }
    }
}

/// The tables that are always checked. Each change of a person or of a page writes to one of them and to its indexes.
const SMALL: [&str; 9] = [
    "account",
    "sync_state",
    "conversations",
    "people",
    "outbox",
    "outbox_counts",
    "record_queue",
    "record_counts",
    "record_sync",
];
/// These too, as long as nobody has to wait for it.
const LARGE: [&str; 5] = ["messages", "reactions", "read_markers", "tombstones", "access"];
/// About a tenth of a second.
const NO_WAIT: u64 = 32 << 20;

/// A log that somebody left beside a file belongs to it only if the file is the one that it was written for. SQLite cannot
/// tell: beside an older copy of the file it shows some pages of the one and some of the other. Their tables then disagree
/// with their indexes.
async fn refuse_mixed(options: &SqliteOptions) -> Res<()> {
    let mut connection = reader(options).await?;
    let large = file::size(options.path().to_owned()).await <= NO_WAIT;
    let tables = SMALL.iter().chain(large.then_some(&LARGE).into_iter().flatten());
    for table in tables {
        // A table of a version that is still to come is none, which is no fault.
        let check = format!("PRAGMA integrity_check('{table}')");
        let said: Result<Vec<String>, _> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(check)).fetch_all(&mut connection).await;
        let is_sound = match said {
            Ok(said) => said.iter().all(|said| said == "ok"),
            Err(error) if error.as_database_error().is_some_and(|error| error.message().contains("no such table")) => {
                true
            }
            Err(error) => return Err(error.into()),
        };
        if !is_sound {
            // Closing the last connection would move the log into the file, and neither could be put right any more.
            std::mem::forget(connection);
            let detail = format!("{}: the -wal file beside it is of another state of it", options.path().display());
            return Err(Fault::of(StorageErrorKind::Corrupt, Some(detail)));
        }
    }
    Ok(connection.close().await?)
}

/// Refuses a key that cannot be used, or is not this file's, before SQLite looks at the log: with a wrong key it would begin to
/// take back what a killed process left.
///
/// It reads the first page without locks and without the log. During a checkpoint of another process, and after one that was cut off, that
/// page can name more pages than the file has, which SQLite reports as damage. The page was decrypted, so the key fits; later steps read
/// the log too and judge the file. The page can also be half-written for a moment, so it is read again.
pub(crate) async fn refuse_wrong_key(options: &SqliteOptions) -> Res<()> {
    let Some(key) = options.key_given() else { return Ok(()) };
    let mut looks = 1;
    loop {
        match first_page(options).await {
            Err(fault) if is_damage(&fault) => return Ok(()),
            Err(fault) if is_no_page(&fault) && looks < LOOKS => tokio::time::sleep(BETWEEN_LOOKS).await,
            looked => return looked.map_err(|fault| encryption::explained(fault, options.path(), key)),
        }
        looks += 1;
    }
}

/// A page is written within microseconds.
const LOOKS: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

async fn first_page(options: &SqliteOptions) -> Res<()> {
    let probe = connect(&options.frozen(), Access::Look).await?;
    let fits = encryption::refuse_unless_it_fits(&probe).await;
    probe.close().await?;
    fits
}

/// Has a connection write the header of a new file, and refuses it if that is plain though there is a key. No connection of this
/// process is open when the file is looked at ([`crate::presence`]).
async fn refuse_plain(options: &SqliteOptions) -> Res<()> {
    if options.key_given().is_none() {
        return Ok(());
    }
    connect(options, Access::Write).await?.close().await?;
    file::check(options.path().to_owned(), options.key_given().cloned()).await
}

async fn look(options: &SqliteOptions, access: Access) -> Res<FileState> {
    let explained = |fault| match options.key_given() {
        Some(key) => encryption::explained(fault, options.path(), key),
        None => fault,
    };
    let probe = connect(options, access).await.map_err(explained)?;
    let state = inspect(&probe).await.map_err(Fault::from);
    probe.close().await?;
    state.map_err(explained)
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
