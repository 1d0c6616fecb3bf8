//! A phone of the older app, imported with what it had not sent, and synced: each is on the server once.

use crate::given::{ADA, ADMIN, Site};
use fieldpost::{Client, ConversationId, Fieldpost, ImportReport, MessageId, Window};
use fieldpost_domain::{ConversationKind, Metadata, OrgId, PersonId, records::TableName};
use fieldpost_remote::reference::DEMO_PASSWORD;
use fieldpost_tests::{OldApp, Phone};
use serde_json::json;

/// The id that the fixture has for its person, its org, its conversation.
const ME: &str = "0198c0de-0000-7000-8000-000000000201";
const ORG: &str = "0198c0de-0000-7000-8000-000000000100";
const DIRECT: &str = "0198c0de-0000-7000-8000-0000000000c1";

struct World {
    site: Site,
    app: OldApp,
    conversation: ConversationId,
    ada: PersonId,
}

impl World {
    /// Ada's phone with the older app, whose conversation and queued messages are those of the demo world's Ada.
    async fn new() -> Self {
        let site = Site::new().await;
        let ada = site.reference.person_with(ADA).unwrap();
        let org = site.reference.memberships(ada)[0].org_id;
        let conversations = site.reference.conversations_of(ada);
        let direct = |one: &&fieldpost_domain::Conversation| one.kind == ConversationKind::Direct;
        let conversation = conversations.iter().find(direct).unwrap().id;
        let app = OldApp::new();
        app.run(&adapted(org, ada, conversation)).await;
        Self { site, app, conversation, ada }
    }

    /// What the older app had written in the conversation, and the server has.
    fn texts(&self) -> Vec<String> {
        let messages = self.site.reference.messages_of(self.conversation);
        messages.into_iter().filter_map(|message| message.content).collect()
    }

    async fn import(&self, phone: &Phone) -> ImportReport {
        phone.import(&self.app.file()).await.unwrap()
    }

    async fn start(&self, phone: &Phone) -> Client {
        let client = phone.start().await;
        client.sign_in(ADA, DEMO_PASSWORD).await.unwrap();
        client
    }

    fn times(&self, text: &str) -> usize {
        self.texts().iter().filter(|there| *there == text).count()
    }
}

