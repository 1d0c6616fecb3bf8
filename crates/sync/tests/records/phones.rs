//! Phones with records and messages: a store, both engines, and a network, before the reference server.

use crate::given::table;
use chrono::TimeDelta;
use fieldpost_domain::{
    ConversationId, MessageContent, MessageId, MessageKind, MutationId, RecordId, Time,
    records::{
        AuditOperation, Column, ColumnKind, ColumnName, Fields, NewAuditEntry, NewRecord, Record, RecordChange,
        RecordQuery, RecordRow, RecordState, RecordTable,
    },
};
use fieldpost_remote::{
    Credentials,
    reference::{DEMO_PASSWORD, ReferenceBuilder, ReferenceServer},
};
use fieldpost_storage::{
    Conversations, Messages, Outbox, OutgoingMessage, Sessions, Window,
    memory::MemoryStore,
    records::{AuditLog, RecordCounts, RecordQueue, Records},
};
use fieldpost_sync::{Coordinator, Engine, Env, Parts, RecordEngine, RecordParts};
use fieldpost_testkit::{ManualClock, Network, SeededEntropy};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) use fieldpost_remote::reference::{DEMO_ADA as ADA, DEMO_ADMIN as ADMIN};

/// The demo data, with a table of visits, and the clock of the server.
pub(crate) fn server() -> (ReferenceServer, Arc<ManualClock>) {
    server_of(ReferenceServer::builder())
}

pub(crate) fn server_of(builder: ReferenceBuilder) -> (ReferenceServer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let shown = Arc::clone(&clock);
    let server = builder.clock(move || fieldpost_sync::Clock::now(&*shown)).build();
    server.add_demo();
    server.offer_table(&visits());
    (server, clock)
}

pub(crate) fn visits() -> RecordTable {
    let column = |name, kind| Column::new(ColumnName::new(name).unwrap(), kind);
    RecordTable::new(table("visits"))
        .column(column("place", ColumnKind::Text).required())
        .column(column("visitors", ColumnKind::Integer).on_server(ColumnName::new("count").unwrap()))
        .column(column("urgent", ColumnKind::Bool))
        .immediate_if(ColumnName::new("urgent").unwrap())
}

pub(crate) struct Phone {
    pub(crate) store: Arc<MemoryStore>,
    /// Carries the calls for records.
    pub(crate) records: Arc<Network<ReferenceServer>>,
    /// Carries the calls for messages, and those for sessions.
    pub(crate) messages: Arc<Network<ReferenceServer>>,
    pub(crate) coordinator: Arc<Coordinator>,
    pub(crate) clock: Arc<ManualClock>,
    env: Env,
    server: ReferenceServer,
}

impl Phone {
    fn build(server: &ReferenceServer, seed: u64, store: Arc<MemoryStore>, clock: Arc<ManualClock>) -> Self {
        let records = Arc::new(Network::new(server.clone()));
        let messages = Arc::new(Network::new(server.clone()));
        let env = Env::new(clock.clone(), Arc::new(SeededEntropy::new(seed)));
        let engine = Arc::new(Engine::new(Parts {
            outbox: store.clone(),
            replica: store.clone(),
            sessions: store.clone(),
            turns: store.clone(),
            api: messages.clone(),
            auth: messages.clone(),
            env: env.clone(),
        }));
        let parts = RecordParts::of(store.clone(), records.clone(), engine.shared_session(), env.clone());
        let coordinator = Arc::new(Coordinator::new(Arc::new(RecordEngine::new(parts)), engine));
        Self { store, records, messages, coordinator, clock, env, server: server.clone() }
    }

    /// A phone whose owner has signed in and synced once.
    pub(crate) async fn of(server: &ReferenceServer, email: &str, seed: u64) -> Self {
        let phone = Self::build(server, seed, Arc::new(MemoryStore::new()), Arc::default());
        phone.store.declare(&[visits()]).await.unwrap();
        phone.sign_in(email).await;
        phone.coordinator.messages().sync().await.unwrap();
        phone
    }

    /// The same phone after its app was killed: only the store and the clock are left.
    pub(crate) async fn restarted(&self, seed: u64) -> Self {
        let phone = Self::build(&self.server, seed, Arc::new(self.store.reopen()), Arc::clone(&self.clock));
        phone.store.declare(&[visits()]).await.unwrap();
        phone
    }

    pub(crate) async fn sign_in(&self, email: &str) {
        let credentials = Credentials { email: email.to_owned(), password: DEMO_PASSWORD.into() };
        self.coordinator.sign_in(&credentials).await.unwrap();
    }

    pub(crate) async fn sync(&self) {
        let report = self.coordinator.trigger_sync().await;
        report.records.unwrap();
        report.messages.unwrap();
    }

    pub(crate) async fn create(&self, place: &str) -> RecordId {
        self.create_with(Fields::new().with("place", place)).await
    }

