//! What the store survives: a process that ends in the middle of a write, a caller that gives up, a folder that turned
//! read-only, and entries of the outbox that another version has written.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

use fieldpost_domain::{
    Access, AccessChange, BootstrapPage, Changes, Message, MessageContent, MutationId, NewMessage, PullPage,
    RefusalCode, Time, UnreadableRow, Version,
};
use fieldpost_storage::{
    BatchLimits, BootstrapReason, Conversations, EntryState, Messages, NewDirect, Outbox, People, Replica, Search,
    Sessions, StorageErrorKind, Store, SyncPosition, Window,
    conformance::{build, given},
};
use fieldpost_storage_sqlite::{SqliteOptions, SqliteStore};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use std::{
    collections::HashSet,
    env, fs,
    future::poll_fn,
    path::{Path, PathBuf},
    pin::pin,
    process::Command,
    task::Poll,
    time::Duration,
};
use uuid::Uuid;

const ALL: BatchLimits = BatchLimits { rows: 500, bytes: 1 << 20 };

async fn raw(path: &Path) -> DatabaseConnection {
    Database::connect(format!("sqlite://{}", path.display())).await.unwrap()
}

/// Set in the process that is to be killed: the file it writes to.
const WRITE_TO: &str = "FIELDPOST_TEST_WRITE_TO";

fn path_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("fieldpost.db")
}

/// Sends messages, by itself a few; as the other half of the test below until somebody kills it.
#[tokio::test]
async fn each_send_adds_a_message_and_its_mutation() {
    let folder = tempfile::tempdir().unwrap();
    let (path, count) = match env::var_os(WRITE_TO) {
        Some(path) => (PathBuf::from(path), u64::MAX),
        None => (path_in(&folder), 5),
    };
    let store = SqliteStore::open(path).await.unwrap();
    let conversation = open(&store).await;
    for number in 1..=count {
        store.send(build::mutation_id(number), build::composed(number, conversation).into()).await.unwrap();
        assert_eq!(store.counts().await.unwrap().pending, number + 1);
    }
}

async fn open(store: &SqliteStore) -> fieldpost_domain::ConversationId {
    given::loaded(store, Changes::default()).await;
    let new = NewDirect { id: build::conversation_id(1), medic_id: build::medic_id(1), at: Time::UNIX_EPOCH };
    store.open_direct(MutationId::from_uuid(Uuid::from_u128(7)), new).await.unwrap().id
}

#[tokio::test]
async fn a_process_killed_in_the_middle_leaves_whole_messages() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    // Creating the file writes more than many sends do; that is done before.
    let store = SqliteStore::open(path.clone()).await.unwrap();
    open(&store).await;
    store.close().await.unwrap();
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["each_send_adds_a_message_and_its_mutation", "--exact"])
        .env(WRITE_TO, &path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !fs::metadata(path.with_extension("db-wal")).is_ok_and(|wal| wal.len() > 400_000) {
        assert!(writer.try_wait().unwrap().is_none(), "the writer ended by itself");
        tokio::task::yield_now().await;
    }
    writer.kill().unwrap();
    writer.wait().unwrap();

    let store = SqliteStore::open(path).await.unwrap();
    let pending = store.counts().await.unwrap().pending;
    assert!(pending > 1);
    let thread = store.messages(build::conversation_id(1), Window::newest(10)).await.unwrap();
    // The open and a mutation for each message: neither without the other.
    assert_eq!(thread.messages.len() as u64 + 1, pending);
    let newest = store.conversation(build::conversation_id(1)).await.unwrap().unwrap();
    assert_eq!(newest.last_message_preview, thread.messages.last().unwrap().content);
}