/// Gives the rows of the fixture the ids of the demo world, and takes out what is about others.
fn adapted(org: OrgId, ada: PersonId, conversation: ConversationId) -> String {
    format!(
        "UPDATE conversations SET org_id = '{org}' WHERE org_id = '{ORG}';
         UPDATE conversations SET server_id = '{conversation}' WHERE server_id = '{DIRECT}';
         DELETE FROM conversations WHERE server_id IS NULL OR server_id <> '{conversation}';
         DELETE FROM messages WHERE conversation_id NOT IN ('convDirect000001', 'convDirectTwin01', '{DIRECT}');
         UPDATE messages SET conversation_id = '{conversation}' WHERE conversation_id = '{DIRECT}';
         UPDATE messages SET org_id = '{org}', sender_id = CASE sender_id WHEN '{ME}' THEN '{ada}' ELSE sender_id END;
         DELETE FROM sync_queue; DELETE FROM treatments; DELETE FROM workers; DELETE FROM near_misses;
         DELETE FROM safety_checks; DELETE FROM audit_log;"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_older_app_had_queued_is_sent_once() {
    let world = World::new().await;
    let phone = world.site.phone();
    let before = std::fs::read(world.app.file()).unwrap();

    let report = world.import(&phone).await;
    let client = world.start(&phone).await;
    client.sync().await.unwrap();
    client.sync().await.unwrap();

    for text in ["on my way", "trimmed", "third"] {
        assert_eq!(world.times(text), 1, "{text}: {:?}", world.texts());
    }
    assert_eq!(report.queued.messages, 3);
    let counts = client.outbox(u32::MAX).await.unwrap();
    assert!(counts.iter().all(|entry| matches!(entry.state, fieldpost::EntryState::Failed(_))), "{counts:?}");
    assert_eq!(std::fs::read(world.app.file()).unwrap(), before);
    client.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_older_app_had_delivered_is_known_by_its_key() {
    let world = World::new().await;
    let phone = world.site.phone();
    // It arrived under an id of the server; the answer never reached the phone.
    let key = "0198c0de-0000-7000-8000-0000000000b1";
    let metadata = json!({"idempotency_key": key}).as_object().cloned().map(Metadata::from_stored);
    let id: MessageId = "0198c0de-0000-7000-8000-00000000dddd".parse().unwrap();
    world.site.reference.insert_message_with(id, world.conversation, world.ada, "on my way", metadata).unwrap();

    world.import(&phone).await;
    let client = world.start(&phone).await;
    client.sync().await.unwrap();

    assert_eq!(world.times("on my way"), 1, "{:?}", world.texts());
    let window = client.conversation(world.conversation).messages(Window::newest(50)).await.unwrap();
    let here: Vec<_> = window.messages.iter().filter(|one| one.content.as_deref() == Some("on my way")).collect();
    assert_eq!((here.len(), here[0].id), (1, id));
    client.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_opened_in_place_is_sent_once_too() {
    let world = World::new().await;
    let network = world.site.network.url().to_owned();
    let builder = Fieldpost::builder().url(network).anon_key(world.site.server.anon_key());
    let client = builder.database(world.app.file()).open().await.unwrap();
    client.sign_in(ADA, DEMO_PASSWORD).await.unwrap();
    client.sync().await.unwrap();
    for text in ["on my way", "trimmed", "third"] {
        assert_eq!(world.times(text), 1, "{text}");
    }
    assert_eq!(client.imported().await.unwrap().unwrap().queued.messages, 3);
    client.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_who_signs_in_on_the_imported_file_sends_nothing_in_her_name() {
    let world = World::new().await;
    let phone = world.site.phone();
    world.import(&phone).await;
    let client = phone.start().await;
    client.sign_in(ADMIN, DEMO_PASSWORD).await.unwrap();
    client.sync().await.unwrap();
    for text in ["on my way", "trimmed", "third"] {
        assert_eq!(world.times(text), 0, "{text}");
    }
    client.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_the_older_app_had_not_sent_are_sent_once_too() {
    // Given
    let world = World::new().await;
    let app = OldApp::new();
    let org = world.site.reference.memberships(world.ada)[0].org_id;
    app.belong_to(&org.to_string(), &world.ada.to_string(), &world.conversation.to_string()).await;
    let phone = world.site.phone();

    // When
    phone.import(&app.file()).await.unwrap();
    let client = phone.start_with_records().await;
    client.sign_in(ADA, DEMO_PASSWORD).await.unwrap();
    world.site.network.order(fieldpost_devserver::Endpoint::RecordsPush, 1, fieldpost_devserver::Fault::LoseAnswer);
    for _ in 0..3 {
        let report = client.trigger_sync().await.unwrap();
        report.messages.unwrap();
        report.records.unwrap();
    }

    // Then
    for table in fieldpost::records::clinical_tables() {
        let rows = world.site.reference.records_of(&TableName::new(table.name.as_str()).unwrap());
        assert_eq!(rows.iter().filter(|row| row.org_id == org).count(), 1, "{}", table.name);
    }
    let counts = client.record_counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (0, 0), "{:?}", client.record_queue(10).await.unwrap());
    let treatments = TableName::new("treatments").unwrap();
    let row = world.site.reference.records_of(&treatments).remove(0);
    assert_eq!(row.fields.get("reference_number").unwrap(), "SITE-20260131-002");
    let workers = world.site.reference.records_of(&TableName::new("workers").unwrap());
    assert_eq!(row.fields.get("worker_id").unwrap(), &json!(workers[0].id), "the reference follows");
    client.close().await.unwrap();
}
