//! What the layer adds to the SDK: listeners on one thread, an end for everything, typed errors.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use fieldpost_ffi::{
    Client, ClientOptions, ConversationDiff, ConversationQuery, ErrorKind, Export, ExportFormat, Failure, OpenAt,
    RetryAdvice, SearchQuery, SessionToken, Status, TimelineOptions, TimelineUpdate, TokenError, TokenProvider, Window,
    ZoneOffset, import_watermelon,
};
use futures::poll;
use std::{
    pin::pin,
    sync::mpsc,
    thread,
    time::{Duration, UNIX_EPOCH},
};
use world::{Heard, SOON, World, draft, ear, given_up, kind, search, update};

#[tokio::test]
async fn one_thread_calls_all_listeners() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let ((lines, of_lines), (thread, of_thread)) = (ear(0), ear(0));

    let _lines = ada.watch_conversations(ConversationQuery::default(), lines).await.unwrap();
    let _thread = ada.watch_thread(direct.id, Window { limit: 50, before: None }, thread).await.unwrap();

    let ((shown, first), (here, second)) = (update(&of_lines), update(&of_thread));
    assert!(matches!(&shown[..], [ConversationDiff::Reset { values }] if values.len() == 2), "{shown:?}");
    assert_eq!(here.diffs.len(), 1);
    assert!(first == second && first != thread::current().id());
}

#[tokio::test]
async fn a_listener_that_throws_hears_what_comes_after() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let (listener, heard) = ear(1);
    let _watch = ada.watch_conversations(ConversationQuery::default(), listener).await.unwrap();

    ada.keep_draft(direct.id, draft("begun")).await.unwrap();

    let (diffs, _) = update(&heard);
    let begun = |diff: &ConversationDiff| matches!(diff, ConversationDiff::Set { value, .. } if value.draft.is_some());
    assert!(diffs.iter().any(begun), "{diffs:?}");
}

#[tokio::test]
async fn a_cancelled_or_dropped_subscription_is_silent() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let ((cancelled, of_cancelled), (dropped, of_dropped), (kept, of_kept)) = (ear(0), ear(0), ear(0));
    let watch = async |listener| ada.watch_conversations(ConversationQuery::default(), listener).await.unwrap();
    let (first, second, _third) = (watch(cancelled).await, watch(dropped).await, watch(kept).await);
    update(&of_cancelled);
    update(&of_dropped);
    update(&of_kept);

    first.cancel();
    assert!(!first.is_active());
    // On a thread that has no runtime, as a garbage collector does.
    thread::spawn(move || drop(second)).join().unwrap();
    ada.keep_draft(direct.id, draft("begun")).await.unwrap();

    update(&of_kept);
    assert!(of_cancelled.try_recv().is_err() && of_dropped.try_recv().is_err());
}

#[tokio::test]
async fn everything_ends_with_the_shutdown_also_while_a_timeline_is_held() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let ((status, of_status), (timeline, of_timeline)) = (ear(0), ear(0));
    let _status = ada.watch_status(status).unwrap();
    let options = TimelineOptions {
        open_at: Some(OpenAt::Newest),
        zone: Vec::new(),
        page: 2,
        max_messages: 10,
        group_within: None,
    };
    let held = ada.timeline(direct.id, options, timeline).await.unwrap();
    assert!(update(&of_status).0.signed_in);
    update(&of_timeline);

    ada.shutdown().await.unwrap();
    ada.shutdown().await.unwrap();

    while let Heard::Update(..) = of_status.recv_timeout(SOON).unwrap() {}
    while let Heard::Update(..) = of_timeline.recv_timeout(SOON).unwrap() {}
    assert_eq!(kind(ada.people().await.unwrap_err()), ErrorKind::Closed);
    assert_eq!(kind(ada.status().unwrap_err()), ErrorKind::Closed);
    assert_eq!(kind(held.paginate_backwards().await.unwrap_err()), ErrorKind::Closed);
    thread::spawn(move || drop((held, ada))).join().unwrap();
}

#[tokio::test]
async fn what_outlives_its_client_is_given_back_on_any_thread() {
    let world = World::new().await;
    let (told, of_app) = mpsc::channel();
    let (ada, direct) = world.ada().await;
    ada.shutdown().await.unwrap();
    let ada = Client::open(world.options(), Some(Box::new(GivenBack(told))), None).await.unwrap();
    let export = ada.export(direct.id, ExportFormat::Text).await.unwrap();
    let search = ada.search_with_server(search("the")).unwrap();
    search.next_page().await.unwrap();
    let (listener, _heard) = ear::<TimelineUpdate>(0);
    let options = TimelineOptions { open_at: None, zone: Vec::new(), page: 2, max_messages: 10, group_within: None };
    let timeline = ada.timeline(direct.id, options, listener).await.unwrap();
    let (listener, _of_status) = ear::<Status>(0);
    let status = ada.watch_status(listener).unwrap();

    // A garbage collector has threads without a runtime, and begins where it likes.
    let given_back = thread::spawn(move || drop((ada, status, timeline, search, export))).join();

    assert!(given_back.is_ok());
    // The provider is a part of the client, so that is gone too.
    of_app.recv_timeout(SOON).unwrap();
}

