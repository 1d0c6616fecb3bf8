//! What no app should pass, and some app will: each is a typed error, or harmless.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use fieldpost_ffi::{
    Client, ClientOptions, ConversationKind, ConversationQuery, Draft, ErrorKind, FieldpostError, ItemId, MessageKind,
    SearchQuery, SessionToken, TimelineOptions, TimelineUpdate, Window, ZoneOffset, change_key,
};
use std::time::{Duration, UNIX_EPOCH};
use world::{World, draft, ear, kind, search, update};

const YEAR: u64 = 31_556_952;

fn failed<T>(result: Result<T, FieldpostError>) -> Option<ErrorKind> {
    result.err().map(kind)
}

#[tokio::test]
async fn times_that_the_protocol_cannot_name_are_refused() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let end_of_time = Duration::from_secs(i64::MAX.unsigned_abs());
    let after = [Duration::from_secs(YEAR * 8031), Duration::from_secs(YEAR * 298_030), end_of_time];
    let before = [Duration::from_secs(YEAR * 1971), end_of_time];

    for time in after.map(|away| UNIX_EPOCH + away).into_iter().chain(before.map(|away| UNIX_EPOCH - away)) {
        assert_eq!(failed(ada.mute(direct.id, Some(time)).await), Some(ErrorKind::InvalidArgument), "{time:?}");
        let since = SearchQuery { since: Some(time), ..search("the") };
        assert_eq!(failed(ada.search(since).await), Some(ErrorKind::InvalidArgument), "{time:?}");
        // A time that is only compared is the first one, or the last.
        let zone =
            vec![ZoneOffset { from: time, seconds: i32::MAX }, ZoneOffset { from: UNIX_EPOCH, seconds: i32::MIN }];
        let within = Some(Duration::MAX);
        let options = TimelineOptions { open_at: None, zone, page: 0, max_messages: 0, group_within: within };
        let (listener, heard) = ear::<TimelineUpdate>(0);
        let _timeline = ada.timeline(direct.id, options, listener).await.unwrap();
        update(&heard);
    }
}

#[tokio::test]
async fn texts_that_are_huge_are_refused_before_they_cost_anything() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let huge = "x".repeat(10_000_000);
    let message = ada.messages(direct.id, Window { limit: 1, before: None }).await.unwrap().messages.remove(0).id;
    let metadata = |json: String| Draft { metadata: Some(json), ..draft("x") };
    let list = ConversationQuery { text: Some(huge.clone()), ..ConversationQuery::default() };
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));

    assert_eq!(failed(ada.send(direct.id, huge.clone()).await), Some(ErrorKind::InvalidContent));
    assert_eq!(failed(ada.edit(direct.id, message, huge.clone(), None).await), Some(ErrorKind::InvalidContent));
    assert_eq!(failed(ada.react(direct.id, message, huge.clone()).await), Some(ErrorKind::InvalidEmoji));
    let reported = ada.report(direct.id, message, "spam".into(), huge.clone()).await;
    assert_eq!(failed(reported), Some(ErrorKind::InvalidReport));
    let sent = ada.send_draft(direct.id, metadata(format!("{{\"a\":\"{huge}\"}}"))).await;
    assert_eq!(failed(sent), Some(ErrorKind::InvalidMetadata));
    assert_eq!(failed(ada.send_draft(direct.id, metadata(deep)).await), Some(ErrorKind::InvalidMetadata));
    assert_eq!(failed(ada.open_broadcast(Some(huge.clone())).await), Some(ErrorKind::SubjectTooLong));
    assert_eq!(failed(ada.search(search(&huge)).await), Some(ErrorKind::InvalidArgument));
    assert_eq!(failed(ada.find_people(huge.clone()).await), Some(ErrorKind::InvalidArgument));
    assert_eq!(failed(ada.find_conversations(huge.clone()).await), Some(ErrorKind::InvalidArgument));
    assert_eq!(failed(ada.conversations(Some(list)).await), Some(ErrorKind::InvalidArgument));
    // Any text is allowed there.
    assert_eq!(failed(ada.keep_draft(direct.id, draft(&huge)).await), None);
    assert_eq!(failed(ada.send_stored_draft(direct.id).await), Some(ErrorKind::NotPossible));
}

