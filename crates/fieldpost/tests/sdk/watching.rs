//! Snapshots and diffs: after any changes by any number of writers, they equal a fresh read.

use fieldpost::{
    Client, ConversationId, ConversationKind, ConversationQuery, ConversationSummary, Error, Fieldpost, Store,
    ThreadMessage, ThreadUpdate, Updates, Vector, VectorDiff, Window,
};
use fieldpost_domain::{Changes, Message, Person, Version};
use fieldpost_storage::{
    Conversations as _,
    conformance::{build, given},
    memory::MemoryStore,
};
use fieldpost_storage_sqlite::{SqliteOptions, SqliteStore};
use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

const CONVERSATIONS: u64 = 30;

/// Repeatable randomness.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn conversation(&mut self) -> ConversationId {
        build::conversation_id(1 + self.below(CONVERSATIONS))
    }
}

async fn client_of(store: Arc<dyn Store>) -> Client {
    let conversations = (1..=CONVERSATIONS).map(|n| match n {
        1 => build::direct(1, 0),
        2 => build::broadcast(2, 0),
        n => build::other_direct(n, 0),
    });
    let changes = Changes {
        people: vec![build::iris(), build::ada()],
        conversations: conversations.collect(),
        ..Changes::default()
    };
    given::loaded(&*store, changes).await;
    Fieldpost::builder().store(store).local_only().open().await.unwrap()
}

fn apply<T: Clone>(shown: &mut Vector<T>, diffs: Vec<VectorDiff<T>>) {
    diffs.into_iter().for_each(|diff| diff.apply(shown));
}

/// Something on the screen.
enum Screen {
    List {
        query: ConversationQuery,
        shown: Vector<ConversationSummary>,
        updates: Updates<Vec<VectorDiff<ConversationSummary>>>,
    },
    Thread {
        id: ConversationId,
        window: Window,
        shown: Vector<ThreadMessage>,
        updates: Updates<ThreadUpdate>,
    },
    Badge {
        shown: Option<u64>,
        updates: Updates<u64>,
    },
}

impl Screen {
    async fn list(client: &Client, query: ConversationQuery) -> Self {
        let (shown, updates) = client.watch_conversations(query.clone()).await.unwrap();
        Self::List { query, shown, updates }
    }

    async fn thread(client: &Client, id: ConversationId, window: Window) -> Self {
        let (shown, updates) = client.conversation(id).watch(window).await.unwrap();
        Self::Thread { id, window, shown: shown.messages.into(), updates }
    }

    async fn next(&mut self) {
        match self {
            Self::List { shown, updates, .. } => apply(shown, updates.next().await.unwrap().unwrap()),
            Self::Thread { shown, updates, .. } => apply(shown, updates.next().await.unwrap().unwrap().diffs),
            Self::Badge { shown, updates } => *shown = Some(updates.next().await.unwrap().unwrap()),
        }
    }

    async fn is_right(&self, client: &Client) -> bool {
        match self {
            Self::List { query, shown, .. } => {
                let all = client.conversations().await.unwrap();
                // The query is the default one with a limit of 10,000, or one of those below.
                let limit = if *query == top() { 5 } else { usize::MAX };
                shown.iter().eq(all.iter().filter(|line| query.matches(line)).take(limit))
            }
            Self::Thread { id, window, shown, .. } => {
                shown.iter().eq(&client.conversation(*id).messages(*window).await.unwrap().messages)
            }
            Self::Badge { shown, .. } => *shown == Some(client.total_unread().await.unwrap()),
        }
    }

    /// Watches until it is stopped.
    fn look(mut self, mut stop: watch::Receiver<bool>) -> JoinHandle<Self> {
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = self.next() => {}
                    _ = stop.changed() => return self,
                }
            }
        })
    }

    /// Checks, when the writers have finished, that the screen equals a fresh read.
    async fn catches_up(&mut self, client: &Client) {
        while !self.is_right(client).await {
            timeout(Duration::from_secs(20), self.next()).await.expect("a change that was never told");
        }
    }
}

