//! Opening files: new ones, upgraded ones, and those that must be refused untouched.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step of a test that fails has to fail the test")]

use fieldpost_domain::{
    AccessToken, BootstrapPage, Changes, Conversation, ConversationDigest, ConversationId, ConversationKind, Cursor,
    Extra, Intent, MedicId, Message, MessageId, MessageKind, MessageStatus, MutationKind, OrgId, Person, PersonId,
    RefreshToken, Role, Seq, ServerLimits, Session, Time, Version,
};
use fieldpost_storage::{
    BatchLimits, BootstrapReason, Conversations, EntryState, Messages, NotPossible, Older, Outbox, Replica, Search,
    SearchQuery, Sessions, StorageError, StorageErrorKind, Store, SyncMemory, SyncPosition, Window,
};
use fieldpost_storage_sqlite::{SqliteOptions, SqliteStore};
use sea_orm::{ConnectionTrait, TransactionTrait};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use uuid::Uuid;

const ALL: BatchLimits = BatchLimits { rows: 500, bytes: 1 << 20 };

/// What a version after this one writes.
const NEWER: u32 = fieldpost_migrations::SCHEMA_VERSION + 1;

struct Phone(TempDir);

impl Phone {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("fieldpost.db")
    }

    /// With a file of the old app on it.
    fn with_fixture(name: &str) -> Self {
        let phone = Self::new();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/fixtures");
        fs::copy(fixtures.join(name), phone.file()).unwrap();
        phone
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.file()).await.unwrap()
    }

    #[cfg(not(feature = "encryption"))]
    fn names(&self) -> Vec<std::ffi::OsString> {
        fs::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().file_name()).collect()
    }

    async fn refused(&self) -> StorageError {
        match SqliteStore::open(self.file()).await {
            Ok(_) => panic!("a file was opened that must be refused"),
            Err(error) => error,
        }
    }
}

fn fixture_uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 + number)
}

fn direct() -> ConversationId {
    ConversationId::from_uuid(fixture_uuid(0xc1))
}

