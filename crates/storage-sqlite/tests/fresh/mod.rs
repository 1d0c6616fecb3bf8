//! New files in no time: one is made by all migrations, and the others are copies of it. What the migrations do has tests
//! of its own (`migrations/tests`, `opening`).

use fieldpost_storage::Store;
use fieldpost_storage_sqlite::{SqliteOptions, SqliteStore};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::sync::OnceCell;

static MADE: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();
#[cfg(feature = "encryption")]
static MADE_WITH_A_KEY: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();

/// The path of the database in a folder. One that is not there yet is made.
pub(crate) async fn in_folder(folder: &Path) -> PathBuf {
    copied(folder, MADE.get_or_init(|| make(SqliteOptions::new))).await
}

/// The key of [`encrypted_in_folder`].
#[cfg(feature = "encryption")]
pub(crate) fn key() -> fieldpost_domain::Key {
    "0123456789abcdef".repeat(4).parse().unwrap()
}

/// The same for an encrypted one.
#[cfg(feature = "encryption")]
pub(crate) async fn encrypted_in_folder(folder: &Path) -> SqliteOptions {
    let with_key = |path| SqliteOptions::new(path).key(key());
    with_key(copied(folder, MADE_WITH_A_KEY.get_or_init(|| make(with_key))).await)
}

async fn copied(folder: &Path, made: impl Future<Output = &(TempDir, PathBuf)>) -> PathBuf {
    let path = folder.join("fieldpost.db");
    if !path.exists() {
        std::fs::copy(&made.await.1, &path).unwrap();
    }
    path
}

async fn make(options: impl Fn(PathBuf) -> SqliteOptions) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fieldpost.db");
    Store::close(&SqliteStore::open(options(path.clone())).await.unwrap()).await.unwrap();
    (folder, path)
}