#[tokio::test]
async fn what_waits_at_the_shutdown_ends_as_closed() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let sent = ada.send(direct.id, "Never sent".into()).await.unwrap();
    let mut waiting = pin!(ada.delivered(sent.id));
    assert!(poll!(&mut waiting).is_pending());

    ada.shutdown().await.unwrap();

    assert_eq!(kind(waiting.await.unwrap_err()), ErrorKind::Closed);
}

#[tokio::test]
async fn a_call_that_is_given_up_goes_on() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let (listener, heard) = ear(0);
    let _watch = ada.watch_thread(direct.id, Window { limit: 50, before: None }, listener).await.unwrap();
    update(&heard);

    let given_up = given_up(ada.send(direct.id, "Given up".into())).await;

    let (shown, _) = update(&heard);
    assert!(given_up && shown.diffs.len() == 1, "{shown:?}");
}

#[tokio::test]
async fn days_follow_the_offsets_of_a_place() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let day = async |seconds| {
        let (listener, heard) = ear(0);
        let zone = vec![ZoneOffset { from: UNIX_EPOCH, seconds: 0 }, ZoneOffset { from: UNIX_EPOCH + SOON, seconds }];
        let options = TimelineOptions { open_at: None, zone, page: 50, max_messages: 500, group_within: None };
        let _timeline = ada.timeline(direct.id, options, listener).await.unwrap();
        format!("{:?}", update(&heard).0.diffs).split("Day").nth(1).unwrap()[..24].to_owned()
    };

    let (today, later) = (day(0).await, day(2 * 86_400).await);

    assert_ne!(today, later);
}

/// An app that does not answer, or gives what it likes.
struct App(Option<Result<SessionToken, TokenError>>);

#[async_trait::async_trait]
impl TokenProvider for App {
    async fn token(&self, _refused: Option<String>) -> Result<SessionToken, TokenError> {
        match &self.0 {
            None => std::future::pending().await,
            Some(Ok(token)) => Ok(token.clone()),
            Some(Err(TokenError::SignedOut)) => Err(TokenError::SignedOut),
            Some(Err(TokenError::Unavailable { reason })) => Err(TokenError::Unavailable { reason: reason.clone() }),
        }
    }
}

#[tokio::test]
async fn an_app_that_gives_no_token_in_time_fails_the_sync() {
    let world = World::new().await;
    let options = ClientOptions { callback_limit: Some(Duration::from_millis(1)), ..world.options() };
    let silent = Client::open(options, Some(Box::new(App(None))), None).await.unwrap();

    // Without a limit it would wait for ever.
    let ended = tokio::time::timeout(SOON, silent.sync()).await.unwrap();

    let failure = Failure::from(ended.unwrap_err());
    assert_ne!(failure.kind, ErrorKind::SignedOut, "{failure:?}");
}

#[tokio::test]
async fn a_file_of_somebody_opens_and_shows_without_an_answer_of_the_app() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    ada.shutdown().await.unwrap();

    let opening = Client::open(world.options(), Some(Box::new(App(None))), None);

    let client = tokio::time::timeout(SOON, opening).await.unwrap().unwrap();
    assert!(client.status().unwrap().signed_in);
    assert!(client.conversation(direct.id).await.unwrap().is_some());
}

#[tokio::test]
async fn an_app_that_is_signed_out_says_so() {
    let world = World::new().await;
    let app = App(Some(Err(TokenError::SignedOut)));
    let client = Client::open(world.options(), Some(Box::new(app)), None).await.unwrap();

    let failure = Failure::from(client.sync().await.unwrap_err());

    assert_eq!((failure.kind, failure.retry), (ErrorKind::SignedOut, RetryAdvice::AfterSignIn));
}

