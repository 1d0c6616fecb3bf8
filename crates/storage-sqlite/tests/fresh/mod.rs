//! New files in no time: one is made by all migrations, and the others are copies of it. What the migrations do has tests
//! of its own (`migrations/tests`, `opening`).

use fieldpost_storage::Store;
use fieldpost_storage_sqlite::SqliteStore;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::sync::OnceCell;

static MADE: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();

/// The path of the database in a folder. One that is not there yet is made.
pub(crate) async fn in_folder(folder: &Path) -> PathBuf {
    let path = folder.join("fieldpost.db");
    if !path.exists() {
        let (_, made) = MADE.get_or_init(make).await;
        std::fs::copy(made, &path).unwrap();
    }
    path
}

async fn make() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fieldpost.db");
    Store::close(&SqliteStore::open(&path).await.unwrap()).await.unwrap();
    (folder, path)
}
