//! Determines the kind of a file without writing to it.

use crate::Migrator;
use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement},
};

/// The kind of a SQLite file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Empty.
    Empty,
    /// Written by WatermelonDB, at version 4 or 5.
    Watermelon(u32),
    /// Written by WatermelonDB, at another version, or for another app.
    OtherWatermelon(u32),
    /// Written by Fieldpost, at this version or an older one.
    Fieldpost(u32),
    /// Written by a newer Fieldpost (or a newer version of the app it replaces).
    Newer(u32),
    /// A database of another program, or of a version before 4.
    Foreign(u32),
}

/// Inspects a file. Only reads.
///
/// # Errors
/// Errors of SQLite: not a database, damaged, locked.
pub async fn inspect(db: &impl ConnectionTrait) -> Result<FileState, DbErr> {
    let version = number(db, "PRAGMA user_version").await?;
    let tables = number(db, "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").await?;
    if has_table(db, "seaql_migrations").await? {
        return fieldpost(db, version).await;
    }
    Ok(match version {
        0 if tables == 0 => FileState::Empty,
        4 | 5 if is_watermelon(db).await? => FileState::Watermelon(version),
        other if is_of_watermelon(db).await? => FileState::OtherWatermelon(other),
        newer if newer > crate::SCHEMA_VERSION => FileState::Newer(newer),
        other => FileState::Foreign(other),
    })
}

async fn fieldpost(db: &impl ConnectionTrait, version: u32) -> Result<FileState, DbErr> {
    let ours =
        if has_table(db, "sync_state").await? { FileState::Fieldpost(version) } else { FileState::Foreign(version) };
    // An unknown name comes from a newer version.
    let known = Migrator::migrations();
    let is_known = |name: &str| known.iter().any(|migration| migration.name() == name);
    let names = db.query_all_raw(statement("SELECT version FROM seaql_migrations")).await?;
    for row in names {
        let name: String = row.try_get_by_index(0)?;
        let is_newer = version > crate::SCHEMA_VERSION || ours != FileState::Foreign(version);
        if is_newer && !is_known(&name) {
            return Ok(FileState::Newer(version));
        }
    }
    Ok(if version > crate::SCHEMA_VERSION { FileState::Newer(version) } else { ours })
}

/// The clinical tables exist since version 4.
async fn is_watermelon(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(is_of_watermelon(db).await? && has_table(db, "treatments").await?)
}

/// WatermelonDB keeps its own values in a table, and adds two columns to all others.
async fn is_of_watermelon(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let marked = "SELECT count(*) FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
        WHERE m.type = 'table' AND c.name IN ('_status', '_changed')";
    Ok(has_table(db, "local_storage").await? && number(db, marked).await? >= 2)
}

async fn has_table(db: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?";
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [name.into()]);
    let row = db.query_one_raw(statement).await?;
    let count: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(count > 0)
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> Result<u32, DbErr> {
    let row = db.query_one_raw(statement(sql)).await?;
    let number: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

fn statement(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Sqlite, sql)
}
