//! Files with a key: what is in them, and what is refused.
#![cfg(feature = "encryption")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step of a test that fails has to fail the test")]

use fieldpost_domain::{AccessToken, Key, PersonId, RefreshToken, Session, Time};
use fieldpost_storage::{Sessions, StorageError, StorageErrorKind, Store};
use fieldpost_storage_sqlite::{KeyChange, KeyProgress, SqliteOptions, SqliteStore, change_key};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use uuid::Uuid;

/// A word that is nowhere but where somebody has written it.
const PLANTED: &str = "Xylographerwort";

struct Phone(TempDir);

impl Phone {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("fieldpost.db")
    }

    fn options(&self) -> SqliteOptions {
        SqliteOptions::new(self.file())
    }

    async fn open(&self, key: Key) -> SqliteStore {
        SqliteStore::open(self.options().key(key)).await.unwrap()
    }

    /// One with something in it, and closed.
    async fn written(key: Option<Key>) -> Self {
        let phone = Self::new();
        let options = match key {
            Some(key) => phone.options().key(key),
            None => phone.options(),
        };
        let store = SqliteStore::open(options).await.unwrap();
        store.save_session(&session()).await.unwrap();
        store.close().await.unwrap();
        phone
    }

    async fn change(&self, change: KeyChange) -> Result<(), StorageError> {
        change_key(self.file(), change, |_| {}).await
    }

    fn names(&self) -> Vec<String> {
        self.files().iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    /// Whether some file holds the planted word.
    fn tells(&self) -> bool {
        self.files().iter().any(|(_, bytes)| holds(bytes, PLANTED))
    }

    /// Refused, and not a byte of any file is changed.
    async fn refused(&self, options: SqliteOptions) -> StorageError {
        let before = self.files();
        let Err(error) = SqliteStore::open(options).await else { panic!("a file was opened that must be refused") };
        assert!(before == self.files(), "a refused file is left as it was");
        error
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        files.sort();
        files
    }
}

fn key(digit: &str) -> Key {
    format!("{digit}123456789abcdef").repeat(4).parse().unwrap()
}

fn session() -> Session {
    Session {
        person_id: PersonId::from_uuid(Uuid::from_u128(1)),
        email: Some(format!("{PLANTED}@example.test")),
        access_token: AccessToken::new(PLANTED),
        refresh_token: RefreshToken::new(PLANTED),
        expires_at: Time::UNIX_EPOCH,
    }
}

fn holds(file: &[u8], word: &str) -> bool {
    file.windows(word.len()).any(|window| window == word.as_bytes())
}

fn header(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()[..16].to_vec()
}

#[tokio::test]
async fn what_is_written_is_in_no_file_of_the_folder() {
    // Given
    let phone = Phone::new();
    let store = phone.open(key("0")).await;

    // When
    store.save_session(&session()).await.unwrap();

    // Then: in the log, while it is open
    assert!(phone.files().iter().any(|(path, bytes)| path.ends_with("fieldpost.db-wal") && !bytes.is_empty()));
    assert!(phone.files().iter().all(|(_, bytes)| !holds(bytes, PLANTED) && !holds(bytes, "CREATE TABLE")));

    // Then: in the file, once it is closed
    store.close().await.unwrap();
    assert!(phone.files().iter().all(|(_, bytes)| !holds(bytes, PLANTED) && !holds(bytes, "CREATE TABLE")));
    assert_ne!(header(&phone.file()), b"SQLite format 3\0");
    let store = phone.open(key("0")).await;
    assert_eq!(store.session().await.unwrap(), Some(session()));
}

#[tokio::test]
async fn the_same_is_found_in_a_file_without_a_key() {
    let phone = Phone::new();
    let store = SqliteStore::open(phone.options()).await.unwrap();
    store.save_session(&session()).await.unwrap();
    assert!(phone.files().iter().any(|(_, bytes)| holds(bytes, PLANTED)));
}

#[tokio::test]
async fn each_mistake_has_its_own_error_and_changes_nothing() {
    let encrypted = Phone::new();
    encrypted.open(key("0")).await.close().await.unwrap();
    assert_eq!(encrypted.refused(encrypted.options()).await.kind(), StorageErrorKind::KeyMissing);
    let error = encrypted.refused(encrypted.options().key(key("1"))).await;
    assert_eq!(error.kind(), StorageErrorKind::WrongKey);
    assert!(error.detail().unwrap().contains("fieldpost.db"), "{error}");

    let plain = Phone::new();
    SqliteStore::open(plain.options()).await.unwrap().close().await.unwrap();
    assert_eq!(plain.refused(plain.options().key(key("0"))).await.kind(), StorageErrorKind::NotEncrypted);
}