    pub(crate) async fn create_with(&self, fields: Fields) -> RecordId {
        let id = RecordId::from_uuid(self.env.mutation_id().as_uuid());
        self.create_as(self.env.mutation_id(), id, fields).await;
        id
    }

    pub(crate) async fn create_as(&self, mutation: MutationId, id: RecordId, fields: Fields) {
        let at = self.coordinator.records().now();
        let new = NewRecord { id, table: table("visits"), org_id: None, fields, at };
        self.store.create_record(mutation, new).await.unwrap();
        self.coordinator.records().note_local_write().await.unwrap();
    }

    pub(crate) async fn update(&self, id: RecordId, place: &str) -> MutationId {
        let mutation = self.env.mutation_id();
        let fields = Fields::new().with("place", place);
        let at = self.coordinator.records().now();
        let change = RecordChange { table: table("visits"), id, fields, at };
        self.store.update_record(mutation, change).await.unwrap();
        self.coordinator.records().note_local_write().await.unwrap();
        mutation
    }

    pub(crate) async fn delete(&self, id: RecordId) {
        let at = self.coordinator.records().now();
        self.store.delete_record(self.env.mutation_id(), table("visits"), id, at).await.unwrap();
        self.coordinator.records().note_local_write().await.unwrap();
    }

    pub(crate) async fn read(&self, id: RecordId) {
        let at = self.coordinator.records().now();
        let (record_id, id) = (id, fieldpost_domain::AuditId::from_uuid(self.env.mutation_id().as_uuid()));
        let (table, operation, context) = (table("visits"), AuditOperation::Read, Some("list".to_owned()));
        self.store.audit(vec![NewAuditEntry { id, table, record_id, operation, context, at }]).await.unwrap();
    }

    pub(crate) async fn shown(&self) -> Vec<Record> {
        let mut shown = self.store.records(&RecordQuery::new(table("visits"))).await.unwrap();
        shown.sort_by_key(|record| record.id);
        shown
    }

    pub(crate) async fn places(&self) -> Vec<String> {
        let mut places: Vec<String> =
            self.shown().await.iter().map(|record| record.value("place").as_str().unwrap().to_owned()).collect();
        places.sort();
        places
    }

    pub(crate) async fn state_of(&self, id: RecordId) -> RecordState {
        self.store.record(&table("visits"), id).await.unwrap().unwrap().state
    }

    pub(crate) async fn counts(&self) -> RecordCounts {
        self.store.record_counts(self.env.now()).await.unwrap()
    }

    /// Ada's conversation with the admin.
    pub(crate) async fn thread(&self) -> ConversationId {
        let all = self.store.conversations(100).await.unwrap();
        let direct = all.iter().filter(|one| one.medic_id.is_some());
        direct.clone().find(|one| one.participant_name != "Ben Okafor").unwrap().id
    }

    pub(crate) async fn send(&self, text: &str) {
        let id = MessageId::from_uuid(self.env.mutation_id().as_uuid());
        self.send_as(self.env.mutation_id(), id, text).await;
    }

    pub(crate) async fn send_as(&self, mutation: MutationId, id: MessageId, text: &str) {
        let message = OutgoingMessage {
            id,
            conversation_id: self.thread().await,
            kind: MessageKind::Text,
            content: MessageContent::new(text).unwrap(),
            metadata: None,
            reply_to: None,
            mentions: fieldpost_domain::Mentions::new(),
            composed_at: self.env.now(),
        };
        self.store.send(mutation, message).await.unwrap();
        self.coordinator.messages().note_local_write().await.unwrap();
    }

    /// The seqs and texts of the thread.
    pub(crate) async fn texts(&self) -> Vec<(Option<u64>, String)> {
        let thread = self.store.messages(self.thread().await, Window::newest(1000)).await.unwrap();
        let short = |message: fieldpost_storage::ThreadMessage| {
            (message.seq.map(|seq| seq.get()), message.content.unwrap_or_default())
        };
        thread.messages.into_iter().map(short).collect()
    }

    pub(crate) async fn unsent_messages(&self) -> u64 {
        self.store.counts().await.unwrap().pending
    }

    pub(crate) async fn is_signed_in(&self) -> bool {
        self.store.session().await.unwrap().is_some()
    }

    /// Time passes, for this phone, others and the server.
    pub(crate) fn pass(clocks: &[&ManualClock], by: TimeDelta) {
        clocks.iter().for_each(|clock| clock.advance(by));
    }
}

/// The places of the server's rows.
pub(crate) fn places_on(server: &ReferenceServer) -> Vec<String> {
    let place = |row: RecordRow| row.fields.get("place").unwrap().as_str().unwrap().to_owned();
    let mut places: Vec<String> = server.records_of(&table("visits")).into_iter().map(place).collect();
    places.sort();
    places
}

pub(crate) fn number(number: u128) -> MutationId {
    MutationId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

pub(crate) fn now_of(server: &ManualClock) -> Time {
    fieldpost_sync::Clock::now(server)
}
