//! Encrypts a file, takes its encryption away, or gives it another key.
//!
//! 1. The file is locked for this call alone. Whoever has it open, in this process or in another, is in the way.
//! 2. All that is in it is written to a new file beside it, `…-converting`, with the other key.
//! 3. The new file is held against the old one, written out to the disk, and renamed over it.
//!
//! So whenever the process is killed, the file is the old one, whole, or the new one, whole. A half-written `…-converting` is
//! removed by the next call and by whoever opens the file: as both need the lock, nobody is writing it then.
//!
//! These must stay true:
//!
//! * **No log outlives the exchange.** SQLite finds the log of a file by its name, and a log of the old file would be read as one
//!   of the new file. With the lock the file leaves WAL mode, which writes the log into it and removes it.
//! * **Nobody writes to the file that has lost its name.** A process that opens it at that moment waits for the lock,
//!   and would get the old file. So this overwrites the beginning of the old file before it gives up the lock, and SQLite refuses
//!   the file; and each open checks at its end that the file still has its name. A plain file is overwritten as a whole. On flash
//!   memory, copies of old blocks stay until the drive uses them again.
//!
//! SQL by hand: pragmas, ATTACH and a function of SQLCipher.

use crate::{
    connect, connections,
    encryption::{self, literal},
    error::{Fault, Res, at_border},
    file,
    options::SqliteOptions,
    path,
    presence::{Presence, is_open_here},
};
use fieldpost_domain::{
    Key,
    planted::{PlantedBug, planted},
};
use fieldpost_storage::{StorageErrorKind, StorageResult};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, SqliteConnection};
use std::{path::Path, time::Duration};

/// What to do about the key of a file.
#[derive(Debug, Clone)]
pub enum KeyChange {
    /// Encrypt a plain file.
    Encrypt(Key),
    /// Make an encrypted file a plain one.
    Decrypt(Key),
    /// Encrypt it with another key.
    Replace {
        /// The key that it has.
        old: Key,
        /// The key that it gets.
        new: Key,
    },
}

impl KeyChange {
    const fn before(&self) -> Option<&Key> {
        match self {
            Self::Encrypt(_) => None,
            Self::Decrypt(key) | Self::Replace { old: key, .. } => Some(key),
        }
    }

    const fn after(&self) -> Option<&Key> {
        match self {
            Self::Decrypt(_) => None,
            Self::Encrypt(key) | Self::Replace { new: key, .. } => Some(key),
        }
    }
}

/// How far a change of key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyProgress {
    /// The bytes of the new file so far.
    pub written: u64,
    /// About how many it will have.
    pub total: u64,
}

/// How often the progress is told.
const TELLING: Duration = Duration::from_millis(100);

/// Changes the key of a file, whole or not at all. Everything in it stays, the outbox with it. All clients on the file must be
/// closed.
///
/// # Errors
/// [`InvalidPath`], [`Busy`] if a client or another process has the file open, [`Full`] if there is no room for a second file beside it, and what
/// [`SqliteStore::open`](crate::SqliteStore::open) says of the file and its key. The file is unchanged then.
///
/// [`Busy`]: StorageErrorKind::Busy
/// [`Full`]: StorageErrorKind::Full
/// [`InvalidPath`]: StorageErrorKind::InvalidPath
pub async fn change_key(
    path: impl AsRef<Path>,
    change: KeyChange,
    watch: impl Fn(KeyProgress) + Send + Sync,
) -> StorageResult<()> {
    let given = path.as_ref();
    path::check(given).map_err(|fault| at_border(fault, "change_key", given))?;
    let path = file::real(given.to_owned()).await;
    let changed = change_at(&path, &change, watch).await;
    changed.map_err(|fault| at_border(fault, "change_key", &path))
}

async fn change_at(path: &Path, change: &KeyChange, watch: impl Fn(KeyProgress) + Send + Sync) -> Res<()> {
    let options = SqliteOptions::new(path);
    let options = match change.before() {
        Some(key) => options.key(key.clone()),
        None => options,
    };
    if is_open_here(file::identity(path.to_owned()).await) {
        return Err(Fault::of(StorageErrorKind::Busy, Some(path.display().to_string())));
    }
    file::check(path.to_owned(), change.before().cloned()).await?;
    connections::refuse_wrong_key(&options).await?;
    // Else a client that this process opens meanwhile would look at the file, and take the lock away with that.
    let _presence = Presence::of(file::identity(path.to_owned()).await);
    let mut old = lock(&options).await?;
    let changed = rewrite(&mut old, path, change, watch).await;
    // Closing gives the lock up: not before what has lost its name cannot be used any more.
    let closed = old.close().await.map_err(Fault::from);
    changed.and(closed)
}