#[tokio::test]
async fn a_mistake_beside_a_log_changes_nothing_either() {
    // Given: a process that was killed
    let (phone, killed) = (Phone::new(), Phone::new());
    let store = phone.open(key("0")).await;
    store.save_session(&session()).await.unwrap();
    for name in ["fieldpost.db", "fieldpost.db-wal"] {
        fs::copy(phone.0.path().join(name), killed.0.path().join(name)).unwrap();
    }

    // Then
    assert_eq!(killed.refused(killed.options()).await.kind(), StorageErrorKind::KeyMissing);
    assert_eq!(killed.refused(killed.options().key(key("1"))).await.kind(), StorageErrorKind::WrongKey);
    assert_eq!(killed.open(key("0")).await.session().await.unwrap(), Some(session()));
}

#[tokio::test]
async fn a_file_whose_log_was_half_moved_into_it_opens_with_its_key_alone() {
    // Given: a process that was killed when it had moved the first page, which tells of all the others
    let (phone, killed) = (Phone::new(), Phone::new());
    let store = phone.open(key("0")).await;
    let before = fs::read(phone.file()).unwrap();
    let many = Session { access_token: AccessToken::new("x".repeat(1_000_000)), ..session() };
    store.save_session(&many).await.unwrap();
    let log = fs::read(phone.0.path().join("fieldpost.db-wal")).unwrap();
    store.close().await.unwrap();
    let after = fs::read(phone.file()).unwrap();
    assert!(after.len() > before.len() + 900_000, "the file has grown");
    fs::write(killed.file(), [&after[..4096], &before[4096..]].concat()).unwrap();
    fs::write(killed.0.path().join("fieldpost.db-wal"), log).unwrap();

    // Then
    assert_eq!(killed.refused(killed.options().key(key("1"))).await.kind(), StorageErrorKind::WrongKey);
    assert_eq!(killed.open(key("0")).await.session().await.unwrap(), Some(many));
}

#[tokio::test]
async fn a_page_that_was_changed_is_damage_and_not_a_wrong_key() {
    // Given
    let phone = Phone::new();
    let store = phone.open(key("0")).await;
    store.save_session(&session()).await.unwrap();
    store.close().await.unwrap();

    // When: one bit of each page but the first
    let mut bytes = fs::read(phone.file()).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[100] ^= 1;
    }
    fs::write(phone.file(), bytes).unwrap();

    // Then
    let error = match SqliteStore::open(phone.options().key(key("0"))).await {
        Err(error) => error,
        Ok(store) => store.session().await.unwrap_err(),
    };
    assert_eq!(error.kind(), StorageErrorKind::Corrupt, "{error}");
}

#[tokio::test]
async fn a_file_for_a_shared_container_shows_its_header_and_nothing_else() {
    // Given
    let phone = Phone::new();
    let shared = |salt| key("0").in_shared_container([salt; 16]);
    let store = phone.open(shared(0xab)).await;
    store.save_session(&session()).await.unwrap();
    store.close().await.unwrap();

    // Then
    assert_eq!(header(&phone.file()), b"SQLite format 3\0", "iOS lets the app live");
    assert!(phone.files().iter().all(|(_, bytes)| !holds(bytes, PLANTED) && !holds(bytes, "CREATE TABLE")));
    assert_eq!(phone.refused(phone.options()).await.kind(), StorageErrorKind::KeyMissing);
    for wrong in [key("0"), shared(0xac), key("1").in_shared_container([0xab; 16])] {
        assert_eq!(phone.refused(phone.options().key(wrong)).await.kind(), StorageErrorKind::WrongKey);
    }
    assert_eq!(phone.open(shared(0xab)).await.session().await.unwrap(), Some(session()));
}

#[tokio::test]
async fn an_empty_file_becomes_an_encrypted_one() {
    let phone = Phone::new();
    fs::write(phone.file(), "").unwrap();
    phone.open(key("0")).await.close().await.unwrap();
    assert_ne!(header(&phone.file()), b"SQLite format 3\0");
}

#[tokio::test]
async fn the_key_is_in_no_debug_text() {
    let phone = Phone::new();
    let store = phone.open(key("0")).await;
    let texts = [format!("{store:?}"), format!("{:?}", phone.options().key(key("0")))];
    assert!(texts.iter().all(|text| !text.contains("0123456789abcdef0123456789abcdef")));
}

