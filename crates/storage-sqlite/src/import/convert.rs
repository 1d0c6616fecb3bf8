//! Converts the copy, and makes a compact file of it.
//!
//! SQL by hand: pragmas and `VACUUM`, which no query builder has.

use super::{copy::create, error::ImportError, progress::ImportProgress};
use crate::{
    change_key, encryption,
    entity::import_account,
    error::{Fault, Res, at_border},
};
use fieldpost_domain::Key;
use fieldpost_migrations::{FileState, Progress, inspect, upgrade_watched};
use fieldpost_storage::{ImportReport, StorageErrorKind};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, EntityTrait, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use std::{path::Path, sync::Arc};

pub(super) async fn convert(
    copy: &Path,
    new: &Path,
    key: Option<&Key>,
    source: &Path,
    watch: impl Fn(ImportProgress) + Send + Sync + 'static,
) -> Result<ImportReport, ImportError> {
    let border = |fault| ImportError::from(at_border(fault, "import", source));
    let db = open(copy).await.map_err(border)?;
    let converted = convert_on(&db, new, key, source, watch).await;
    let closed = db.close().await.map_err(Fault::from).map_err(border);
    let report = converted?;
    closed?;
    Ok(report)
}

async fn convert_on(
    db: &DatabaseConnection,
    new: &Path,
    key: Option<&Key>,
    source: &Path,
    watch: impl Fn(ImportProgress) + Send + Sync + 'static,
) -> Result<ImportReport, ImportError> {
    let border = |fault| ImportError::from(at_border(fault, "import", source));
    if key.is_some() {
        encryption::refuse_unless_it_fits(db).await.map_err(border)?;
    }
    check(db, source).await?;
    let watch = Arc::new(watch);
    upgrade(db, Arc::clone(&watch)).await.map_err(border)?;
    let report = read_report(db).await.map_err(border)?;
    watch(ImportProgress::Finishing);
    compact(db, new, key).await.map_err(border)?;
    Ok(report)
}

/// The only connection to the copy. Nobody needs the copy after a crash.
async fn open(copy: &Path) -> Res<DatabaseConnection> {
    // The real name is given below: as a path, which needs no escaping.
    let mut options = ConnectOptions::new("sqlite:import");
    options.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
    options.test_before_acquire(false).record_stmt_in_spans(false).sqlx_logging(false);
    let copy = copy.to_owned();
    options.map_sqlx_sqlite_opts(move |sqlite| {
        let sqlite = sqlite.filename(&copy).create_if_missing(false).pragma("foreign_keys", "OFF");
        sqlite.pragma("synchronous", "OFF").pragma("cache_size", "-16384").pragma("recursive_triggers", "ON")
    });
    Ok(Database::connect(options).await?)
}

/// Takes back or replays what was cut off, and refuses what is not to be converted.
async fn check(db: &DatabaseConnection, source: &Path) -> Result<(), ImportError> {
    let path = || source.to_owned();
    let damaged = |detail: String| ImportError::SourceDamaged { source_path: path(), detail };
    let said = pragma(db, "quick_check(1)").await.map_err(|fault| match at_border(fault, "import", source) {
        error if error.kind() == StorageErrorKind::NotADatabase => ImportError::NotADatabase(path()),
        error if error.kind() == StorageErrorKind::Corrupt => damaged(error.to_string()),
        error => error.into(),
    })?;
    if said != "ok" {
        return Err(damaged(said));
    }
    let state = inspect(db).await.map_err(|error| at_border(error.into(), "import", source))?;
    match state {
        FileState::Watermelon(_) => Ok(()),
        FileState::Fieldpost(_) => Err(ImportError::AlreadyFieldpost(path())),
        FileState::OtherWatermelon(version) => Err(ImportError::Version { source_path: path(), version }),
        FileState::Newer(_) | FileState::Foreign(_) | FileState::Empty => Err(ImportError::Foreign(path())),
    }
}

async fn upgrade(db: &DatabaseConnection, watch: Arc<impl Fn(ImportProgress) + Send + Sync + 'static>) -> Res<()> {
    // From the log to the file: what is written now needs no log.
    pragma(db, "journal_mode = TRUNCATE").await?;
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await?;
    let told = move |Progress { done, total }| watch(ImportProgress::Converting { done, total });
    upgrade_watched(&transaction, told).await?;
    Ok(transaction.commit().await?)
}

/// The report that is in a file; none if nothing was imported.
pub(crate) fn parse(account: &str) -> Res<ImportReport> {
    serde_json::from_str(account).map_err(|_| Fault::corrupt("import_account.account"))
}

async fn read_report(db: &DatabaseConnection) -> Res<ImportReport> {
    let row = import_account::Entity::find().one(db).await?.ok_or_else(|| Fault::corrupt("import_account"))?;
    parse(&row.account)
}

/// Writes a file without the pages that came free.
async fn compact(db: &DatabaseConnection, new: &Path, key: Option<&Key>) -> Res<()> {
    let full = |error: std::io::Error| Fault::of(StorageErrorKind::Other, Some(error.to_string()));
    // It is made here, so that it is its owner's alone.
    create(new).map(drop).map_err(full)?;
    if key.is_some() {
        let mut connection = db.get_sqlite_connection_pool().acquire().await?;
        return change_key::write(&mut connection, new, key).await;
    }
    let Some(name) = new.to_str() else {
        return Err(Fault::of(StorageErrorKind::CannotOpen, Some(format!("{} is no Unicode", new.display()))));
    };
    let statement = Statement::from_sql_and_values(sea_orm::DbBackend::Sqlite, "VACUUM INTO ?", [name.into()]);
    db.execute_raw(statement).await?;
    Ok(())
}

/// The first word of its answer.
async fn pragma(db: &DatabaseConnection, pragma: &str) -> Res<String> {
    let row = db.query_one_raw(statement(&format!("PRAGMA {pragma}"))).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default())
}

fn statement(sql: &str) -> Statement {
    Statement::from_string(sea_orm::DbBackend::Sqlite, sql)
}