#[tokio::test]
async fn a_million_ids_are_too_many() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let message = ada.messages(direct.id, Window { limit: 1, before: None }).await.unwrap().messages.remove(0).id;
    let ids = (0..1_000_000).map(|number| format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap());
    let mentions: Vec<_> = ids.collect();
    let many = Draft { mentions: mentions.clone(), ..draft("x") };

    assert_eq!(failed(ada.send_draft(direct.id, many.clone()).await), Some(ErrorKind::TooManyMentions));
    assert_eq!(failed(ada.keep_draft(direct.id, many).await), Some(ErrorKind::TooManyMentions));
    let edited = ada.edit(direct.id, message, "x".into(), Some(mentions)).await;
    assert_eq!(failed(edited), Some(ErrorKind::TooManyMentions));
}

#[tokio::test]
async fn the_ends_of_numbers_are_harmless() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;

    for limit in [0, u32::MAX] {
        assert_eq!(failed(ada.messages(direct.id, Window { limit, before: None }).await), None);
        assert_eq!(failed(ada.load_older(direct.id, Window { limit, before: None }).await), None);
        assert_eq!(failed(ada.search(SearchQuery { limit, ..search("the") }).await), None);
        assert_eq!(failed(ada.outbox(limit).await), None);
        let options =
            TimelineOptions { open_at: None, zone: Vec::new(), page: limit, max_messages: limit, group_within: None };
        let (listener, _heard) = ear::<TimelineUpdate>(0);
        let timeline = ada.timeline(direct.id, options, listener).await.unwrap();
        assert_eq!(failed(timeline.paginate_backwards().await), None);
        assert_eq!(failed(timeline.fill_gap(ItemId::Gap { from: u64::MAX }).await), None);
    }
    for seq in [0, i64::MAX.unsigned_abs(), u64::MAX] {
        assert_eq!(failed(ada.messages(direct.id, Window { limit: 10, before: Some(seq) }).await), None);
        assert_eq!(failed(ada.mark_unread(direct.id, Some(seq)).await), None);
    }
    assert_eq!(ada.mark_read(direct.id, u64::MAX).await.unwrap(), 3);
    assert_eq!(failed(ada.background(Duration::MAX).await), None);
    // What was marked can be sent.
    assert_eq!(ada.sync().await.unwrap().failed, 0);
}

