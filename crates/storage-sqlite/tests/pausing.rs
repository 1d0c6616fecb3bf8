//! What is left of the store on the disk while the app is suspended, and after it was wiped.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

use fieldpost_storage::{
    Conversations, Outbox, StorageErrorKind, Store, Turns,
    conformance::{build, given},
};
use fieldpost_storage_sqlite::SqliteStore;
use sea_orm::{ConnectionTrait, Database};
use std::{fs, future::poll_fn, path::Path, pin::pin, task::Poll};

const SECRET: &str = "the gate code is 4711";

/// A store with a conversation, a message in it, and one that waits.
async fn store(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path).await.unwrap();
    let messages = build::messages(build::conversation_id(1), 1..=1, &build::ada());
    let thread = given::loaded_thread(&store, build::direct(1, 1), messages).await;
    let content = fieldpost_domain::MessageContent::new(SECRET).unwrap();
    let message = fieldpost_domain::NewMessage { content, ..build::composed(1, thread) };
    given::send(&store, 1, message).await;
    store
}

/// Somebody who wants the whole file for themselves, as only one can have it who has it alone.
async fn takes_it_alone(path: &Path) -> Result<(), String> {
    let alone = Database::connect(format!("sqlite://{}", path.display())).await.unwrap();
    let sql = "PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE";
    let taken = alone.execute_unprepared(sql).await.map(drop).map_err(|error| error.to_string());
    alone.close().await.unwrap();
    taken
}

#[tokio::test]
async fn while_it_is_let_go_of_the_file_is_anybodys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fieldpost.db");
    let store = store(&path).await;
    let turn = store.try_turn().await.unwrap();
    assert!(takes_it_alone(&path).await.unwrap_err().contains("locked"), "an open store has a hand on its file");
    drop(turn);

    store.pause().await.unwrap();

    takes_it_alone(&path).await.unwrap();
    let turn = fs::File::open(folder.path().join("fieldpost.db-turn")).unwrap();
    turn.try_lock().unwrap();
    drop(turn);
    assert!(open_files(folder.path()).is_empty(), "{:?}", open_files(folder.path()));
    store.resume().await.unwrap();
    assert_eq!(store.counts().await.unwrap().pending, 1);
}

/// The files in this folder that this process has open.
#[cfg(target_os = "linux")]
fn open_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let handles = fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
    let files = handles.filter_map(|handle| fs::read_link(handle.path()).ok());
    files.filter(|file| file.starts_with(folder)).collect()
}

#[cfg(not(target_os = "linux"))]
fn open_files(_: &Path) -> Vec<std::path::PathBuf> {
    Vec::new()
}

#[tokio::test]
async fn reads_that_are_under_way_are_finished_before_the_file_is_let_go_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fieldpost.db");
    let store = store(&path).await;
    let reads = async {
        let mut last = Ok(vec![]);
        while last.is_ok() {
            last = store.conversations(10).await;
        }
        last.unwrap_err().kind()
    };
    let release = async {
        tokio::task::yield_now().await;
        store.pause().await.unwrap();
        takes_it_alone(&path).await
    };
    let (kind, taken) = tokio::join!(reads, release);
    assert_eq!((kind, taken), (StorageErrorKind::Paused, Ok(())));
}

#[tokio::test]
async fn a_pause_that_was_given_up_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fieldpost.db");
    let store = store(&path).await;
    for turns in 1..8 {
        let mut given_up = pin!(store.pause());
        for _ in 0..turns {
            if poll_fn(|context| Poll::Ready(given_up.as_mut().poll(context))).await.is_ready() {
                break;
            }
        }
        given_up.set(store.pause());

        given_up.await.unwrap();

        assert!(open_files(folder.path()).is_empty(), "{turns}: {:?}", open_files(folder.path()));
        takes_it_alone(&path).await.unwrap();
        store.resume().await.unwrap();
        assert_eq!(store.counts().await.unwrap().pending, 1);
    }
}

#[tokio::test]
async fn nothing_of_what_was_wiped_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fieldpost.db");
    let store = store(&path).await;
    assert!(is_on_the_disk(folder.path(), SECRET));

    store.wipe().await.unwrap();

    for trace in [SECRET, "gate", "message 1", "access-1", "refresh-1"] {
        assert!(!is_on_the_disk(folder.path(), trace), "{trace:?}");
    }
    store.close().await.unwrap();
    assert!(!is_on_the_disk(folder.path(), SECRET));
}

/// Whether any file of the folder contains this.
fn is_on_the_disk(folder: &Path, text: &str) -> bool {
    let mut files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}

#[tokio::test]
async fn the_file_is_let_go_of_when_the_turn_is_given_back_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fieldpost.db");
    let store = store(&path).await;
    let turn = store.try_turn().await.unwrap().unwrap();
    let pause = store.pause();
    tokio::pin!(pause);
    tokio::select! {
        biased;
        _ = &mut pause => unreachable!("the lock is still held"),
        () = tokio::task::yield_now() => drop(turn),
    }
    pause.await.unwrap();
    assert!(open_files(folder.path()).is_empty());
}
