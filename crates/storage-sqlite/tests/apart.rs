//! Tokens that are kept apart from the file leave nothing in it.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

#[path = "fresh/mod.rs"]
mod fresh;

use fieldpost_domain::{AccessToken, RefreshToken, Session};
use fieldpost_storage::{
    MemorySecrets, Sessions, Store, TokensApart,
    conformance::build::{at, iris, session},
};
use fieldpost_storage_sqlite::SqliteStore;
use std::{fs, path::Path, sync::Arc};

const PLANTED: &str = "planted-token-0123456789";

/// A session whose tokens are found wherever they are.
fn planted() -> Session {
    Session {
        // Longer than a page, as one with many claims.
        access_token: AccessToken::new(format!("{PLANTED}-access").repeat(300)),
        refresh_token: RefreshToken::new(format!("{PLANTED}-refresh")),
        expires_at: at(3600),
        ..session(&iris(), 1)
    }
}

/// How many files of the folder have a token in them.
fn files_with_tokens(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.filter(|bytes| bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes())).count()
}

async fn open(folder: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(fresh::in_folder(folder).await).await.unwrap())
}

fn apart(store: &Arc<SqliteStore>, secrets: &MemorySecrets) -> TokensApart {
    TokensApart::new(store.clone(), "fieldpost.db", Arc::new(secrets.clone()))
}

#[tokio::test]
async fn a_move_leaves_no_token_in_the_file_its_log_or_its_free_pages() {
    let (folder, secrets) = (tempfile::tempdir().unwrap(), MemorySecrets::new());
    let store = open(folder.path()).await;
    for generation in 0..20 {
        let former = Session { refresh_token: RefreshToken::new(format!("{PLANTED} {generation}")), ..planted() };
        store.save_session(&former).await.unwrap();
    }
    store.save_session(&planted()).await.unwrap();
    assert!(files_with_tokens(folder.path()) > 0);

    assert_eq!(apart(&store, &secrets).session().await.unwrap(), Some(planted()));
    assert_eq!(files_with_tokens(folder.path()), 0, "while the file is open");
    store.close().await.unwrap();
    assert_eq!(files_with_tokens(folder.path()), 0);
}

#[tokio::test]
async fn a_reader_that_keeps_the_log_from_being_emptied_is_waited_for_until_the_next_start() {
    let (folder, secrets) = (tempfile::tempdir().unwrap(), MemorySecrets::new());
    let store = open(folder.path()).await;
    store.save_session(&planted()).await.unwrap();
    let path = folder.path().join("fieldpost.db");
    let reader = sea_orm::Database::connect(format!("sqlite://{}", path.display())).await.unwrap();
    let snapshot = sea_orm::TransactionTrait::begin(&reader).await.unwrap();
    let read = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "SELECT count(*) FROM session");
    sea_orm::ConnectionTrait::query_one_raw(&snapshot, read).await.unwrap();

    let quick = fieldpost_storage_sqlite::SqliteOptions::new(&path).busy_timeout(std::time::Duration::from_millis(1));
    let quick = Arc::new(SqliteStore::open(quick).await.unwrap());
    assert_eq!(apart(&quick, &secrets).session().await.unwrap(), Some(planted()), "signed in all the same");
    assert!(files_with_tokens(folder.path()) > 0);

    snapshot.rollback().await.unwrap();
    assert_eq!(apart(&quick, &secrets).session().await.unwrap(), Some(planted()));
    assert_eq!(files_with_tokens(folder.path()), 0);
}

#[tokio::test]
async fn sign_in_rotation_and_sign_out_never_write_a_token_to_the_file() {
    let (folder, secrets) = (tempfile::tempdir().unwrap(), MemorySecrets::new());
    let store = open(folder.path()).await;
    let sessions = apart(&store, &secrets);
    sessions.save_session(&planted()).await.unwrap();
    sessions.save_session(&Session { expires_at: at(7_200), ..planted() }).await.unwrap();
    assert_eq!(files_with_tokens(folder.path()), 0);
    sessions.clear_session().await.unwrap();
    assert_eq!((secrets.names(), files_with_tokens(folder.path())), (vec![], 0));
}

#[tokio::test]
async fn an_inspection_says_who_may_read_the_file_and_that_it_is_not_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let path = folder.path().join("fieldpost.db");
    assert_eq!(store.inspect().await.unwrap().encryption, None);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(store.inspect().await.unwrap().readable_by_others, Some(false));
        fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(store.inspect().await.unwrap().readable_by_others, Some(true));
    }
}

#[cfg(feature = "encryption")]
#[tokio::test]
async fn an_inspection_of_an_encrypted_file_names_the_cipher() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(fresh::encrypted_in_folder(folder.path()).await).await.unwrap();
    assert!(store.inspect().await.unwrap().encryption.is_some_and(|version| version.starts_with("4.")));
}