#[tokio::test]
async fn a_caller_that_gives_up_anywhere_leaves_a_whole_state() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path_in(&folder)).await.unwrap();
    let conversation = open(&store).await;
    for number in 1..200 {
        let send = store.send(build::mutation_id(number), build::composed(number, conversation).into());
        // Dropped after as many turns as the number says, at whatever await it stands.
        let _ = tokio::time::timeout(Duration::from_micros(number * 10), send).await;
        let pending = store.counts().await.unwrap().pending;
        let shown = store.messages(conversation, Window::newest(10)).await.unwrap().messages.len() as u64;
        // A commit may come between the two reads; after both it has come to rest.
        if shown + 1 != pending {
            let pending = store.counts().await.unwrap().pending;
            assert_eq!(shown + 1, pending);
        }
    }
    store.send(build::mutation_id(500), build::composed(500, conversation).into()).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_gives_up_anywhere_leaves_the_file_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path_in(&folder)).await.unwrap();
    let other = SqliteStore::open(path_in(&folder)).await.unwrap();
    let conversation = open(&store).await;
    for turns in 1..40 {
        let send = store.send(build::mutation_id(turns), build::composed(turns, conversation).into());
        give_up_after(turns, send).await;
        other.clear_session().await.unwrap();
    }
    store.send(build::mutation_id(500), build::composed(500, conversation).into()).await.unwrap();
}

#[tokio::test]
async fn a_reader_that_gives_up_anywhere_leaves_no_old_state_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(path_in(&folder)).readers(1)).await.unwrap();
    let other = SqliteStore::open(path_in(&folder)).await.unwrap();
    let conversation = open(&other).await;
    for turns in 1..40 {
        give_up_after(turns, store.inspect()).await;
        give_up_after(turns, store.conversations(10)).await;
        other.send(build::mutation_id(turns), build::composed(turns, conversation).into()).await.unwrap();
        assert_eq!(store.counts().await.unwrap().pending, turns + 1);
    }
}

/// Drops a future that was polled so often, unless it was ready before.
async fn give_up_after<T>(mut turns: u64, future: impl Future<Output = T>) {
    let mut future = pin!(future);
    poll_fn(|context| {
        turns -= 1;
        if turns == 0 { Poll::Ready(()) } else { future.as_mut().poll(context).map(drop) }
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    SqliteStore::open(path.clone()).await.unwrap().close().await.unwrap();
    // To root every file is writable; a "write version" that SQLite does not know makes one read-only for everybody.
    let mut file = fs::read(&path).unwrap();
    file[18] = 3;
    fs::write(&path, file).unwrap();
    let kind = match SqliteStore::open(path).await {
        Ok(store) => store.clear_session().await.unwrap_err().kind(),
        Err(error) => error.kind(),
    };
    assert_eq!(kind, StorageErrorKind::ReadOnly);
}

#[tokio::test]
async fn a_mutation_of_an_unknown_kind_is_kept_shown_and_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(path.clone()).await.unwrap();
    open(&store).await;
    store.close().await.unwrap();
    let newer = raw(&path).await;
    newer
        .execute_unprepared(
            "INSERT INTO outbox (id, kind, conversation_id, payload, wire_size, recorded_at) \
             SELECT randomblob(16), value ->> 0, conversation_id, value ->> 1, 600, 0 FROM outbox, json_each( \
             '[[\"wave\", {\"content\": \"thumbs up\"}], [\"send_message\", {\"content\": \"\"}]]')",
        )
        .await
        .unwrap();
    newer.close().await.unwrap();

    let store = SqliteStore::open(path.clone()).await.unwrap();
    assert_eq!(store.next_batch(ALL, &HashSet::new()).await.unwrap().len(), 1);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (1, 2));
    let entries = store.entries(10).await.unwrap();
    let expected = [
        ("wave", Some("thumbs up"), "this version does not know what kind of change this is"),
        ("send_message", None, "what was recorded cannot be read"),
    ];
    for (entry, (kind, content, why)) in entries[1..].iter().zip(expected) {
        assert_eq!((entry.kind.as_str(), entry.content.as_deref()), (kind, content));
        let EntryState::Failed(refusal) = &entry.state else { panic!("not a dead letter") };
        assert_eq!((&refusal.code, refusal.detail.as_deref()), (&RefusalCode::Unreadable, Some(why)));
    }
    store.close().await.unwrap();

    // A version that knows the kind takes it up again.
    let later = raw(&path).await;
    later
        .execute_unprepared("UPDATE outbox SET kind = 'mark_read', payload = '{\"read_seq\":1}' WHERE kind = 'wave'")
        .await
        .unwrap();
    later.close().await.unwrap();
    let store = SqliteStore::open(path).await.unwrap();
    assert_eq!(store.counts().await.unwrap().failed, 1);
    assert_eq!(store.next_batch(ALL, &HashSet::new()).await.unwrap().len(), 2);
}