async fn rewrite(
    old: &mut SqliteConnection,
    path: &Path,
    change: &KeyChange,
    watch: impl Fn(KeyProgress) + Send + Sync,
) -> Res<()> {
    let new = file::converting(path);
    let total = file::room_beside(path.to_owned()).await?;
    file::make_anew(new.clone()).await?;
    let written = tokio::select! {
        biased;
        written = write(old, &new, change.after()) => written,
        never = tell(&new, total, watch) => never,
    };
    let exchanged = match written {
        Ok(()) => {
            file::exchange(new.clone(), path.to_owned(), change.after().cloned(), change.before().is_none()).await
        }
        Err(fault) => Err(fault),
    };
    if exchanged.is_err() {
        // The next one removes it if this does not.
        file::remove_converting(path.to_owned()).await;
    }
    exchanged
}

/// Tells the progress as long as it is polled.
async fn tell<T>(new: &Path, total: u64, watch: impl Fn(KeyProgress)) -> T {
    loop {
        watch(KeyProgress { written: file::size(new.to_owned()).await.min(total), total });
        tokio::time::sleep(TELLING).await;
    }
}

/// Opens the file so that nobody else can, and without a log.
async fn lock(options: &SqliteOptions) -> Res<SqliteConnection> {
    let mut connection = connect::exclusive(options).await?;
    let version: Option<String> = sqlx::query_scalar("PRAGMA cipher_version").fetch_optional(&mut connection).await?;
    encryption::refuse_unless_named(version.as_deref())?;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode = DELETE").fetch_one(&mut connection).await?;
    if mode != "delete" {
        return Err(Fault::of(StorageErrorKind::Busy, Some(options.path().display().to_string())));
    }
    // Where there was no log there was no lock yet either. It stays until the connection is closed.
    run(&mut connection, "BEGIN EXCLUSIVE").await?;
    run(&mut connection, "COMMIT").await?;
    Ok(connection)
}

/// Writes everything to a new file, and holds that against the old one.
pub(crate) async fn write(old: &mut SqliteConnection, new: &Path, key: Option<&Key>) -> Res<()> {
    if planted(PlantedBug::PlainTemporaryFile) {
        export(old, new, None).await?;
        file::make_anew(new.to_owned()).await?;
    }
    export(old, new, key).await
}

async fn export(old: &mut SqliteConnection, new: &Path, key: Option<&Key>) -> Res<()> {
    attach(old, new, key).await?;
    // Nobody needs the new file unless it is whole, and then it is written out.
    run(old, "PRAGMA converted.journal_mode = OFF").await?;
    run(old, "PRAGMA converted.synchronous = OFF").await?;
    run(old, "SELECT sqlcipher_export('converted')").await?;
    for name in ["user_version", "application_id"] {
        let value: i64 = sqlx::query_scalar(AssertSqlSafe(format!("PRAGMA main.{name}"))).fetch_one(&mut *old).await?;
        run(old, format!("PRAGMA converted.{name} = {value}")).await?;
    }
    compare(old).await?;
    run(old, "DETACH converted").await
}

async fn attach(old: &mut SqliteConnection, new: &Path, key: Option<&Key>) -> Res<()> {
    let name = new
        .to_str()
        .ok_or_else(|| Fault::of(StorageErrorKind::CannotOpen, Some(format!("{} is no Unicode", new.display()))))?;
    let literal = key.map_or_else(|| "''".to_owned(), literal);
    sqlx::query(AssertSqlSafe(format!("ATTACH ? AS converted KEY {literal}"))).bind(name).execute(&mut *old).await?;
    if let Some(key) = key {
        run(old, format!("PRAGMA converted.cipher_plaintext_header_size = {}", encryption::plain_header(key))).await?;
    }
    Ok(())
}

/// The new file is sound, and each table has as many rows as before.
async fn compare(old: &mut SqliteConnection) -> Res<()> {
    let said: String = sqlx::query_scalar("PRAGMA converted.quick_check(1)").fetch_one(&mut *old).await?;
    if said != "ok" {
        return Err(Fault::of(StorageErrorKind::Other, Some(format!("the new file is not sound: {said}"))));
    }
    const TABLES: &str = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'";
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *old).await?;
    for table in tables {
        let table = table.replace('"', "\"\"");
        let counts =
            format!("SELECT (SELECT count(*) FROM main.\"{table}\") = (SELECT count(*) FROM converted.\"{table}\")");
        let same: bool = sqlx::query_scalar(AssertSqlSafe(counts)).fetch_one(&mut *old).await?;
        if !same {
            return Err(Fault::of(StorageErrorKind::Other, Some(format!("the new file lacks rows of {table}"))));
        }
    }
    Ok(())
}

async fn run(connection: &mut SqliteConnection, sql: impl Into<String>) -> Res<()> {
    sqlx::query(AssertSqlSafe(sql.into())).execute(connection).await?;
    Ok(())
}
