//! Importing a file of the older app beside itself: the source stays as it is, the target is there whole or not at all.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step of a test that fails has to fail the test")]

use fieldpost_domain::ConversationId;
use fieldpost_storage::{Conversations, ImportOutcome, ImportReport, Messages, Outbox, Store, Window};
use fieldpost_storage_sqlite::{ImportError, ImportProgress, Occupied, SqliteStore, import_watermelon};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, TransactionTrait};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};
use tempfile::TempDir;
use uuid::Uuid;

/// An old phone with its files in one folder, and a new place in another.
struct Move {
    old: TempDir,
    new: TempDir,
}

/// Everything that can be seen of a folder.
type Seen = BTreeMap<PathBuf, (Vec<u8>, u32, SystemTime)>;

fn seen(folder: &Path) -> Seen {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let metadata = fs::metadata(&path).unwrap();
            let about = (fs::read(&path).unwrap(), metadata.permissions().mode(), metadata.modified().unwrap());
            (path, about)
        })
        .collect()
}

impl Move {
    /// With files of the fixtures, each under its own name.
    fn of(names: &[&str]) -> Self {
        let moving = Self { old: tempfile::tempdir().unwrap(), new: tempfile::tempdir().unwrap() };
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/fixtures");
        for name in names {
            fs::copy(fixtures.join(name), moving.old.path().join(name)).unwrap();
        }
        moving
    }

    fn source(&self, name: &str) -> PathBuf {
        self.old.path().join(name)
    }

    fn target(&self) -> PathBuf {
        self.new.path().join("fieldpost.db")
    }

    fn folder(&self) -> PathBuf {
        self.new.path().join("fieldpost.db.importing")
    }

    async fn import(&self, name: &str) -> Result<ImportReport, ImportError> {
        import_watermelon(self.source(name), self.target(), |_| {}).await
    }

    async fn refused(&self, name: &str) -> ImportError {
        let before = seen(self.old.path());
        let there = seen_names(self.new.path());
        let error = match self.import(name).await {
            Ok(_) => panic!("{name} was imported, and must be refused"),
            Err(error) => error,
        };
        assert_eq!(seen(self.old.path()), before, "{name}: the source is as it was");
        assert_eq!(seen_names(self.new.path()), there, "{name}: nothing is left of the attempt");
        error
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.target()).await.unwrap()
    }
}

fn seen_names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

fn direct() -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_00c1))
}