#[tokio::test]
async fn a_file_is_encrypted_gets_another_key_and_is_made_plain_again() {
    let phone = Phone::written(None).await;
    let plain = numbers(SqliteStore::open(phone.options()).await.unwrap()).await;

    phone.change(KeyChange::Encrypt(key("0"))).await.unwrap();
    assert!(!phone.tells());
    assert_eq!(numbers(phone.open(key("0")).await).await, plain);

    phone.change(KeyChange::Replace { old: key("0"), new: key("1") }).await.unwrap();
    assert!(!phone.tells());
    assert_eq!(phone.refused(phone.options().key(key("0"))).await.kind(), StorageErrorKind::WrongKey);
    assert_eq!(numbers(phone.open(key("1")).await).await, plain);

    let shared = || key("2").in_shared_container([0xab; 16]);
    phone.change(KeyChange::Replace { old: key("1"), new: shared() }).await.unwrap();
    assert_eq!(header(&phone.file()), b"SQLite format 3\0");
    assert!(!phone.tells());
    assert_eq!(numbers(phone.open(shared()).await).await, plain);

    phone.change(KeyChange::Decrypt(shared())).await.unwrap();
    assert_eq!(numbers(SqliteStore::open(phone.options()).await.unwrap()).await, plain);
    assert!(phone.tells(), "it is plain again");
    assert_eq!(phone.names(), ["fieldpost.db"]);
}

/// What is in a file: its session, its version and its id. Closes it.
async fn numbers(store: SqliteStore) -> (Option<Session>, Option<u32>) {
    let found = (store.session().await.unwrap(), store.inspect().await.unwrap().schema_version);
    store.close().await.unwrap();
    found
}

#[tokio::test]
async fn the_key_of_a_file_that_somebody_has_open_is_not_changed() {
    let phone = Phone::written(None).await;
    let open = SqliteStore::open(phone.options()).await.unwrap();

    let error = phone.change(KeyChange::Encrypt(key("0"))).await.unwrap_err();

    assert_eq!(error.kind(), StorageErrorKind::Busy);
    assert_eq!(open.session().await.unwrap(), Some(session()));
    open.save_session(&session()).await.unwrap();
    open.close().await.unwrap();
    phone.change(KeyChange::Encrypt(key("0"))).await.unwrap();
    assert_eq!(phone.open(key("0")).await.session().await.unwrap(), Some(session()));
}

#[tokio::test]
async fn a_change_of_key_with_a_mistake_changes_nothing() {
    let (plain, encrypted) = (Phone::written(None).await, Phone::written(Some(key("0"))).await);
    let mistakes = [
        (&plain, KeyChange::Decrypt(key("0")), StorageErrorKind::NotEncrypted),
        (&plain, KeyChange::Replace { old: key("0"), new: key("1") }, StorageErrorKind::NotEncrypted),
        (&encrypted, KeyChange::Encrypt(key("1")), StorageErrorKind::KeyMissing),
        (&encrypted, KeyChange::Decrypt(key("1")), StorageErrorKind::WrongKey),
        (&encrypted, KeyChange::Replace { old: key("1"), new: key("2") }, StorageErrorKind::WrongKey),
    ];
    for (phone, change, expected) in mistakes {
        let before = phone.files();
        assert_eq!(phone.change(change).await.unwrap_err().kind(), expected);
        assert!(before == phone.files());
    }
    plain.change(KeyChange::Encrypt(key("0"))).await.unwrap();
    encrypted.change(KeyChange::Replace { old: key("0"), new: key("1") }).await.unwrap();
    for (phone, key) in [(&plain, key("0")), (&encrypted, key("1"))] {
        assert_eq!(phone.open(key).await.session().await.unwrap(), Some(session()), "no mistake is in the way later");
    }
    let nowhere = Phone::new();
    let error = nowhere.change(KeyChange::Encrypt(key("0"))).await.unwrap_err();
    assert_eq!((error.kind(), nowhere.names()), (StorageErrorKind::CannotOpen, vec![]));
}

#[tokio::test]
async fn what_a_killed_change_of_key_left_goes_away() {
    // Given: one that was killed while it wrote
    let phone = Phone::written(Some(key("0"))).await;
    let left = phone.0.path().join("fieldpost.db-converting");
    fs::write(&left, PLANTED).unwrap();

    // Then
    phone.open(key("0")).await.close().await.unwrap();
    assert!(!left.exists(), "whoever opens the file removes it");
    fs::write(&left, PLANTED).unwrap();
    phone.change(KeyChange::Replace { old: key("0"), new: key("1") }).await.unwrap();
    assert!(!left.exists(), "and so does the next change");
}

