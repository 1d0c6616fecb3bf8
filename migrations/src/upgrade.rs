//! Brings a file to the current version inside one transaction.

use crate::{FileState, SCHEMA_VERSION, inspect, v4, v5, v6, v7, v8, v9, v10};
use sea_orm_migration::{
    MigrationTrait, MigratorTrait,
    sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement},
};

/// The history as SeaORM runs it.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(v4::MIGRATION),
            Box::new(v5::MIGRATION),
            Box::new(v6::Migration),
            Box::new(v7::MIGRATION),
            Box::new(v8::MIGRATION),
            Box::new(v9::MIGRATION),
            Box::new(v10::MIGRATION),
        ]
    }
}

/// Runs what is pending. The caller begins the transaction (immediate, so that two processes cannot both upgrade) and
/// commits it; the state of the file is looked at again inside it, since another process may have been faster.
///
/// # Errors
/// What SQLite says; the caller then rolls back and the file stays as it was. A file that [`inspect`] calls newer or foreign
/// is an error too, but callers refuse those before they begin.
pub async fn upgrade(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    match inspect(transaction).await? {
        FileState::Fieldpost(SCHEMA_VERSION) => return Ok(()),
        FileState::Empty | FileState::Fieldpost(_) => {}
        FileState::Watermelon(version) => adopt(transaction, version).await?,
        FileState::Newer(version) | FileState::Foreign(version) => {
            return Err(DbErr::Custom(format!("a file of version {version} cannot be upgraded")));
        }
    }
    Migrator::up(transaction, None).await
}

/// Notes that WatermelonDB has already done what the first migrations describe.
async fn adopt(transaction: &DatabaseTransaction, version: u32) -> Result<(), DbErr> {
    Migrator::install(transaction).await?;
    let done: &[&str] = if version >= 5 { &[v4::MIGRATION.name, v5::MIGRATION.name] } else { &[v4::MIGRATION.name] };
    for name in done {
        let sql = "INSERT INTO seaql_migrations (version, applied_at) VALUES (?, unixepoch())";
        let values = [(*name).into()];
        transaction.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await?;
    }
    Ok(())
}

/// Runs statements that have no parameters.
pub(crate) async fn run(db: &impl ConnectionTrait, statements: &str) -> Result<(), DbErr> {
    db.execute_unprepared(statements).await.map(drop)
}
