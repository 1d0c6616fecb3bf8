//! Upgrades a file to the current version inside one transaction.

use crate::{FileState, SCHEMA_VERSION, inspect, v4, v5, v6, v7, v8, v9, v10, v11};
use sea_orm_migration::{
    MigrationTrait, MigratorTrait,
    sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement},
};

/// The migrations, as SeaORM runs them.
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
            Box::new(v11::Migration),
        ]
    }
}

/// Runs the pending migrations. The caller begins and commits the transaction (immediate, so that two processes cannot
/// both upgrade). The file is inspected again inside it, because another process may have been faster.
///
/// # Errors
/// Errors of SQLite; the caller then rolls back and the file stays unchanged. A file that [`inspect`] finds newer or
/// foreign is an error too, but callers refuse those before they begin.
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

/// Records the first migrations as applied, because WatermelonDB has created their tables.
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

/// Runs statements without parameters.
pub(crate) async fn run(db: &impl ConnectionTrait, statements: &str) -> Result<(), DbErr> {
    db.execute_unprepared(statements).await.map(drop)
}