/// Until the file is opened again, that is; then it becomes a dead letter.
#[tokio::test]
async fn what_another_version_queues_meanwhile_holds_up_nothing_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(path.clone()).await.unwrap();
    let conversation = open(&store).await;
    let newer = raw(&path).await;
    newer.execute_unprepared("UPDATE outbox SET kind = 'wave', payload = '{\"emoji\":\"+1\"}'").await.unwrap();
    newer.close().await.unwrap();
    store.send(build::mutation_id(1), build::composed(1, conversation).into()).await.unwrap();

    let batch = store.next_batch(BatchLimits { rows: 1, ..ALL }, &HashSet::new()).await.unwrap();
    assert_eq!(batch.iter().map(|mutation| mutation.id).collect::<Vec<_>>(), [build::mutation_id(1)]);
    assert_eq!(store.counts().await.unwrap().pending, 2, "and it stays");
}

#[tokio::test]
async fn a_page_that_does_not_fit_on_the_disk_leaves_rows_and_cursor_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(path.clone()).await.unwrap();
    let thread = given::loaded_thread(
        &store,
        build::direct(1, 3),
        build::messages(build::conversation_id(1), 1..=3, &build::ada()),
    )
    .await;
    let position = store.sync_state().await.unwrap().position;
    store.close().await.unwrap();
    let pages = u32::try_from(fs::metadata(&path).unwrap().len() / 4096).unwrap();
    let store = SqliteStore::open(SqliteOptions::new(path.clone()).max_pages(pages + 2)).await.unwrap();
    let SyncPosition::Following(cursor) = &position else { panic!("not following") };
    let messages = build::messages(thread, 4..=2_000, &build::ada());
    let page = build::pull_page("beyond", Changes { messages, ..Changes::default() });
    let error = store.apply_pull(cursor, page.clone()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Full);
    assert_eq!(store.sync_state().await.unwrap().position, position);
    assert_eq!(store.messages(thread, Window::newest(5_000)).await.unwrap().messages.len(), 3);
    store.close().await.unwrap();

    let roomy = SqliteStore::open(path).await.unwrap();
    assert_eq!(roomy.apply_pull(cursor, page).await.unwrap().applied, 1_997);
}

#[tokio::test]
async fn what_was_revoked_is_gone_from_the_search_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(path.clone()).await.unwrap();
    let thread = given::loaded_thread(
        &store,
        build::direct(1, 3),
        build::messages(build::conversation_id(1), 1..=3, &build::ada()),
    )
    .await;
    indexed(&store).await;
    let SyncPosition::Following(cursor) = store.sync_state().await.unwrap().position else { panic!("not following") };
    let revoke = AccessChange { conversation_id: thread, access: Access::Revoke, version: Version::new(9) };
    let page = build::pull_page("after", Changes { access: vec![revoke], ..Changes::default() });
    assert_eq!(store.apply_pull(&cursor, page).await.unwrap().purged, [thread]);
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    store.close().await.unwrap();
    let db = raw(&path).await;
    db.execute_unprepared("INSERT INTO messages_search (messages_search, rank) VALUES ('integrity-check', 1)")
        .await
        .unwrap();
}

/// Every word is in the index from here on.
async fn indexed(store: &SqliteStore) {
    assert!(store.index().await.unwrap() == 0, "a step takes more than a test has");
}

/// A word that stands nowhere else; all of them end alike.
fn secret(n: u64) -> String {
    format!("{:08x}geheim", n.wrapping_mul(2_654_435_761) & 0xffff_ffff)
}

/// Every tenth message is nearly as long as one can be, more than a page of the file.
fn secretive(n: u64) -> String {
    let tail = if n.is_multiple_of(10) { " lang".repeat(950) } else { String::new() };
    format!("Hier steht {}{tail}", secret(n))
}

/// Which of these secrets the bytes of the file hold. The ends of the words are compared: the index of words leaves out what
/// a word has in common with the one before.
fn found(path: &Path, secrets: impl IntoIterator<Item = u64>) -> Vec<u64> {
    const COMPARED: usize = "12345geheim".len();
    let file = fs::read(path).unwrap();
    let ends: HashSet<_> = file.windows(COMPARED).filter(|bytes| bytes.ends_with(b"geheim")).collect();
    secrets.into_iter().filter(|n| ends.contains(&secret(*n).as_bytes()[3..])).collect()
}