#[tokio::test]
async fn a_time_that_no_calendar_has_is_refused() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let far = UNIX_EPOCH + Duration::from_secs(1 << 50);

    assert_eq!(kind(ada.mute(direct.id, Some(far)).await.unwrap_err()), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_key_is_32_bytes() {
    let world = World::new().await;
    for bytes in [vec![], vec![7; 31], vec![7; 32], vec![7; 33]] {
        let options = ClientOptions { key: Some(bytes), ..world.options() };
        assert_eq!(kind(Client::open(options, None, None).await.unwrap_err()), ErrorKind::InvalidArgument);
    }
    let salt_alone = ClientOptions { shared_container_salt: Some(vec![1; 16]), ..world.options() };
    assert_eq!(kind(Client::open(salt_alone, None, None).await.unwrap_err()), ErrorKind::InvalidArgument);
}

/// Tells when it is given back.
struct GivenBack(mpsc::Sender<()>);

impl Drop for GivenBack {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[async_trait::async_trait]
impl TokenProvider for GivenBack {
    async fn token(&self, _refused: Option<String>) -> Result<SessionToken, TokenError> {
        Err(TokenError::SignedOut)
    }
}

#[tokio::test]
async fn an_opening_that_is_given_up_gives_everything_back() {
    let world = World::new().await;
    let (told, of_app) = mpsc::channel();

    let given_up = given_up(Box::pin(Client::open(world.options(), Some(Box::new(GivenBack(told))), None))).await;

    assert!(given_up);
    of_app.recv_timeout(SOON).unwrap();
}

#[tokio::test]
async fn a_watch_that_is_given_up_gives_its_listener_back() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let ((list, of_list), (thread, of_thread), (timeline, of_timeline)) = (ear(0), ear(0), ear::<TimelineUpdate>(0));
    let options = TimelineOptions { open_at: None, zone: Vec::new(), page: 2, max_messages: 10, group_within: None };

    // Where it was too fast for that, what was made is dropped.
    given_up(ada.watch_conversations(ConversationQuery::default(), list)).await;
    given_up(ada.watch_thread(direct.id, Window { limit: 50, before: None }, thread)).await;
    given_up(ada.timeline(direct.id, options, timeline)).await;

    until_given_back(&of_list);
    until_given_back(&of_thread);
    until_given_back(&of_timeline);
}

fn until_given_back<T>(heard: &mpsc::Receiver<Heard<T>>) {
    let gone = loop {
        match heard.recv_timeout(SOON) {
            Ok(_) => {}
            Err(gone) => break gone,
        }
    };
    assert_eq!(gone, mpsc::RecvTimeoutError::Disconnected);
}

#[tokio::test]
async fn a_call_for_lines_that_is_given_up_takes_none() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let all = lines(&ada.export(direct.id, ExportFormat::JsonLines).await.unwrap()).await;
    let export = loop {
        let export = ada.export(direct.id, ExportFormat::JsonLines).await.unwrap();
        // It may have been too fast for that. What it has read is asked for in smaller parts.
        if given_up(export.next_lines(2)).await {
            break export;
        }
    };

    assert!(all.len() > 2);
    let read = lines(&export).await;
    // The first line says when it was exported.
    assert_eq!((read.len(), &read[1..]), (all.len(), &all[1..]));
    assert_eq!(kind(export.next_lines(0).await.unwrap_err()), ErrorKind::InvalidArgument);
}

async fn lines(export: &Export) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        match export.next_lines(1).await.unwrap() {
            more if more.is_empty() => return lines,
            more => lines.extend(more),
        }
    }
}

#[tokio::test]
async fn a_call_for_a_page_that_is_given_up_takes_none() {
    let world = World::new().await;
    let (ada, _) = world.ada().await;
    let query = SearchQuery { limit: 1, ..search("the") };
    let search = loop {
        let search = ada.search_with_server(query.clone()).unwrap();
        // It may have been too fast for that.
        if given_up(search.next_page()).await {
            break search;
        }
    };

    let first = &ada.search(query).await.unwrap().hits[0];
    assert_eq!(search.next_page().await.unwrap().hits[0].hit.message.id, first.message.id);
}

#[test]
fn what_a_provider_throws_goes_no_further_than_its_name() {
    let thrown = uniffi::UnexpectedUniFFICallbackError::new("RuntimeError: the token is eyJhbGciOi");

    let TokenError::Unavailable { reason } = TokenError::from(thrown) else { panic!() };

    assert_eq!(reason, "the app's token provider has thrown RuntimeError");
}

#[tokio::test]
async fn an_import_says_what_is_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::write(path("rubbish.db"), "no database").unwrap();
    Client::open(ClientOptions::at(path("fieldpost.db")), None, None).await.unwrap().shutdown().await.unwrap();
    let import = async |source, target| kind(import_watermelon(path(source), path(target), None).await.unwrap_err());

    assert_eq!(import("nothing.db", "target.db").await, ErrorKind::NotFound);
    assert_eq!(import("rubbish.db", "target.db").await, ErrorKind::NotADatabase);
    assert_eq!(import("fieldpost.db", "target.db").await, ErrorKind::NotPossible);
    let no_source = import_watermelon(String::new(), path("target.db"), None).await;
    assert_eq!(kind(no_source.unwrap_err()), ErrorKind::InvalidArgument);
}
