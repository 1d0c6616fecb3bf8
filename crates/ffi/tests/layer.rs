//! What the layer adds to the SDK: listeners on one thread, an end for everything, typed errors.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use fieldpost_devserver::DevServer;
use fieldpost_ffi::{
    Client, ClientOptions, ConversationDiff, ConversationKind, ConversationQuery, ConversationSummary,
    ConversationsListener, Draft, ErrorKind, Failure, FieldpostError, ListenerError, OpenAt, RetryAdvice, SessionToken,
    Status, StatusListener, ThreadListener, ThreadUpdate, TimelineListener, TimelineOptions, TimelineUpdate,
    TokenError, TokenProvider, Window, ZoneOffset,
};
use std::{
    sync::{Arc, mpsc},
    thread::{self, ThreadId},
    time::{Duration, UNIX_EPOCH},
};
use tempfile::TempDir;

/// What a listener hears, and on which thread.
enum Heard<T> {
    Update(T, ThreadId),
    End,
}

/// Passes on what it hears. Throws at its first so many calls.
struct Ear<T>(mpsc::Sender<Heard<T>>, std::sync::atomic::AtomicU32);

fn ear<T>(throws: u32) -> (Box<Ear<T>>, mpsc::Receiver<Heard<T>>) {
    let (sender, heard) = mpsc::channel();
    (Box::new(Ear(sender, throws.into())), heard)
}

impl<T> Ear<T> {
    fn hear(&self, update: T) -> Result<(), ListenerError> {
        use std::sync::atomic::Ordering::SeqCst;
        if self.1.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(ListenerError::Failed { reason: "the listener has a fault".into() });
        }
        let _ = self.0.send(Heard::Update(update, thread::current().id()));
        Ok(())
    }

    fn ended(&self) -> Result<(), ListenerError> {
        let _ = self.0.send(Heard::End);
        Ok(())
    }
}

macro_rules! listens {
    ($($listener:ident to $update:ty),+) => {
        $(impl $listener for Ear<$update> {
            fn on_update(&self, update: $update) -> Result<(), ListenerError> {
                self.hear(update)
            }

            fn on_error(&self, failure: Failure) -> Result<(), ListenerError> {
                panic!("{failure:?}")
            }

            fn on_end(&self) -> Result<(), ListenerError> {
                self.ended()
            }
        })+
    };
}

listens!(
    ConversationsListener to Vec<ConversationDiff>,
    ThreadListener to ThreadUpdate,
    StatusListener to Status,
    TimelineListener to TimelineUpdate
);

const SOON: Duration = Duration::from_secs(30);

fn update<T>(heard: &mpsc::Receiver<Heard<T>>) -> (T, ThreadId) {
    match heard.recv_timeout(SOON).unwrap() {
        Heard::Update(update, thread) => (update, thread),
        Heard::End => panic!("the watch has ended"),
    }
}

struct World {
    server: DevServer,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        Self { server: DevServer::builder().start().await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    fn options(&self) -> ClientOptions {
        let file = self.folder.path().join("ada.db");
        let (url, key) = (self.server.url().to_owned(), self.server.anon_key().to_owned());
        ClientOptions { url: Some(url), anon_key: Some(key), live: false, ..ClientOptions::at(file.to_string_lossy()) }
    }

    /// Ada, signed in and loaded, with her conversation.
    async fn ada(&self) -> (Arc<Client>, ConversationSummary) {
        let ada = Client::open(self.options(), None, None).await.unwrap();
        ada.sign_in("ada@fieldpost.test".into(), "fieldpost-demo".into()).await.unwrap();
        ada.sync().await.unwrap();
        let lines = ada.conversations(None).await.unwrap();
        let direct = lines.into_iter().find(|line| line.kind == ConversationKind::Direct).unwrap();
        (ada, direct)
    }
}

fn kind(error: FieldpostError) -> ErrorKind {
    Failure::from(error).kind
}

fn draft(text: &str) -> Draft {
    Draft { text: text.into(), reply_to: None, mentions: Vec::new(), metadata: None }
}

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
async fn a_call_that_is_given_up_goes_on() {
    let world = World::new().await;
    let (ada, direct) = world.ada().await;
    let (listener, heard) = ear(0);
    let _watch = ada.watch_thread(direct.id, Window { limit: 50, before: None }, listener).await.unwrap();
    update(&heard);

    // Polled once, then dropped.
    let sent = tokio::time::timeout(Duration::ZERO, ada.send(direct.id, "Given up".into())).await;

    let (shown, _) = update(&heard);
    assert!(sent.is_err() && shown.diffs.len() == 1, "{sent:?} {shown:?}");
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