#[tokio::test]
async fn what_was_purged_is_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(path.clone()).await.unwrap();
    let (leaving, staying) = (build::conversation_id(1), build::conversation_id(2));
    let content = |n| Some(secretive(n));
    let rows: Vec<_> = (1..=300)
        .flat_map(|n| {
            let one = Message { content: content(n), ..build::message(leaving, n, &build::ada()) };
            let two = Message { content: content(300 + n), ..build::message(staying, n, &build::ada()) };
            [one, two]
        })
        .collect();
    let conversations = vec![build::direct(1, 300), build::other_direct(2, 300)];
    given::loaded(&store, Changes { conversations, ..Changes::default() }).await;
    // In pages, so that the index of words has many parts.
    for page in rows.chunks(50) {
        given::pulled_messages(&store, page.to_vec()).await;
        indexed(&store).await;
    }
    let own = MessageContent::new(&secret(901)).unwrap();
    given::send(&store, 1, NewMessage { content: own, ..build::composed(1, leaving) }).await;
    given::stored(&store, 1, build::ack(1, leaving, 301)).await;
    let payload = format!("{{\"conversation_id\":\"{leaving}\",\"content\":\"{}\"}}", secret(902));
    let unreadable = vec![UnreadableRow { list: "messages".to_owned(), payload, reason: "?".to_owned() }];
    given::pulled(&store, Changes { unreadable, ..Changes::default() }).await;
    store.close().await.unwrap();
    assert_eq!(found(&path, (1..=600).chain([901, 902])).len(), 602);

    let store = SqliteStore::open(path.clone()).await.unwrap();
    let access = vec![AccessChange { conversation_id: leaving, access: Access::Revoke, version: Version::new(9) }];
    given::pulled(&store, Changes { access, ..Changes::default() }).await;
    let soft = build::deleted(build::message(staying, 7, &build::ada()));
    let tombstones = vec![build::tombstone(build::message_id(staying, 8), staying, 8, 9)];
    given::pulled(&store, Changes { messages: vec![soft], tombstones, ..Changes::default() }).await;
    store.close().await.unwrap();

    assert_eq!(found(&path, (1..=300).chain([307, 308, 901, 902])), Vec::<u64>::new());
    assert_eq!(found(&path, (301..=306).chain(309..=600)).len(), 298, "what stays is there");
}

