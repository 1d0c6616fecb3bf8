//! What the file remembers of syncing, and what it costs.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

use fieldpost_domain::{Changes, PullPage};
use fieldpost_storage::{
    ReducedSize, Replica, SyncMemory,
    conformance::{build, given},
};
use fieldpost_storage_sqlite::SqliteStore;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use std::path::PathBuf;
use tempfile::TempDir;

/// A store that follows from the cursor `0`, and another program's connection to its file.
async fn followed() -> (SqliteStore, DatabaseConnection, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("fieldpost.db");
    let store = SqliteStore::open(path.clone()).await.unwrap();
    given::loaded_thread(&store, build::direct(1, 0), vec![]).await;
    let mut options = ConnectOptions::new(format!("sqlite://{}", path.display()));
    options.max_connections(1);
    (store, Database::connect(options).await.unwrap(), folder)
}

/// Another number once somebody else has changed the file.
async fn file_version(db: &DatabaseConnection) -> i64 {
    let sql = Statement::from_string(DbBackend::Sqlite, "PRAGMA data_version");
    db.query_one_raw(sql).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

fn nothing(cursor: &str) -> PullPage {
    PullPage { digest: Some(build::digest([1])), ..build::pull_page(cursor, Changes::default()) }
}

#[tokio::test]
async fn a_sync_of_nothing_writes_only_that_it_was_well() {
    let (store, db, _folder) = followed().await;
    store.apply_pull(&build::cursor("0"), nothing("1")).await.unwrap();
    let before = file_version(&db).await;

    store.sync_state().await.unwrap();
    store.apply_pull(&build::cursor("1"), nothing("1")).await.unwrap();
    assert_eq!(file_version(&db).await, before, "a page that leads nowhere changes nothing");

    store.remember(&SyncMemory::default(), Some(build::at(1))).await.unwrap();
    assert_eq!(file_version(&db).await, before + 1, "one write, whatever was learned");
}

#[tokio::test]
async fn what_cannot_be_read_of_what_was_learned_stands_in_nobodys_way() {
    let (store, db, _folder) = followed().await;
    let learned =
        SyncMemory { page_size: ReducedSize { rows: Some(9), ..ReducedSize::default() }, ..SyncMemory::default() };
    for damage in ["'{'", "'[]'", "'{\"page_size\":{\"rows\":\"many\"}}'", "'{\"tomorrow\":{}}'", "''", "NULL"] {
        store.remember(&learned, None).await.unwrap();
        db.execute_unprepared(&format!("UPDATE sync_state SET memory = {damage}")).await.unwrap();

        assert_eq!(store.sync_state().await.unwrap().memory, SyncMemory::default(), "{damage}");
        store.remember(&learned, None).await.unwrap();
        assert_eq!(store.sync_state().await.unwrap().memory, learned, "{damage}");
    }
}