fn session(person: u128) -> Session {
    Session {
        person_id: PersonId::from_uuid(fixture_uuid(person)),
        email: None,
        access_token: AccessToken::new("a"),
        refresh_token: RefreshToken::new("r"),
        expires_at: Time::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn a_new_file_is_private_to_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let phone = Phone::new();
    let store = phone.open().await;
    store.remember(&SyncMemory::default(), Some(Time::UNIX_EPOCH)).await.unwrap();
    for entry in fs::read_dir(phone.0.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    assert!(phone.file().with_extension("db-wal").exists());
    store.close().await.unwrap();
}

#[tokio::test]
async fn closing_releases_the_file_and_twice_is_allowed() {
    let phone = Phone::new();
    let store = phone.open().await;
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(!phone.file().with_extension("db-wal").exists());
    assert_eq!(store.counts().await.unwrap_err().kind(), StorageErrorKind::Closed);
    assert_eq!(store.clear_session().await.unwrap_err().kind(), StorageErrorKind::Closed);
    phone.open().await.close().await.unwrap();
}

#[tokio::test]
async fn threads_of_an_upgraded_file_can_be_read_offline() {
    let phone = Phone::with_fixture("v5.db");
    let store = phone.open().await;
    let summary = store.conversation(direct()).await.unwrap().unwrap();
    assert_eq!((summary.participant_name.as_str(), summary.unread, summary.on_server), ("Ada Moss", 2, true));
    let window = store.messages(direct(), Window::newest(50)).await.unwrap();
    let texts: Vec<_> = window.messages.iter().map(|message| message.content.clone().unwrap_or_default()).collect();
    let long = "x".repeat(5001);
    assert_eq!(texts, ["Erste", "", "arrived", "Zweite 🩹", "on my way", "trimmed", "third", "", long.as_str()]);
    assert!(matches!(window.older, Older::OnServer(_)));
    assert_eq!(window.messages[0].sender_name, "Ada Moss");
    assert_eq!(window.messages[3].status, MessageStatus::Delivered);
    assert_eq!(window.messages[4].status, MessageStatus::Queued);
    assert_eq!(store.messages(direct(), Window::newest(2)).await.unwrap().messages.len(), 2 + 5);
}

#[tokio::test]
async fn what_the_old_app_had_queued_is_sent_opens_first() {
    let phone = Phone::with_fixture("v5.db");
    let store = phone.open().await;
    let batch = store.next_batch(ALL, &HashSet::new()).await.unwrap();
    let kinds: Vec<_> = batch.iter().map(|mutation| mutation.intent.kind()).collect();
    let send = MutationKind::SendMessage;
    assert_eq!(kinds[..3], [MutationKind::OpenDirect, MutationKind::OpenBroadcast, MutationKind::OpenDirect]);
    assert_eq!(kinds[3..], [send.clone(), send.clone(), send.clone(), send.clone(), send]);
    let Intent::SendMessage(message) = &batch[3].intent else { panic!("no message") };
    assert_eq!(message.id, MessageId::from_uuid(fixture_uuid(0xb1)));
    assert_eq!(message.conversation_id, direct());
    // The message of the conversation that was opened offline is in the lane of that open.
    let Intent::SendMessage(in_local) = &batch[6].intent else { panic!("no message") };
    assert_eq!(in_local.conversation_id, batch[0].intent.lane());
}

#[tokio::test]
async fn dead_letters_of_the_upgrade_can_be_seen_with_their_text() {
    let phone = Phone::with_fixture("v5.db");
    let store = phone.open().await;
    assert_eq!(store.counts().await.unwrap().failed, 3);
    let entries = store.entries(100).await.unwrap();
    let unplaced =
        entries.iter().find(|entry| entry.message_id == Some(MessageId::from_uuid(fixture_uuid(0xb8)))).unwrap();
    assert_eq!(unplaced.content.as_deref(), Some("written into a deleted one"));
    let long = entries.iter().find(|entry| entry.message_id == Some(MessageId::from_uuid(fixture_uuid(0xb7)))).unwrap();
    assert_eq!(long.content.as_ref().map(String::len), Some(5001));
    assert!(store.message(MessageId::from_uuid(fixture_uuid(0xb8))).await.unwrap().unwrap().failure.is_some());
}

#[tokio::test]
async fn what_another_person_had_queued_is_not_sent_in_the_owners_name() {
    let phone = Phone::with_fixture("v5.db");
    let store = phone.open().await;
    store.save_session(&session(0x201)).await.unwrap();
    let batch = store.next_batch(ALL, &HashSet::new()).await.unwrap();
    let owners = |intent: &Intent| match intent {
        Intent::SendMessage(message) => message.sender_id == session(0x201).person_id,
        _ => true,
    };
    assert!(batch.iter().all(|mutation| owners(&mutation.intent)));
    let entries = store.entries(100).await.unwrap();
    let kept = entries.iter().find(|entry| entry.content.as_deref() == Some("from another person")).unwrap();
    assert!(matches!(&kept.state, EntryState::Failed(_)));
    let text = fieldpost_domain::MessageContent::new("in another name").unwrap();
    let retried = store.retry(kept.mutation_id, Time::UNIX_EPOCH).await.unwrap_err();
    assert_eq!(retried.kind(), StorageErrorKind::NotApplicable(NotPossible::AnotherPersons));
    let edited = store.edit(kept.mutation_id, text, Time::UNIX_EPOCH).await.unwrap_err();
    assert_eq!(edited.kind(), StorageErrorKind::OutcomeUnknown, "the old app may have sent it");
}

#[tokio::test]
async fn the_first_bootstrap_places_upgraded_messages_and_keeps_what_is_queued() {
    let phone = Phone::with_fixture("v5.db");
    let store = phone.open().await;
    store.save_session(&session(0x201)).await.unwrap();
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let report = store.apply_bootstrap(None, bootstrap()).await.unwrap();
    assert_eq!(report.digest_matches, Some(true));
    assert_eq!(report.new_messages, 0, "the message was here before");
    let window = store.messages(direct(), Window::newest(50)).await.unwrap();
    assert_eq!(window.older, Older::OnServer(Seq::new(8)));
    let seqs: Vec<_> = window.messages.iter().map(|message| message.seq.map(Seq::get)).collect();
    assert_eq!(seqs, [Some(8), None, None, None, None, None]);
    assert_eq!(store.conversation(direct()).await.unwrap().unwrap().participant_name, "Ada Moss");
    assert!(matches!(store.sync_state().await.unwrap().position, SyncPosition::Following(_)));
}

#[tokio::test]
async fn what_was_read_in_the_old_app_stays_read_and_the_server_is_told() {
    let phone = Phone::with_fixture("v5.db");
    let store = phone.open().await;
    store.save_session(&session(0x201)).await.unwrap();
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    // The old app had read the first of two messages without a network. The server knows of no marker.
    let mut page = bootstrap();
    let read =
        Message { id: MessageId::from_uuid(fixture_uuid(0xa1)), seq: Seq::new(7), ..page.changes.messages[0].clone() };
    page.changes.messages.insert(0, read);
    page.changes.conversations[0].unread = 2;

    let report = store.apply_bootstrap(None, page).await.unwrap();

    assert_eq!(report.marked_again, 1);
    assert_eq!(store.conversation(direct()).await.unwrap().unwrap().unread, 1);
    let batch = store.next_batch(ALL, &HashSet::new()).await.unwrap();
    let mark = |intent: &Intent| match intent {
        Intent::MarkRead(mark) => Some((mark.conversation_id, mark.read_seq)),
        _ => None,
    };
    let marks: Vec<_> = batch.iter().filter_map(|mutation| mark(&mutation.intent)).collect();
    assert_eq!(marks, [(direct(), Seq::new(7))]);
}

fn bootstrap() -> BootstrapPage {
    let message = Message {
        id: MessageId::from_uuid(fixture_uuid(0xa2)),
        conversation_id: direct(),
        sender_id: PersonId::from_uuid(fixture_uuid(0x202)),
        kind: MessageKind::Text,
        content: Some("Zweite 🩹".to_owned()),
        metadata: None,
        reply_to: None,
        mentions: fieldpost_domain::Mentions::new(),
        status: MessageStatus::Sent,
        seq: Seq::new(8),
        composed_at: None,
        created_at: Time::UNIX_EPOCH,
        updated_at: Time::UNIX_EPOCH,
        edited_at: None,
        deleted_at: None,
        omitted: None,
        version: Version::ZERO,
        extra: Extra::new(),
    };
    let conversation = Conversation {
        id: direct(),
        org_id: OrgId::from_uuid(fixture_uuid(0x100)),
        kind: ConversationKind::Direct,
        subject: None,
        medic_id: Some(MedicId::from_uuid(fixture_uuid(0x302))),
        medic_name: Some("Ada Moss".to_owned()),
        created_by: PersonId::from_uuid(fixture_uuid(0x201)),
        created_at: Time::UNIX_EPOCH,
        updated_at: Time::UNIX_EPOCH,
        last_seq: Seq::new(8),
        last_message_at: None,
        last_message_preview: None,
        unread: 1,
        unread_mentions: 0,
        omitted: None,
        version: Version::ZERO,
        extra: Extra::new(),
    };
    let me = Person {
        id: PersonId::from_uuid(fixture_uuid(0x201)),
        org_id: OrgId::from_uuid(fixture_uuid(0x100)),
        role: Role::OrgAdmin,
        first_name: "Kim".to_owned(),
        last_name: "Roe".to_owned(),
        medic_id: None,
        removed: false,
        version: Version::new(1),
        extra: Extra::new(),
    };
    BootstrapPage {
        transfer: fieldpost_domain::Transfer::default(),
        me: Some(me),
        total_conversations: 1,
        digest: Some(ConversationDigest::of([direct()])),
        changes: Changes { conversations: vec![conversation], messages: vec![message], ..Changes::default() },
        cursor: Cursor::new("c1").unwrap(),
        next_after: None,
        epoch: None,
        server_time: Time::UNIX_EPOCH,
        limits: ServerLimits::default(),
        server: fieldpost_domain::ServerInfo::default(),
    }
}

#[tokio::test]
async fn a_v4_file_has_no_messages_and_works() {
    let phone = Phone::with_fixture("v4.db");
    let store = phone.open().await;
    assert!(store.conversations(10).await.unwrap().is_empty());
    assert_eq!(store.sync_state().await.unwrap().position, SyncPosition::Fresh);
}

/// Every byte of every file in the folder.
fn bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_newer_file_is_refused_untouched() {
    let phone = Phone::new();
    phone.open().await.close().await.unwrap();
    let mut file = fs::read(phone.file()).unwrap();
    // The header of a SQLite file has user_version at offset 60, big-endian.
    file[60..64].copy_from_slice(&NEWER.to_be_bytes());
    fs::write(phone.file(), file).unwrap();
    let before = fs::read(phone.file()).unwrap();
    let error = phone.refused().await;
    assert_eq!(error.kind(), StorageErrorKind::NewerSchema);
    assert!(error.detail().unwrap().contains(&format!("version {NEWER}")));
    assert_eq!(fs::read(phone.file()).unwrap(), before);
}

#[tokio::test]
async fn what_is_no_database_is_refused_untouched() {
    for content in [
        "hello, I am a text file".repeat(100),
        "SQLite format 3\0 but then nothing of the sort".repeat(100),
        "x".to_owned(),
    ] {
        let phone = Phone::new();
        fs::write(phone.file(), content).unwrap();
        let before = bytes(phone.0.path());
        let error = phone.refused().await;
        assert_eq!(error.kind(), StorageErrorKind::NotADatabase, "{error}");
        assert_eq!(bytes(phone.0.path()), before);
    }
}

#[tokio::test]
async fn a_database_of_something_else_is_refused_untouched() {
    let phone = Phone::with_fixture("v4.db");
    let mut file = fs::read(phone.file()).unwrap();
    file[60..64].copy_from_slice(&3_u32.to_be_bytes());
    fs::write(phone.file(), file).unwrap();
    let before = bytes(phone.0.path());
    assert_eq!(phone.refused().await.kind(), StorageErrorKind::NotADatabase);
    assert_eq!(bytes(phone.0.path()), before);
}

#[tokio::test]
async fn a_missing_folder_says_where() {
    let phone = Phone::new();
    let path = phone.0.path().join("no/such/folder/fieldpost.db");
    let error = SqliteStore::open(path.clone()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::CannotOpen);
    assert!(error.detail().unwrap().contains("no/such/folder"));
    assert_eq!(SqliteStore::open(phone.0.path()).await.unwrap_err().kind(), StorageErrorKind::NotADatabase);
}

/// What a process leaves that is killed in the middle of a transaction: pages that are written already, and the journal that
/// tells what stood there before.
async fn killed_with_a_journal(from: &Path, to: &Path, sql: &str) {
    let mut options = sea_orm::ConnectOptions::new(format!("sqlite://{}", from.display()));
    options.max_connections(1).sqlx_logging(false);
    let db = sea_orm::Database::connect(options).await.unwrap();
    // With so small a cache SQLite has to write before the commit.
    db.execute_unprepared("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2;").await.unwrap();
    let before = fs::read(from).unwrap();
    let transaction = db.begin().await.unwrap();
    transaction.execute_unprepared(sql).await.unwrap();
    for ending in ["", "-journal"] {
        let named = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        fs::copy(named(from), named(to)).unwrap();
    }
    transaction.rollback().await.unwrap();
    assert_ne!(fs::read(to).unwrap(), before, "half of it was written");
}

const HALF: &str = "
UPDATE messages SET content = 'half';
WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 200)
INSERT INTO local_storage (key, value) SELECT 'half-' || n, hex(randomblob(500)) FROM many;";

#[tokio::test]
async fn a_file_that_was_cut_off_in_a_transaction_is_taken_back_and_opened() {
    let (scratch, phone) = (Phone::with_fixture("v5.db"), Phone::new());
    killed_with_a_journal(&scratch.file(), &phone.file(), HALF).await;
    let store = phone.open().await;
    let window = store.messages(direct(), Window::newest(50)).await.unwrap();
    assert_eq!(window.messages[0].content.as_deref(), Some("Erste"));
    assert!(window.messages.iter().all(|message| message.content.as_deref() != Some("half")));
}

#[tokio::test]
async fn a_newer_file_that_was_cut_off_is_refused_all_the_same() {
    let (scratch, phone) = (Phone::with_fixture("v5.db"), Phone::new());
    let db = sea_orm::Database::connect(format!("sqlite://{}", scratch.file().display())).await.unwrap();
    db.execute_unprepared(&format!("PRAGMA journal_mode = DELETE; PRAGMA user_version = {NEWER}")).await.unwrap();
    db.close().await.unwrap();
    killed_with_a_journal(&scratch.file(), &phone.file(), HALF).await;
    assert_eq!(phone.refused().await.kind(), StorageErrorKind::NewerSchema);
    // Nothing but what was cut off was taken back.
    assert_eq!(fs::read(phone.file()).unwrap(), fs::read(scratch.file()).unwrap());
}

#[tokio::test]
async fn a_file_that_two_open_at_once_is_upgraded_once() {
    let phone = Phone::with_fixture("v5.db");
    let (one, two) = tokio::join!(SqliteStore::open(phone.file()), SqliteStore::open(phone.file()));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.entries(100).await.unwrap(), two.entries(100).await.unwrap());
    assert_eq!(one.counts().await.unwrap().pending, 8);
}