#[tokio::test]
async fn a_file_that_was_left_with_a_log_is_encrypted_with_what_is_in_it() {
    // Given: a killed process
    let (phone, killed) = (Phone::new(), Phone::new());
    let store = SqliteStore::open(phone.options()).await.unwrap();
    store.save_session(&session()).await.unwrap();
    for name in ["fieldpost.db", "fieldpost.db-wal"] {
        fs::copy(phone.0.path().join(name), killed.0.path().join(name)).unwrap();
    }

    // When
    killed.change(KeyChange::Encrypt(key("0"))).await.unwrap();

    // Then
    assert!(!killed.tells());
    assert_eq!(killed.open(key("0")).await.session().await.unwrap(), Some(session()));
}

#[tokio::test]
async fn the_progress_of_a_change_of_key_is_told() {
    let phone = Phone::written(None).await;
    let told = std::sync::Mutex::new(Vec::new());
    change_key(phone.file(), KeyChange::Encrypt(key("0")), |progress| told.lock().unwrap().push(progress))
        .await
        .unwrap();
    let told = told.into_inner().unwrap();
    let KeyProgress { written, total } = told[0];
    assert!(written <= total && total > 100_000, "{told:?}");
}

#[tokio::test]
async fn a_plain_file_is_overwritten_once_it_has_lost_its_name() {
    let phone = Phone::written(None).await;
    let second = phone.0.path().join("second name");
    fs::hard_link(phone.file(), &second).unwrap();

    phone.change(KeyChange::Encrypt(key("0"))).await.unwrap();

    assert!(fs::read(&second).unwrap().iter().all(|byte| *byte == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_opens_a_file_while_its_key_is_changed_finds_it_whole_or_is_told_to_wait() {
    // Given
    let phone = Phone::written(Some(key("0"))).await;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let finished = || stop.load(std::sync::atomic::Ordering::Relaxed);
    let let_in = tokio::sync::Notify::new();
    let opening = async {
        let mut opened = 0;
        while !finished() {
            for key in [key("0"), key("1")] {
                let options = phone.options().key(key).busy_timeout(std::time::Duration::from_millis(20));
                match SqliteStore::open(options).await {
                    Ok(store) => {
                        assert_eq!(store.session().await.unwrap(), Some(session()));
                        store.close().await.unwrap();
                        opened += 1;
                        let_in.notify_one();
                    }
                    Err(error) => {
                        assert!(
                            matches!(error.kind(), StorageErrorKind::Busy | StorageErrorKind::WrongKey),
                            "{error:?}"
                        )
                    }
                }
                tokio::task::yield_now().await;
            }
        }
        opened
    };

    // When: it goes to and fro
    let changing = async {
        let (mut keys, mut changed) = ((key("0"), key("1")), 0);
        while changed < 20 {
            match phone.change(KeyChange::Replace { old: keys.0.clone(), new: keys.1.clone() }).await {
                Ok(()) => {
                    keys = (keys.1, keys.0);
                    changed += 1;
                    if changed % 5 == 0 {
                        let_in.notified().await;
                    }
                }
                Err(error) => assert_eq!(error.kind(), StorageErrorKind::Busy, "{error}"),
            }
            tokio::task::yield_now().await;
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let (opened, ()) = tokio::join!(opening, changing);

    // Then
    assert!(opened > 0);
    assert_eq!(phone.open(key("0")).await.session().await.unwrap(), Some(session()));
}

#[tokio::test]
async fn only_the_writer_moves_the_log_into_the_file() {
    // Given: a log
    let phone = Phone::new();
    let writing = phone.open(key("0")).await;
    writing.save_session(&session()).await.unwrap();
    let before = fs::read(phone.file()).unwrap();

    // When: others read, and one of them closes
    for _ in 0..20 {
        let reading = phone.open(key("0")).await;
        assert_eq!(reading.session().await.unwrap(), Some(session()));
        assert!(reading.inspect().await.unwrap().faults.is_empty());
        reading.close().await.unwrap();
    }

    // Then
    assert!(before == fs::read(phone.file()).unwrap());
}

#[tokio::test]
async fn the_log_of_a_device_that_is_never_online_stays_short() {
    let phone = Phone::new();
    let store = phone.open(key("0")).await;
    let mut longest = 0;
    for number in 0..2_000 {
        let access_token = AccessToken::new(format!("{PLANTED} {number}"));
        store.save_session(&Session { access_token, ..session() }).await.unwrap();
        longest = longest.max(fs::metadata(phone.0.path().join("fieldpost.db-wal")).unwrap().len());
    }
    // About 500 writes of a page or two each; all of them are 8 MB and more.
    assert!((1 << 20..5 << 20).contains(&longest), "{longest}");
}