#[tokio::test]
async fn what_a_bootstrap_drops_is_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(path.clone()).await.unwrap();
    let (one, two) = (build::conversation_id(1), build::conversation_id(2));
    let row = |id, n, number| Message { content: Some(secretive(number)), ..build::message(id, n, &build::ada()) };
    let conversations = vec![build::direct(1, 100), build::other_direct(2, 100)];
    given::loaded(&store, Changes { conversations: conversations.clone(), ..Changes::default() }).await;
    given::pulled_messages(&store, (1..=100).map(|n| row(one, n, n)).collect()).await;
    given::pulled_messages(&store, (1..=100).map(|n| row(two, n, 100 + n)).collect()).await;
    indexed(&store).await;

    // Of the first the last ten come, then nothing of the second.
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    let recent = (91..=100).map(|n| row(one, n, n)).collect();
    let changes = Changes { conversations: conversations[..1].to_vec(), messages: recent, ..Changes::default() };
    let next = build::continuation("next");
    let first = BootstrapPage { next_after: Some(next.clone()), ..build::bootstrap_page(changes) };
    store.apply_bootstrap(None, first).await.unwrap();
    store.apply_bootstrap(Some(&next), build::bootstrap_page(Changes::default())).await.unwrap();
    store.close().await.unwrap();

    assert_eq!(found(&path, 1..=200), (91..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_write_that_fails_at_its_last_step_never_happened() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(path.clone()).await.unwrap();
    let messages = build::messages(build::conversation_id(1), 1..=3, &build::ada());
    let thread = given::loaded_thread(&store, build::direct(1, 3), messages).await;
    let SyncPosition::Following(cursor) = store.sync_state().await.unwrap().position else { panic!("not following") };
    let db = raw(&path).await;
    // The cursor is the last thing that a page writes, the list row the last of a send.
    db.execute_unprepared(
        "CREATE TRIGGER stop_page BEFORE UPDATE OF cursor ON sync_state BEGIN SELECT RAISE(ABORT, 'stopped'); END; \
         CREATE TRIGGER stop_send BEFORE UPDATE OF last_message_at ON conversations BEGIN SELECT RAISE(ABORT, 'stopped'); END;",
    )
    .await
    .unwrap();
    let people = Changes { people: vec![build::ben()], ..Changes::default() };
    store.apply_pull(&cursor, build::pull_page("after", people.clone())).await.unwrap_err();
    store.send(build::mutation_id(1), build::composed(1, thread).into()).await.unwrap_err();

    assert_eq!(store.person(build::ben().id).await.unwrap(), None);
    assert_eq!(store.entries(10).await.unwrap(), []);
    assert_eq!(store.messages(thread, Window::newest(10)).await.unwrap().messages.len(), 3);

    db.execute_unprepared("DROP TRIGGER stop_page; DROP TRIGGER stop_send;").await.unwrap();
    assert_eq!(store.apply_pull(&cursor, build::pull_page("after", people)).await.unwrap().applied, 1);
    store.send(build::mutation_id(1), build::composed(1, thread).into()).await.unwrap();
}

/// What an earlier version took although nobody can read it costs its message the metadata, not the thread.
#[tokio::test]
async fn metadata_that_an_earlier_version_nested_too_deep_hides_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(&path).await.unwrap();
    let conversation = open(&store).await;
    for number in 1..=2 {
        store.send(build::mutation_id(number), build::composed(number, conversation).into()).await.unwrap();
    }
    store.close().await.unwrap();
    let deep = format!("{}1{}", "{\"a\":".repeat(300), "}".repeat(300));
    let db = raw(&path).await;
    let first = build::own_message_id(1).as_uuid().simple();
    let sql = format!(
        "UPDATE messages SET metadata = '{deep}' WHERE id = x'{first}'; \
         UPDATE outbox SET payload = substr(payload, 1, length(payload) - 1) || ',\"metadata\":{deep}}}' \
         WHERE message_id = x'{first}'"
    );
    db.execute_unprepared(&sql).await.unwrap();
    db.close().await.unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    let shown = store.messages(conversation, Window::newest(10)).await.unwrap().messages;
    assert_eq!(shown.len(), 2);
    let omitted = shown[0].omitted.clone().unwrap();
    assert_eq!((shown[0].content.as_deref(), omitted.reason.as_str()), (Some("own 1"), "metadata_too_deep"));
    assert_eq!((omitted.bytes, &shown[1].omitted), (deep.len() as u64, &None));
    let sendable = store.next_batch(ALL, &HashSet::new()).await.unwrap();
    assert!(sendable.iter().any(|mutation| mutation.id == build::mutation_id(2)), "it holds up nobody");
    store.cancel(build::mutation_id(1)).await.unwrap();
    assert_eq!(store.messages(conversation, Window::newest(10)).await.unwrap().messages.len(), 1);
}

/// What is kept is looked over now and then, so that whatever spoils it costs one bootstrap and not one with every sync.
#[tokio::test]
async fn a_kept_digest_that_is_wrong_is_noticed_and_put_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = SqliteStore::open(&path).await.unwrap();
    given::loaded_thread(&store, build::direct(1, 0), vec![]).await;
    let pulled = async |from: &str, to: &str| {
        let page = PullPage { digest: Some(build::digest([1])), ..build::pull_page(to, Changes::default()) };
        store.apply_pull(&build::cursor(from), page).await.unwrap().digest_matches
    };
    assert_eq!(pulled("0", "1").await, Some(true));
    let db = raw(&path).await;
    db.execute_unprepared("UPDATE sync_state SET known_set = zeroblob(16)").await.unwrap();
    db.close().await.unwrap();
    assert_eq!(pulled("1", "2").await, Some(false));
    assert!(!store.check_digest().await.unwrap());
    assert!(store.check_digest().await.unwrap());
    assert_eq!(pulled("2", "3").await, Some(true));
}
