//! The store's hot paths: applying a page, writing a message, listing conversations, reading a window.
#![expect(clippy::unwrap_used, reason = "a bench is test code: a step that fails has to fail it")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fieldpost_domain::{Changes, Cursor};
use fieldpost_storage::{
    BootstrapReason, Store, Window,
    conformance::build::{
        ada, bootstrap_page, composed, conversation_id, cursor, direct, iris, messages, mutation_id, pull_page, session,
    },
    memory::MemoryStore,
};
use fieldpost_storage_sqlite::SqliteStore;
use std::{cell::Cell, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The messages of one page.
const PAGE: u64 = 500;
/// The conversations they are spread over.
const CONVERSATIONS: u64 = 10;

/// A store that follows the server, with an empty history.
struct Subject {
    store: Arc<dyn Store>,
    /// The highest seq of each conversation.
    head: Cell<u64>,
    _folder: TempDir,
}

impl Subject {
    async fn new(kind: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = match kind {
            "sqlite" => Arc::new(SqliteStore::open(folder.path().join("bench.db")).await.unwrap()),
            _ => Arc::new(MemoryStore::new()),
        };
        store.save_session(&session(&iris(), 1)).await.unwrap();
        store.begin_bootstrap(BootstrapReason::First).await.unwrap();
        let conversations = (1..=CONVERSATIONS).map(|number| direct(number, 0)).collect();
        let changes = Changes { people: vec![iris(), ada()], conversations, ..Changes::default() };
        let page = bootstrap_page(changes);
        let cursor_after = page.cursor.clone();
        store.apply_bootstrap(None, page).await.unwrap();
        let subject = Self { store, head: Cell::new(0), _folder: folder };
        subject.apply(cursor_after, subject.page()).await;
        subject
    }

    fn position(&self) -> Cursor {
        cursor(&format!("at {}", self.head.get()))
    }

    /// The next messages of every conversation, together with the conversations, as a server sends them.
    fn page(&self) -> Changes {
        let each = PAGE / CONVERSATIONS;
        let (from, to) = (self.head.get() + 1, self.head.get() + each);
        self.head.set(to);
        let conversations = (1..=CONVERSATIONS).map(|number| direct(number, to)).collect();
        let of = |number| messages(conversation_id(number), from..=to, &ada());
        let messages = (1..=CONVERSATIONS).flat_map(of).collect();
        Changes { conversations, messages, ..Changes::default() }
    }

    async fn apply(&self, from: Cursor, changes: Changes) {
        let page = pull_page(self.position().as_str(), changes);
        self.store.apply_pull(&from, page).await.unwrap();
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn apply_pages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply a page of 500 messages");
    group.throughput(Throughput::Elements(PAGE));
    for kind in ["sqlite", "memory"] {
        let runtime = runtime();
        let subject = runtime.block_on(Subject::new(kind));
        group.bench_function(BenchmarkId::from_parameter(kind), |bencher| {
            let next = || (subject.position(), subject.page());
            bencher.iter_batched(
                next,
                |(from, changes)| runtime.block_on(subject.apply(from, changes)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn send(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("send: until the local commit returns");
    for kind in ["sqlite", "memory"] {
        let runtime = runtime();
        let subject = runtime.block_on(Subject::new(kind));
        let number = Cell::new(1_000_000);
        group.bench_function(BenchmarkId::from_parameter(kind), |bencher| {
            bencher.iter(|| {
                number.set(number.get() + 1);
                let message = composed(number.get(), conversation_id(1));
                runtime.block_on(subject.store.send(mutation_id(number.get()), message.into())).unwrap()
            });
        });
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let runtime = runtime();
    let subject = runtime.block_on(Subject::new("sqlite"));
    let mut group = criterion.benchmark_group("read");
    group.bench_function("conversation list", |bencher| {
        bencher.iter(|| runtime.block_on(subject.store.conversations(50)).unwrap());
    });
    group.bench_function("thread window of 50", |bencher| {
        bencher.iter(|| runtime.block_on(subject.store.messages(conversation_id(1), Window::newest(50))).unwrap());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3));
    targets = apply_pages, send, read
}
criterion_main!(benches);
