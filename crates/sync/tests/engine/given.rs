//! A phone: a store, an engine, and a network.

use fieldpost_domain::{ConversationId, MessageContent, MessageId, MessageKind, Seq, ServerLimits};
use fieldpost_remote::{
    Credentials, LiveHints, MessagingApi,
    reference::{DEMO_PASSWORD, ReferenceServer},
};
use fieldpost_storage::{
    Conversations, Messages, Outbox, OutgoingMessage, Replica, Sessions, ThreadMessage, Window, memory::MemoryStore,
};
use fieldpost_sync::{Engine, Env, LiveRhythm, Parts, SyncReport, TokenProvider};
use fieldpost_testkit::{LiveNetwork, ManualClock, Network, env};
use std::{sync::Arc, time::Duration};

pub(crate) use fieldpost_remote::reference::{DEMO_ADA as ADA, DEMO_ADMIN as ADMIN};

/// The demo data on a server with three rows per page.
pub(crate) fn server_with_small_pages() -> ReferenceServer {
    let limits = ServerLimits { page_rows: 3, ..ServerLimits::default() };
    let server = ReferenceServer::builder().limits(limits).build();
    server.add_demo();
    server
}

pub(crate) struct Phone {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) network: Arc<Network<ReferenceServer>>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    env: Env,
}

impl Phone {
    /// A phone on which nobody has signed in yet.
    pub(crate) fn new(server: &ReferenceServer, seed: u64) -> Self {
        Self::with_store(server, seed, Arc::new(MemoryStore::new()))
    }

    /// The same phone after its app was killed: only the store is left.
    pub(crate) fn restarted(&self, seed: u64) -> Self {
        Self::with_store(self.network.server(), seed, Arc::new(self.store.reopen()))
    }

    /// A phone whose app owns the session.
    pub(crate) fn with_tokens(server: &ReferenceServer, seed: u64, tokens: Arc<dyn TokenProvider>) -> Self {
        Self::build(server, seed, Arc::new(MemoryStore::new()), |engine| engine.with_tokens(tokens))
    }

    /// The same phone after its app, which owns the session, was killed.
    pub(crate) fn restarted_with_tokens(&self, seed: u64, tokens: Arc<dyn TokenProvider>) -> Self {
        Self::build(self.network.server(), seed, Arc::new(self.store.reopen()), |engine| engine.with_tokens(tokens))
    }

    /// A phone with a ttl, on which nobody has signed in yet.
    pub(crate) fn with_send_ttl(server: &ReferenceServer, seed: u64, ttl: Duration) -> Self {
        Self::build(server, seed, Arc::new(MemoryStore::new()), |engine| engine.with_send_ttl(ttl))
    }

    /// A phone that listens to the server, on which nobody has signed in yet.
    pub(crate) fn with_live(server: &ReferenceServer, seed: u64) -> (Self, LiveNetwork) {
        let live = LiveNetwork::new(server.clone());
        (Self::with_hints(server, seed, Arc::new(live.clone())), live)
    }

    /// A phone with a source of live hints, on which nobody has signed in yet.
    pub(crate) fn with_hints(server: &ReferenceServer, seed: u64, hints: Arc<dyn LiveHints>) -> Self {
        let configure = |engine: Engine| engine.with_live(hints, LiveRhythm::default());
        Self::build(server, seed, Arc::new(MemoryStore::new()), configure)
    }

    fn with_store(server: &ReferenceServer, seed: u64, store: Arc<MemoryStore>) -> Self {
        Self::build(server, seed, store, |engine| engine)
    }

    fn build(
        server: &ReferenceServer,
        seed: u64,
        store: Arc<MemoryStore>,
        configure: impl FnOnce(Engine) -> Engine,
    ) -> Self {
        let network = Arc::new(Network::new(server.clone()));
        let (env, clock) = env(seed);
        let engine = Arc::new(configure(Engine::new(Parts {
            outbox: store.clone(),
            replica: store.clone(),
            sessions: store.clone(),
            turns: store.clone(),
            api: network.clone(),
            auth: network.clone(),
            env: env.clone(),
        })));
        Self { store, network, engine, clock, env }
    }