#[tokio::test]
async fn a_kind_that_is_not_known_cannot_be_asked_for() {
    let world = World::new().await;
    let (ada, _) = world.ada().await;
    let list = ConversationQuery { kind: Some(ConversationKind::Other), ..ConversationQuery::default() };
    let messages = SearchQuery { kind: Some(MessageKind::Other), ..search("the") };

    assert_eq!(failed(ada.conversations(Some(list.clone())).await), Some(ErrorKind::InvalidArgument));
    assert_eq!(failed(ada.watch_conversations(list, ear(0).0).await), Some(ErrorKind::InvalidArgument));
    assert_eq!(failed(ada.search(messages).await), Some(ErrorKind::InvalidArgument));
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_and_extreme_ones_work() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    ada.shutdown().await.unwrap();
    let open = async |options| Client::open(options, None, None).await;

    for every in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let options = ClientOptions { sync_every: Some(every), ..world.options() };
        assert_eq!(failed(open(options).await), Some(ErrorKind::Configuration), "{every:?}");
    }
    let options = ClientOptions { send_ttl: Some(Duration::ZERO), ..world.options() };
    assert_eq!(failed(open(options).await), Some(ErrorKind::Configuration));
    let options = ClientOptions { keep_last: Some(0), ..world.options() };
    assert_eq!(failed(open(options).await), Some(ErrorKind::InvalidRetention));

    let year = Some(Duration::from_secs(366 * 24 * 60 * 60));
    let longest = Some(Duration::MAX);
    let options = ClientOptions { sync_every: year, send_ttl: longest, callback_limit: longest, ..world.options() };
    let ada = open(ClientOptions { keep_days: Some(u32::MAX), ..options }).await.unwrap();
    ada.start().await.unwrap();
    ada.send(direct.id, "x".into()).await.unwrap();
    ada.sync().await.unwrap();
    assert_eq!(ada.apply_retention().await.unwrap(), 0);
    ada.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_is_no_path_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let below = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::write(below("file"), "no database").unwrap();
    let long = below(&"x/".repeat(50_000_000));
    let paths = [
        (String::new(), ErrorKind::InvalidArgument),
        (below("a\0b"), ErrorKind::InvalidArgument),
        (":memory:".into(), ErrorKind::InvalidArgument),
        ("file::memory:".into(), ErrorKind::InvalidArgument),
        (long, ErrorKind::InvalidArgument),
        (below(&"x".repeat(300)), ErrorKind::FileNotAccessible),
        (below("file/x.db"), ErrorKind::FileNotAccessible),
        (below("no/folder/x.db"), ErrorKind::FileNotAccessible),
        ("/proc/x.db".into(), ErrorKind::FileNotAccessible),
        (below("file"), ErrorKind::NotADatabase),
        (folder.path().to_string_lossy().into_owned(), ErrorKind::NotADatabase),
    ];

    for (path, wanted) in paths {
        let shown: String = path.chars().take(80).collect();
        let opened = Client::open(ClientOptions::at(path.clone()), None, None).await;
        assert_eq!(failed(opened), Some(wanted), "{shown}");
        let changed = failed(change_key(path, None, Some((1..33).collect()), None).await);
        // A build that cannot encrypt looks no further.
        assert!([Some(wanted), Some(ErrorKind::NoEncryption)].contains(&changed), "{shown}: {changed:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(!std::path::Path::new(":memory:").exists());
    // Other signs in a name are only that.
    let odd = Client::open(ClientOptions::at(below("a?mode=ro#b%20.db")), None, None).await.unwrap();
    odd.shutdown().await.unwrap();
    assert!(folder.path().join("a?mode=ro#b%20.db").exists());
}

#[tokio::test]
async fn what_is_no_address_or_key_of_a_project_is_a_fault_of_the_settings() {
    let world = World::new().await;
    let huge = "x".repeat(1_000_000);
    let urls = [
        "",
        " ",
        "rubbish",
        "http://",
        "https://",
        "https://[",
        "https://x y",
        "ftp://x",
        "file:///etc/passwd",
        "javascript:1",
    ];
    let others = ["http://example.org", "https://user:pass@example.org", "https://example.org:99999", &huge];

    for url in urls.into_iter().chain(others) {
        let options = ClientOptions { url: Some(url.to_owned()), ..world.options() };
        let opened = failed(Client::open(options, None, None).await);
        assert_eq!(opened, Some(ErrorKind::Configuration), "{}", url.get(..20).unwrap_or(url));
    }
    for key in ["", " ", "a\nb", "a\0"] {
        let options = ClientOptions { anon_key: Some(key.to_owned()), ..world.options() };
        assert_eq!(failed(Client::open(options, None, None).await), Some(ErrorKind::Configuration), "{key:?}");
    }
}

#[test]
fn what_has_a_secret_shows_its_name_alone() {
    let options = ClientOptions { key: Some(vec![77; 32]), ..ClientOptions::at("ada.db") };
    let token = SessionToken {
        person_id: "01900000-0000-7000-8000-000000000000".parse().unwrap(),
        access_token: "eyJhbGciOi".into(),
    };

    assert_eq!((options.to_string(), token.to_string()), ("ClientOptions(…)".into(), "SessionToken(…)".into()));
}