#[tokio::test]
async fn a_full_disk_says_so_and_nothing_that_was_accepted_is_lost() {
    let phone = Phone::with_fixture("v5.db");
    let store = phone.open().await;
    store.claim(session(0x201).person_id).await.unwrap();
    store.close().await.unwrap();
    let pages = u32::try_from(fs::metadata(phone.file()).unwrap().len() / 4096).unwrap();
    let store = SqliteStore::open(SqliteOptions::new(phone.file()).max_pages(pages + 4)).await.unwrap();
    let before = store.entries(1000).await.unwrap();
    let mut sent = 0;
    let error = loop {
        match send(&store, sent).await {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), StorageErrorKind::Full);
    assert!(error.detail().unwrap().contains("fieldpost.db"));
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(store.entries(1000).await.unwrap().len(), before.len() + sent as usize);
    store.close().await.unwrap();
    let store = phone.open().await;
    assert_eq!(store.entries(1000).await.unwrap().len(), before.len() + sent as usize);
    send(&store, sent).await.unwrap();
}

async fn send(store: &SqliteStore, number: u32) -> Result<(), StorageError> {
    let message = fieldpost_domain::NewMessage {
        id: MessageId::from_uuid(Uuid::from_u128(u128::from(number) + 1)),
        conversation_id: direct(),
        sender_id: session(0x201).person_id,
        kind: MessageKind::Text,
        content: fieldpost_domain::MessageContent::new(&"words ".repeat(500)).unwrap(),
        metadata: None,
        reply_to: None,
        mentions: fieldpost_domain::Mentions::new(),
        composed_at: Time::UNIX_EPOCH,
    };
    let mutation = fieldpost_domain::MutationId::from_uuid(Uuid::from_u128(u128::from(number) + 1));
    store.send(mutation, message.into()).await.map(drop)
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy() {
    let phone = Phone::with_fixture("v5.db");
    let options = || SqliteOptions::new(phone.file()).busy_timeout(std::time::Duration::from_millis(20));
    let store = SqliteStore::open(options()).await.unwrap();
    store.claim(session(0x201).person_id).await.unwrap();
    // Another connection is to SQLite what another process is.
    let other = sea_orm::Database::connect(format!("sqlite://{}", phone.file().display())).await.unwrap();
    let options = sea_orm::TransactionOptions {
        sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let held = other.begin_with_options(options).await.unwrap();
    let error = send(&store, 0).await.unwrap_err();
    held.rollback().await.unwrap();
    assert_eq!(error.kind(), StorageErrorKind::Busy);
    assert!(matches!(error.retry(), fieldpost_domain::Retry::After(_)));
    send(&store, 0).await.unwrap();
}

#[tokio::test]
async fn a_damaged_file_says_so() {
    let phone = Phone::with_fixture("v5.db");
    phone.open().await.close().await.unwrap();
    let mut file = fs::read(phone.file()).unwrap();
    // Everything after the first page, which holds the header and the list of tables.
    file[8192..].fill(0xa5);
    fs::write(phone.file(), file).unwrap();
    let kind = match SqliteStore::open(phone.file()).await {
        Ok(store) => store.conversations(10).await.unwrap_err().kind(),
        Err(error) => error.kind(),
    };
    assert_eq!(kind, StorageErrorKind::Corrupt);
}

#[tokio::test]
async fn the_messages_of_an_upgraded_file_are_found() {
    let phone = Phone::with_fixture("v5.db");
    let store = phone.open().await;
    let found = store.search(&SearchQuery::typed("ZWEITE \u{1fa79}").unwrap()).await.unwrap();
    assert_eq!((found.hits.len(), found.unindexed), (1, 0));
}

#[cfg(not(feature = "encryption"))]
#[tokio::test]
async fn a_build_that_cannot_encrypt_refuses_a_key_and_writes_nothing() {
    let phone = Phone::new();
    let key: fieldpost_domain::Key = "0123456789abcdef".repeat(4).parse().unwrap();

    let error = SqliteStore::open(SqliteOptions::new(phone.file()).key(key)).await.err().unwrap();

    assert_eq!(error.kind(), StorageErrorKind::NoEncryption);
    assert_eq!(fs::metadata(phone.file()).unwrap().len(), 0);
    assert_eq!(phone.names(), ["fieldpost.db"]);
}

#[cfg(not(feature = "encryption"))]
#[tokio::test]
async fn a_build_that_cannot_encrypt_leaves_a_plain_file_as_it_is() {
    use fieldpost_storage_sqlite::{KeyChange, change_key};
    let phone = Phone::new();
    phone.open().await.close().await.unwrap();
    let before = fs::read(phone.file()).unwrap();
    let key: fieldpost_domain::Key = "0123456789abcdef".repeat(4).parse().unwrap();

    let error = change_key(phone.file(), KeyChange::Encrypt(key), |_| {}).await.unwrap_err();

    assert_eq!(error.kind(), StorageErrorKind::NoEncryption);
    assert!(before == fs::read(phone.file()).unwrap());
    assert_eq!(phone.names(), ["fieldpost.db"]);
}

/// Whether this process, or one that it cannot name, has a lock on the file itself. Without one it is invisible for others: whoever
/// closes the file as the last one takes the log away.
#[cfg(target_os = "linux")]
fn is_locked(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let inode = format!(":{}", fs::metadata(file).unwrap().ino());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|lock| lock.contains("POSIX") && lock.split_whitespace().any(|word| word.ends_with(&inode)))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_open_file_stays_locked_whatever_else_this_process_does_with_it() {
    use fieldpost_storage_sqlite::{KeyChange, change_key};
    // Given
    let key = || "0123456789abcdef".repeat(4).parse::<fieldpost_domain::Key>().unwrap();
    for key_of_file in [None, cfg!(feature = "encryption").then(key)] {
        let phone = Phone::new();
        let options = || match &key_of_file {
            Some(key) => SqliteOptions::new(phone.file()).key(key.clone()),
            None => SqliteOptions::new(phone.file()),
        };
        for _ in 0..2 {
            let first = SqliteStore::open(options()).await.unwrap();
            first.save_session(&session(1)).await.unwrap();
            assert!(is_locked(&phone.file()));

            // When: a second client comes and goes, and somebody tries what cannot be
            SqliteStore::open(options()).await.unwrap().close().await.unwrap();
            assert!(is_locked(&phone.file()));
            let change = KeyChange::Encrypt(key());
            assert_eq!(change_key(phone.file(), change, |_| {}).await.unwrap_err().kind(), StorageErrorKind::Busy);
            assert!(is_locked(&phone.file()));

            // Then: everything is let go of at the end
            first.close().await.unwrap();
            assert!(!is_locked(&phone.file()));
        }
    }
}
