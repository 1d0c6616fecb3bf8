//! Upgrades a file to the current version inside one transaction.

use crate::{FileState, Progress, SCHEMA_VERSION, adoption, inspect, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13};
use sea_orm_migration::{
    MigrationTrait, MigratorTrait,
    sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr},
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
            Box::new(v12::MIGRATION),
            Box::new(v13::MIGRATION),
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
    upgrade_watched(transaction, |_| {}).await
}

/// As [`upgrade`], and tells how far the rows of an older app are.
///
/// # Errors
/// As [`upgrade`].
pub async fn upgrade_watched(
    transaction: &DatabaseTransaction,
    watch: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<(), DbErr> {
    match inspect(transaction).await? {
        FileState::Fieldpost(SCHEMA_VERSION) => Ok(()),
        FileState::Empty | FileState::Fieldpost(_) => Migrator::up(transaction, None).await,
        FileState::Watermelon(version) => adoption::adopt(transaction, version, Box::new(watch)).await,
        FileState::Newer(version) | FileState::Foreign(version) | FileState::OtherWatermelon(version) => {
            Err(DbErr::Custom(format!("a file of version {version} cannot be upgraded")))
        }
    }
}

/// Runs statements without parameters.
pub(crate) async fn run(db: &impl ConnectionTrait, statements: &str) -> Result<(), DbErr> {
    db.execute_unprepared(statements).await.map(drop)
}
