//! A file of the older app, open.
#![allow(dead_code, reason = "each test file uses a part of it")]

use fieldpost_migrations::{FileState, Migrator, inspect, upgrade};
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use std::{collections::BTreeMap, fs, path::Path};
use tempfile::TempDir;

pub(crate) struct File {
    pub(crate) db: DatabaseConnection,
    _folder: TempDir,
}

/// A copy of a fixture, open.
pub(crate) async fn fixture(name: &str) -> File {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("app.db");
    fs::copy(from, &to).unwrap();
    open(folder, &to).await
}

pub(crate) async fn empty() -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    open(folder, &path).await
}

async fn open(folder: TempDir, path: &Path) -> File {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    options.max_connections(1).sqlx_logging(false);
    File { db: Database::connect(options).await.unwrap(), _folder: folder }
}

impl File {
    pub(crate) async fn upgrade(&self) {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.db.begin_with_options(options).await.unwrap();
        upgrade(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Upgrades an empty file as the version of that day did.
    pub(crate) async fn upgrade_to(&self, version: u32) {
        // The history begins with version 4.
        Migrator::up(&self.db, Some(version - 3)).await.unwrap();
        assert_eq!(inspect(&self.db).await.unwrap(), FileState::Fieldpost(version));
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap();
    }

    /// The rows of a query with one column, as text; null as "-".
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
        let text = |row: &sea_orm_migration::sea_orm::QueryResult| row.try_get_by_index::<Option<String>>(0).unwrap();
        rows.iter().map(|row| text(row).unwrap_or_else(|| "-".to_owned())).collect()
    }

    pub(crate) async fn one(&self, sql: &str) -> String {
        self.rows(sql).await.pop().unwrap_or_else(|| panic!("no row: {sql}"))
    }

    pub(crate) async fn columns(&self, table: &str) -> Vec<String> {
        self.rows(&format!("SELECT name FROM pragma_table_info('{table}')")).await
    }

    /// Every value of every row of a table, exactly.
    pub(crate) async fn dump(&self, table: &str) -> Vec<String> {
        let quoted: Vec<String> =
            self.columns(table).await.iter().map(|column| format!("quote(\"{column}\")")).collect();
        self.rows(&format!("SELECT {} FROM \"{table}\" ORDER BY rowid", quoted.join(" || ',' || "))).await
    }

    pub(crate) async fn dumps(&self, tables: &[&str]) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::new();
        for table in tables {
            all.insert((*table).to_owned(), self.dump(table).await);
        }
        all
    }
}