    /// An engine on this phone's store that makes its messaging calls elsewhere.
    pub(crate) fn engine_with_api(&self, api: impl MessagingApi + 'static) -> Engine {
        Engine::new(Parts {
            outbox: self.store.clone(),
            replica: self.store.clone(),
            sessions: self.store.clone(),
            turns: self.store.clone(),
            api: Arc::new(api),
            auth: self.network.clone(),
            env: self.env.clone(),
        })
    }

    /// An engine on this phone's store that finds its session elsewhere.
    pub(crate) fn engine_with_sessions(&self, sessions: Arc<dyn Sessions>) -> Engine {
        Engine::new(Parts {
            outbox: self.store.clone(),
            replica: self.store.clone(),
            sessions,
            turns: self.store.clone(),
            api: self.network.clone(),
            auth: self.network.clone(),
            env: self.env.clone(),
        })
    }

    /// A phone whose owner has signed in and synced once.
    pub(crate) async fn of(server: &ReferenceServer, email: &str, seed: u64) -> Self {
        let phone = Self::new(server, seed);
        phone.sign_in(email).await;
        phone.sync().await;
        phone.has_told_what_arrived().await;
        phone
    }

    /// The server knows what has arrived, so that this disturbs no count of calls: the next process would tell it first.
    async fn has_told_what_arrived(&self) {
        self.restarted(u64::MAX).engine.sync().await.unwrap();
        self.network.take_calls();
    }

    pub(crate) fn credentials(email: &str) -> Credentials {
        Credentials { email: email.to_owned(), password: DEMO_PASSWORD.into() }
    }

    pub(crate) async fn sign_in(&self, email: &str) {
        self.engine.session().sign_in(&Self::credentials(email)).await.unwrap();
    }

    pub(crate) async fn sync(&self) -> SyncReport {
        self.engine.sync().await.unwrap()
    }

    /// Ada's conversation.
    pub(crate) async fn thread(&self) -> ConversationId {
        let all = self.store.conversations(100).await.unwrap();
        let direct = all.iter().filter(|one| one.medic_id.is_some());
        direct.clone().find(|one| one.participant_name != "Ben Okafor").unwrap().id
    }

    pub(crate) async fn write(&self, text: &str) -> MessageId {
        let thread = self.thread().await;
        self.write_in(thread, text).await
    }

    pub(crate) async fn write_in(&self, conversation_id: ConversationId, text: &str) -> MessageId {
        let written = self.write_silently(conversation_id, text).await;
        self.engine.note_local_write().await.unwrap();
        written.id
    }

    /// Writes like another process would: the engine is not notified.
    pub(crate) async fn write_silently(&self, conversation_id: ConversationId, text: &str) -> ThreadMessage {
        let message = OutgoingMessage {
            id: self.env.message_id(),
            conversation_id,
            kind: MessageKind::Text,
            content: MessageContent::new(text).unwrap(),
            metadata: None,
            reply_to: None,
            mentions: fieldpost_domain::Mentions::new(),
            composed_at: self.env.now(),
        };
        self.store.send(self.env.mutation_id(), message).await.unwrap()
    }

    /// Ada's thread.
    pub(crate) async fn messages(&self) -> Vec<ThreadMessage> {
        self.store.messages(self.thread().await, Window::newest(20_000)).await.unwrap().messages
    }

    /// The seqs and texts of Ada's thread.
    pub(crate) async fn texts(&self) -> Vec<(Option<u64>, String)> {
        let short = |message: ThreadMessage| (message.seq.map(|seq| seq.get()), message.content.unwrap_or_default());
        self.messages().await.into_iter().map(short).collect()
    }

    pub(crate) async fn pending(&self) -> u64 {
        self.store.counts().await.unwrap().pending
    }

    pub(crate) async fn failed(&self) -> u64 {
        self.store.counts().await.unwrap().failed
    }

    pub(crate) async fn unread(&self) -> u64 {
        self.store.total_unread().await.unwrap()
    }

    pub(crate) async fn read(&self) {
        let thread = self.thread().await;
        self.store.mark_read(self.env.mutation_id(), thread, Seq::new(u64::MAX), self.env.now()).await.unwrap();
    }

    pub(crate) async fn is_bootstrapping(&self) -> bool {
        matches!(self.store.sync_state().await.unwrap().position, fieldpost_storage::SyncPosition::Bootstrapping { .. })
    }
}