fn top() -> ConversationQuery {
    ConversationQuery::default().limit(5)
}

async fn screens(client: &Client) -> Vec<Screen> {
    let all = ConversationQuery::default;
    let id = build::conversation_id;
    vec![
        Screen::list(client, all()).await,
        Screen::list(client, top()).await,
        Screen::list(client, all().unread()).await,
        Screen::list(client, all().kind(ConversationKind::Broadcast)).await,
        Screen::list(client, all().text("OWN 1").unwrap()).await,
        Screen::thread(client, id(1), Window::newest(5)).await,
        Screen::thread(client, id(2), Window::newest(1_000)).await,
        Screen::thread(client, id(3), Window::newest(20)).await,
        Screen::Badge { shown: None, updates: client.watch_total_unread() },
    ]
}

/// A person writes, reads, edits and cancels.
async fn person(client: Client, mut chance: Chance) {
    let mut sent = Vec::new();
    for number in 0..40 {
        let conversation = client.conversation(chance.conversation());
        match chance.below(10) {
            0..6 => sent.push(conversation.send(&format!("own {number}")).await.unwrap()),
            6 => {
                let seq = conversation.messages(Window::newest(10)).await.unwrap().last_seq().unwrap_or_default();
                conversation.mark_read(seq).await.unwrap();
            }
            what => {
                let Some(message) = sent.pop() else { continue };
                let decided = match what {
                    7 => message.edit("changed").await.map(drop),
                    _ => message.cancel().await.map(drop),
                };
                assert!(matches!(decided, Ok(()) | Err(Error::OutcomeUnknown)), "{decided:?}");
            }
        }
    }
}

/// Applies pages of the server.
async fn server(store: Arc<dyn Store>, mut chance: Chance, mut seqs: Vec<u64>) -> Vec<u64> {
    for number in 0..40 {
        let mut messages = Vec::new();
        for _ in 0..=chance.below(4) {
            let conversation = chance.below(CONVERSATIONS);
            let seq = &mut seqs[conversation as usize];
            *seq += 1;
            messages.push(build::message(build::conversation_id(conversation + 1), *seq, &build::ada()));
        }
        if chance.below(4) == 0 {
            let deleted = messages.pop().map(|message| build::deleted(Message { ..message }));
            messages.extend(deleted);
        }
        let mut changes = Changes { messages, ..Changes::default() };
        if chance.below(12) == 0 {
            let version = Version::new(ada_version(number));
            changes.people.push(Person { first_name: format!("Ada {number}"), version, ..build::ada() });
        }
        given::pulled(&*store, changes).await;
        store.next_batch(build::wide(), &std::collections::HashSet::new()).await.map(drop).unwrap();
        let waiting: Vec<_> = store.entries(5).await.unwrap().iter().map(|entry| entry.mutation_id).collect();
        store.withdraw(&waiting).await.unwrap();
    }
    seqs
}

fn ada_version(number: u64) -> u64 {
    build::ada().version.get() + 1 + number
}

/// Another process on the same file.
async fn extension(store: Arc<dyn Store>, mut chance: Chance, first: u64) {
    for number in first..first + 20 {
        given::sent(&*store, 10_000 + number, chance.conversation()).await;
    }
}