async fn sql(path: &Path) -> DatabaseConnection {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rw", path.display()));
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn texts(store: &SqliteStore) -> Vec<String> {
    let window = store.messages(direct(), Window::newest(50)).await.unwrap();
    window.messages.into_iter().map(|message| message.content.unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_file_becomes_a_database_and_stays_as_it_is() {
    let moving = Move::of(&["v5.db"]);
    let before = seen(moving.old.path());
    let told: Arc<Mutex<Vec<ImportProgress>>> = Arc::default();
    let heard = Arc::clone(&told);

    let watch = move |progress| heard.lock().unwrap().push(progress);
    let report = import_watermelon(moving.source("v5.db"), moving.target(), watch).await.unwrap();

    assert_eq!(seen(moving.old.path()), before);
    assert_eq!(seen_names(moving.new.path()), [moving.target()]);
    assert_eq!(fs::metadata(moving.target()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!((report.rows(), report.queued.messages, report.queued.changes), ((32, 25), 5, 4));
    let told = told.lock().unwrap().clone();
    assert_eq!((told.first(), told.last()), (Some(&ImportProgress::Copying), Some(&ImportProgress::Finishing)));
    assert!(told.contains(&ImportProgress::Converting { done: 32, total: 32 }));

    let store = moving.open().await;
    let summary = store.conversation(direct()).await.unwrap().unwrap();
    assert_eq!((summary.participant_name.as_str(), summary.unread), ("Ada Moss", 2));
    assert_eq!(texts(&store).await[..4], ["Erste", "", "arrived", "Zweite 🩹"]);
    assert_eq!(store.entries(100).await.unwrap().len(), 11);
    assert_eq!(store.imported().await.unwrap(), Some(report));
    assert_eq!(store.inspect().await.unwrap().faults, Vec::<String>::new());
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_opened_in_place_has_the_same_report() {
    let (beside, in_place) = (Move::of(&["odd.db"]), Move::of(&["odd.db"]));
    let imported = beside.import("odd.db").await.unwrap();
    let store = SqliteStore::open(in_place.source("odd.db")).await.unwrap();
    let opened = store.imported().await.unwrap().unwrap();
    assert_eq!((opened.tables, opened.notes, opened.queued), (imported.tables, imported.notes, imported.queued));
    assert_eq!(opened.last_sync_at.map(|at| at.timestamp_millis()), Some(1_700_000_000_500));
    store.close().await.unwrap();
    let twin = imported.carried.iter().find(|items| items.table == "photo_uploads").unwrap();
    assert_eq!((twin.items, &twin.ids[..]), (2, &["queue00000000014".to_owned(), "queue00000000015".to_owned()][..]));
    assert!(beside.import("odd.db").await.is_err(), "and not twice");
}

#[tokio::test]
async fn what_is_only_in_the_log_comes_over_and_the_log_stays() {
    let moving = Move::of(&["wal.db", "wal.db-wal"]);
    let before = seen(moving.old.path());
    moving.import("wal.db").await.unwrap();
    assert_eq!(
        seen(moving.old.path()),
        before,
        "no -shm was made either, as a folder that is read-only would not allow"
    );
    let store = moving.open().await;
    assert!(texts(&store).await.contains(&"only in the log".to_owned()));
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_was_cut_off_is_taken_back_in_the_copy_alone() {
    let moving = Move::of(&["journal.db", "journal.db-journal"]);
    let before = seen(moving.old.path());
    moving.import("journal.db").await.unwrap();
    assert_eq!(seen(moving.old.path()), before);
    let store = moving.open().await;
    assert_eq!(store.conversation(direct()).await.unwrap().unwrap().participant_name, "Ada Moss");
    assert!(texts(&store).await.contains(&"on my way".to_owned()));
    store.close().await.unwrap();
}

#[tokio::test]
async fn what_another_process_has_open_comes_over_as_it_was_committed() {
    for mode in ["WAL", "DELETE"] {
        let moving = Move::of(&["v5.db"]);
        let app = sql(&moving.source("v5.db")).await;
        app.execute_unprepared(&format!("PRAGMA journal_mode = {mode}; PRAGMA cache_size = 1")).await.unwrap();
        app.execute_unprepared("UPDATE messages SET content = 'committed' WHERE id = 'msgSent000000001'")
            .await
            .unwrap();
        let open = app.begin().await.unwrap();
        let change = "UPDATE messages SET content = 'not committed ' || hex(zeroblob(2000)), status = 'sent'";
        open.execute_unprepared(change).await.unwrap();

        moving.import("v5.db").await.unwrap();

        open.execute_unprepared("UPDATE messages SET content = 'the app goes on'").await.unwrap();
        open.commit().await.unwrap();
        let store = moving.open().await;
        let texts = texts(&store).await;
        assert!(
            texts.contains(&"committed".to_owned()) && texts.contains(&"on my way".to_owned()),
            "{mode}: {texts:?}"
        );
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_to_all_the_time_is_refused() {
    let moving = Move::of(&["v5.db"]);
    let path = moving.source("v5.db");
    let stop = Arc::new(AtomicBool::new(false));
    let (file, stopped) = (path.clone(), Arc::clone(&stop));
    let (begun, has_begun) = std::sync::mpsc::channel();
    let writing = std::thread::spawn(move || {
        use std::os::unix::fs::FileExt;
        let log = fs::File::create(file.with_extension("db-wal")).unwrap();
        // So large that copying it takes long beside a write.
        log.set_len(64 << 20).unwrap();
        let mut count = 0_u64;
        while !stopped.load(Ordering::Relaxed) {
            log.write_all_at(&count.to_be_bytes(), 0).unwrap();
            count += 1;
            if count == 1 {
                begun.send(()).unwrap();
            }
        }
    });
    has_begun.recv().unwrap();
    let error = moving.import("v5.db").await.unwrap_err();
    stop.store(true, Ordering::Relaxed);
    writing.join().unwrap();
    assert!(matches!(error, ImportError::SourceBusy(_)), "{error}");
    assert!(error.to_string().contains("close the app"));
    assert_eq!(seen_names(moving.new.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_in_a_sentence() {
    let moving = Move::of(&["v3.db", "v6.db", "loki.db", "v5.db"]);
    fs::write(moving.source("text.db"), "hello").unwrap();
    let whole = fs::read(moving.source("v5.db")).unwrap();
    fs::write(moving.source("half.db"), &whole[..whole.len() / 2]).unwrap();
    let mut broken = whole.clone();
    for page in broken.chunks_mut(4096).skip(1) {
        page[..64].fill(0xee);
    }
    fs::write(moving.source("broken.db"), broken).unwrap();
    for (name, said) in [
        ("nothing.db", "there is no file"),
        ("text.db", "is no SQLite database, or an encrypted one"),
        ("loki.db", "adapter for the web (LokiJS)"),
        ("v3.db", "has version 3 of the older app's schema; Fieldpost takes over versions 4 and 5. Open it once"),
        ("v6.db", "has version 6 of the older app's schema"),
        ("half.db", "is damaged"),
        ("broken.db", "is damaged"),
    ] {
        let error = moving.refused(name).await.to_string();
        assert!(error.contains(said), "{name}: {error}");
    }

    moving.import("v5.db").await.unwrap();
    let again = tempfile::tempdir().unwrap();
    let ours = import_watermelon(moving.target(), again.path().join("again.db"), |_| {}).await.unwrap_err();
    assert!(matches!(ours, ImportError::AlreadyFieldpost(_)) && ours.to_string().contains("open it as it is"));
}

#[tokio::test]
async fn a_database_of_another_app_is_refused() {
    let moving = Move::of(&["v5.db"]);
    let app = sql(&moving.source("v5.db")).await;
    app.execute_unprepared("DROP TABLE local_storage; PRAGMA user_version = 1").await.unwrap();
    app.close().await.unwrap();
    assert!(matches!(moving.refused("v5.db").await, ImportError::Foreign(_)));
}

#[tokio::test]
async fn an_import_replaces_nothing() {
    let moving = Move::of(&["v5.db"]);
    moving.import("v5.db").await.unwrap();
    let made = fs::read(moving.target()).unwrap();
    let error = moving.refused("v5.db").await;
    assert!(matches!(error, ImportError::TargetExists { by: Occupied::Fieldpost, .. }), "{error}");
    assert!(error.to_string().contains("move it away; else import to another file"));
    assert_eq!(fs::read(moving.target()).unwrap(), made);

    fs::write(moving.target(), "a letter").unwrap();
    assert!(matches!(moving.refused("v5.db").await, ImportError::TargetExists { by: Occupied::Other, .. }));
    assert_eq!(fs::read(moving.target()).unwrap(), b"a letter");

    fs::remove_file(moving.target()).unwrap();
    fs::write(moving.new.path().join("fieldpost.db-wal"), "of another").unwrap();
    assert!(matches!(moving.refused("v5.db").await, ImportError::TargetExists { by: Occupied::Log, .. }));

    let source = moving.source("v5.db");
    let error = import_watermelon(&source, &source, |_| {}).await.unwrap_err();
    assert!(matches!(error, ImportError::TargetIsSource(_)), "{error}");
}

#[tokio::test]
async fn a_target_that_appears_meanwhile_is_kept() {
    let moving = Move::of(&["v5.db"]);
    let target = moving.target();
    let error = import_watermelon(moving.source("v5.db"), moving.target(), move |progress| {
        if progress == ImportProgress::Finishing {
            fs::write(&target, "somebody's").unwrap();
        }
    })
    .await
    .unwrap_err();
    assert!(matches!(error, ImportError::TargetExists { by: Occupied::Other, .. }), "{error}");
    assert_eq!(fs::read(moving.target()).unwrap(), b"somebody's");
    assert_eq!(seen_names(moving.new.path()), [moving.target()]);
}

#[tokio::test]
async fn what_a_killed_attempt_left_is_removed_and_a_running_one_is_left_alone() {
    let moving = Move::of(&["v5.db"]);
    fs::create_dir(moving.folder()).unwrap();
    for left in ["source.db", "source.db-wal", "source.db-journal", "new.db", "lock"] {
        fs::write(moving.folder().join(left), "half of something").unwrap();
    }
    let running = fs::File::open(moving.folder().join("lock")).unwrap();
    running.lock().unwrap();
    let error = moving.import("v5.db").await.unwrap_err();
    assert!(matches!(error, ImportError::Running(_)) && error.to_string().contains("wait for it"), "{error}");
    assert!(moving.folder().join("source.db").exists());

    drop(running);
    moving.import("v5.db").await.unwrap();
    assert_eq!(seen_names(moving.new.path()), [moving.target()]);

    // Killed after its last step: the next attempt says that it is done, and tidies up.
    fs::create_dir(moving.folder()).unwrap();
    fs::write(moving.folder().join("source.db"), "half of something").unwrap();
    assert!(moving.import("v5.db").await.is_err());
    assert_eq!(seen_names(moving.new.path()), [moving.target()]);
}

#[tokio::test]
async fn a_source_that_is_larger_than_the_disk_is_refused_before_anything_is_copied() {
    let moving = Move::of(&["v5.db"]);
    // It takes no room itself.
    fs::File::create(moving.source("v5.db-wal")).unwrap().set_len(1 << 42).unwrap();
    let error = moving.import("v5.db").await.unwrap_err();
    assert!(matches!(error, ImportError::NoSpace { .. }) && error.is_full(), "{error}");
    assert!(error.to_string().contains("make room, then try again"));
    assert_eq!(seen_names(moving.new.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let moving = Move::of(&["v5.db"]);
    let target = moving.new.path().join("no").join("such").join("folder.db");
    let error = import_watermelon(moving.source("v5.db"), target, |_| {}).await.unwrap_err();
    assert!(matches!(&error, ImportError::Io { .. }) && error.to_string().contains("making the folder"), "{error}");
}

#[tokio::test]
async fn a_link_is_followed_to_the_file_and_its_log() {
    let moving = Move::of(&["wal.db", "wal.db-wal"]);
    let link = moving.new.path().join("link.db");
    std::os::unix::fs::symlink(moving.source("wal.db"), &link).unwrap();
    import_watermelon(&link, moving.target(), |_| {}).await.unwrap();
    let store = moving.open().await;
    assert!(texts(&store).await.contains(&"only in the log".to_owned()));
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_wipe_leaves_nothing_of_the_older_app() {
    let moving = Move::of(&["own.db"]);
    let report = moving.import("own.db").await.unwrap();
    assert_eq!(report.set_aside.len(), 5);
    assert!(report.notes.iter().all(|note| note.outcome != ImportOutcome::Refused));
    let store = moving.open().await;
    store.wipe().await.unwrap();
    assert_eq!(store.imported().await.unwrap(), None);
    assert_eq!(store.inspect().await.unwrap().faults, Vec::<String>::new());
    store.close().await.unwrap();
    let bytes = fs::read(moving.target()).unwrap();
    for trace in ["cheerful", "Gate 3", "watermelon_", "Zo\u{eb}"] {
        assert!(!bytes.windows(trace.len()).any(|window| window == trace.as_bytes()), "{trace}");
    }
}
