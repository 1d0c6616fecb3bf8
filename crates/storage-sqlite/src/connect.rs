//! One connection to the file, set up for what it may do.

use crate::{encryption, error::Res, options::SqliteOptions};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection,
    sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions},
};
use std::time::Duration;

/// One more connection that reads.
pub(crate) async fn reader(options: &SqliteOptions) -> Res<SqliteConnection> {
    let connect = tuned(SqliteConnectOptions::new(), options, Access::Read).disable_statement_logging();
    Ok(connect.connect().await?)
}

/// A connection for which nobody else may have the file open, once it has written. It can make a file that it attaches.
pub(crate) async fn exclusive(options: &SqliteOptions) -> Res<SqliteConnection> {
    let connect = tuned(SqliteConnectOptions::new(), options, Access::Alone).disable_statement_logging();
    Ok(connect.create_if_missing(true).connect().await?)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Not a byte is written.
    Look,
    /// Statements cannot write; SQLite itself may take back what was left half done.
    Read,
    Write,
    /// As the only one.
    Alone,
}

pub(crate) async fn connect(options: &SqliteOptions, access: Access) -> Res<DatabaseConnection> {
    // The real name is given below: as a path, which needs no escaping.
    let mut connect = ConnectOptions::new("sqlite:fieldpost");
    connect
        .max_connections(1)
        // The pool of the one that writes must not replace it when it is taken out.
        .min_connections(u32::from(access != Access::Write))
        .acquire_timeout(options.timeout() + Duration::from_secs(25))
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
    let sqlite = sqlite.filename(options.path()).create_if_missing(false).busy_timeout(options.timeout());
    let sqlite = sqlite.read_only(access == Access::Look || options.is_frozen()).immutable(options.is_frozen());
    let sqlite = encryption::unlocked(sqlite.statement_cache_capacity(256), options.key_given());
    match access {
        Access::Look => sqlite,
        Access::Read => sqlite.pragma("query_only", "ON").pragma("cache_size", encryption::READER_CACHE),
        Access::Alone => sqlite.pragma("locking_mode", "EXCLUSIVE").pragma("foreign_keys", "OFF"),
        Access::Write => {
            let sqlite = sqlite.pragma("journal_mode", "WAL").pragma("recursive_triggers", "ON");
            let sqlite = sqlite.pragma("cache_size", "-16384");
            // Moving the log into the file rewrites every page that has changed since, scattered over all of it. Done every
            // 1,000 pages, as SQLite would, it takes more time than the pages of a sync themselves, and some commit of
            // a person has to wait for it. So a pass does it at its end (`Db::tidy`), and a commit only at 32 MiB.
            let sqlite = sqlite.pragma("wal_autocheckpoint", encryption::OWN_CHECKPOINT);
            // What a person may not see any more must not be found in the file either. FAST would leave it in pages
            // that came free whole, and those of a conversation that leaves do; inserting costs nothing more with ON.
            let sqlite = sqlite.pragma("secure_delete", "ON");
            // On Apple's systems fsync leaves data in the cache of the drive, which a power cut empties; only F_FULLFSYNC
            // writes it out. Elsewhere these change nothing.
            let sqlite = sqlite.pragma("fullfsync", "ON").pragma("checkpoint_fullfsync", "ON");
            options.most_pages().map_or(sqlite.clone(), |pages| sqlite.pragma("max_page_count", pages.to_string()))
        }
    }
}