async fn everybody_at_once(here: Arc<dyn Store>, there: Arc<dyn Store>) {
    let client = client_of(here.clone()).await;
    let mut seqs = vec![0; CONVERSATIONS as usize];
    let mut shown = screens(&client).await;
    for round in 0..4 {
        let (stop, stopped) = watch::channel(false);
        let looking: Vec<_> = shown.into_iter().map(|screen| screen.look(stopped.clone())).collect();
        let people: Vec<_> = (0..4).map(|n| tokio::spawn(person(client.clone(), Chance(100 * round + n)))).collect();
        let other = tokio::spawn(extension(there.clone(), Chance(round), 100 * round));
        let pages = tokio::spawn(server(here.clone(), Chance(7 + round), seqs));
        // A watcher starts while the others are writing.
        let mut late = screens(&client).await;
        for writer in people {
            writer.await.unwrap();
        }
        other.await.unwrap();
        seqs = pages.await.unwrap();
        // A local commit reveals what the other process has written.
        client.conversation(build::conversation_id(1)).send("the last word").await.unwrap();
        stop.send(true).unwrap();
        shown = Vec::new();
        for screen in looking {
            shown.push(screen.await.unwrap());
        }
        shown.append(&mut late);
        for screen in &mut shown {
            screen.catches_up(&client).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_do_at_once_is_shown_as_it_is_in_memory() {
    let store = MemoryStore::new();
    everybody_at_once(Arc::new(store.reopen()), Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_do_at_once_is_shown_as_it_is_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let open = || SqliteStore::open(folder.path().join("watched.db"));
    let (here, there) = (open().await.unwrap(), open().await.unwrap());
    everybody_at_once(Arc::new(here), Arc::new(there)).await;
}

/// Every commit after the snapshot is emitted, whenever the stream is polled.
#[tokio::test]
async fn nothing_is_lost_between_the_snapshot_and_the_first_poll() {
    let client = client_of(Arc::new(MemoryStore::new())).await;
    let (mut list, mut lines) = client.watch_conversations(top()).await.unwrap();
    client.conversation(build::conversation_id(9)).send("right after").await.unwrap();
    apply(&mut list, lines.next().await.unwrap().unwrap());
    assert_eq!(list[0].id, build::conversation_id(9));
    assert_eq!(list.len(), 5);
}

#[tokio::test]
async fn a_watcher_reads_only_what_a_commit_has_touched() {
    let client = client_of(Arc::new(MemoryStore::new())).await;
    let conversation = client.conversation(build::conversation_id(1));
    let (_, mut thread) = conversation.watch(Window::newest(10)).await.unwrap();
    client.conversation(build::conversation_id(2)).send("elsewhere").await.unwrap();
    conversation.send("here").await.unwrap();
    let update = thread.next().await.unwrap().unwrap();
    assert!(matches!(&update.diffs[..], [VectorDiff::PushBack { value }] if value.content.as_deref() == Some("here")));
}

#[tokio::test]
async fn streams_do_not_keep_a_client_alive_and_end_with_it() {
    let store = Arc::new(MemoryStore::new());
    let client = client_of(store.clone()).await;
    let (_, mut lines) = client.watch_conversations(ConversationQuery::default()).await.unwrap();
    let mut badge = client.watch_total_unread();
    assert!(badge.next().await.unwrap().is_ok());
    drop(client);
    // The app still holds the store, so the streams do not end because of it.
    assert!(lines.next().await.is_none());
    assert!(badge.next().await.is_none());
    assert!(store.conversations(1).await.is_ok());
}

#[tokio::test]
async fn streams_end_when_the_client_is_closed() {
    let client = client_of(Arc::new(MemoryStore::new())).await;
    let (_, mut lines) = client.watch_conversations(ConversationQuery::default()).await.unwrap();
    client.close().await.unwrap();
    assert!(lines.next().await.is_none());
}

/// A watcher that stops polling in the middle of a read holds no connection that others need.
#[tokio::test]
async fn streams_that_nobody_polls_are_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("watched.db")).readers(1);
    let client = client_of(Arc::new(SqliteStore::open(options).await.unwrap())).await;
    let conversation = client.conversation(build::conversation_id(1));
    let mut badge = client.watch_total_unread();
    assert!(poll_once(pin!(badge.next())).is_none(), "it has begun to read");
    assert!(conversation.messages(Window::newest(1)).await.unwrap().messages.is_empty());
    assert_eq!(badge.next().await.unwrap().unwrap(), 0);
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
