//! Rows that one member writes and nobody else can do anything about: none of them stops a device.

use crate::given::{ADA, ADMIN, Site, adas};
use fieldpost::{Client, Error, Metadata, MetadataError, Window};
use fieldpost_devserver::DevServer;
use fieldpost_domain::{Changes, MessageId, PullPage};
use fieldpost_remote::reference::{DEMO_PASSWORD, ReferenceServer};
use fieldpost_remote_supabase::fuzzing;
use fieldpost_storage::{
    Messages, Replica,
    conformance::{build, given},
};
use fieldpost_storage_sqlite::SqliteStore;
use fieldpost_tests::Phone;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tokio::runtime::Builder;

/// `{"a":{"a":…{}}}` with so many braces.
fn nested(levels: usize) -> Map<String, Value> {
    (1..levels).fold(Map::new(), |inner, _| Map::from_iter([("a".to_owned(), Value::Object(inner))]))
}

fn message_id(number: u128) -> MessageId {
    MessageId::from_uuid(uuid::Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 | number))
}

#[tokio::test]
async fn a_row_above_the_limits_is_shown_as_omitted_and_what_follows_arrives() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let admin = site.reference.person_with(ADMIN).unwrap();
    let large = json!({"blob": "x".repeat(3_400_000)}).as_object().cloned();
    let deep = Some(nested(3_000));
    for (number, metadata) in [(1, large), (2, deep), (3, None)] {
        let metadata = metadata.map(Metadata::from_stored);
        site.reference.insert_message_with(message_id(number), thread, admin, "Look at this", metadata).unwrap();
    }
    site.reference.insert_message(thread, admin, &"x".repeat(5_001)).unwrap();
    site.reference.rename_conversation(thread, Some(&"x".repeat(34_000)));

    ada.trigger_message_sync().await.unwrap();
    let (_tablet, again) = site.client(ADA).await;
    for device in [&ada, &again] {
        let shown = device.conversation(thread).messages(Window::newest(4)).await.unwrap().messages;
        let said: Vec<_> = shown.iter().map(|message| message.omitted.as_ref().map(|it| it.sentence())).collect();
        let [Some(large), Some(deep), None, Some(long)] = said.as_slice() else { panic!("{said:?}") };
        assert_eq!(large, "message omitted: too large (3 MB)");
        assert_eq!(deep, "message omitted: nested too deep (17 kB)");
        assert_eq!(long, "message omitted: too long (5 kB)");
        assert_eq!(shown[2].content.as_deref(), Some("Look at this"));
        let summary = device.conversation(thread).summary().await.unwrap().unwrap();
        assert_eq!(summary.omitted.map(|it| it.bytes), Some(34_000));
    }
    assert_eq!(ada.total_unread().await.unwrap(), again.total_unread().await.unwrap());
}

async fn waiting(client: &Client) -> usize {
    client.outbox(100).await.unwrap().len()
}

#[tokio::test]
async fn what_could_not_be_read_everywhere_is_refused_before_anything_is_written() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let shown = ada.conversation(thread).messages(Window::newest(50)).await.unwrap().messages.len();
    let draft = |metadata| fieldpost::Draft::new("Here".to_owned().try_into().unwrap()).with_metadata(metadata);
    for levels in [65, 126, 127, 128, 300, 3_000] {
        assert_eq!(Metadata::new(nested(levels)), Err(MetadataError::TooDeep));
        // As it may have come from somebody else's message.
        let error =
            ada.conversation(thread).send_draft(draft(Metadata::from_stored(nested(levels)))).await.unwrap_err();
        assert!(matches!(error, Error::InvalidMetadata(MetadataError::TooDeep)), "{levels}: {error}");
    }
    let large = json!({"blob": "x".repeat(20_000)}).as_object().cloned().unwrap();
    let error = ada.conversation(thread).send_draft(draft(Metadata::from_stored(large))).await.unwrap_err();
    assert!(matches!(error, Error::InvalidMetadata(MetadataError::TooLarge { .. })));
    assert_eq!(waiting(&ada).await, 0);
    assert_eq!(ada.conversation(thread).messages(Window::newest(50)).await.unwrap().messages.len(), shown);

    let accepted = Metadata::new(nested(64)).unwrap();
    ada.conversation(thread).send_draft(draft(accepted.clone())).await.unwrap();
    ada.trigger_message_sync().await.unwrap();
    let (_desk, admin) = site.client(ADMIN).await;
    let arrived = admin.conversation(thread).messages(Window::newest(1)).await.unwrap().messages.remove(0);
    assert_eq!((arrived.metadata, arrived.omitted), (Some(accepted), None), "whatever is accepted can be read");
}

/// A site behind a proxy that takes no request above this.
async fn behind_a_proxy(bytes: usize) -> (DevServer, Phone, Client) {
    let server = DevServer::builder().reference(ReferenceServer::demo()).body_limit(bytes).start().await.unwrap();
    let phone = Phone::new(server.url(), server.anon_key());
    let client = phone.first_start(ADA, DEMO_PASSWORD).await;
    (server, phone, client)
}

#[tokio::test]
async fn behind_a_proxy_that_refuses_sizes_everything_arrives_but_what_is_too_large_alone() {
    let (server, _phone, ada) = behind_a_proxy(9_000).await;
    let thread = adas(&ada).await;
    for number in 0..60 {
        ada.conversation(thread).send(&format!("{number} {}", "x".repeat(800))).await.unwrap();
    }
    ada.trigger_message_sync().await.unwrap();
    assert_eq!(ada.pending().await.unwrap().pending, 0, "halved until it passed, within one sync");

    let too_large = ada.conversation(thread).send(&"é".repeat(5_000)).await.unwrap();
    let lane = ada.pending().await.unwrap();
    assert_eq!((lane.pending, lane.failed), (1, 0));
    let error = ada.trigger_message_sync().await.unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    let admin = server.reference().person_with(ADMIN).unwrap();
    server.reference().insert_message(thread, admin, "Still there?").unwrap();
    ada.trigger_message_sync().await.unwrap_err();
    let shown = ada.conversation(thread).messages(Window::newest(1)).await.unwrap().messages;
    assert_eq!(shown[0].content.as_deref(), Some("Still there?"), "what is fetched is not held up");
    assert!(shown[1].failure.is_none() && !shown[1].sending, "it waits, and the person can decide about it");
    let codes: Vec<_> = ada.diagnose().await.unwrap().findings.iter().map(fieldpost::Finding::code).collect();
    assert_eq!(codes, ["oversized"]);
    too_large.edit("Shorter").await.unwrap();
    ada.trigger_message_sync().await.unwrap();
    assert_eq!(ada.pending().await.unwrap().pending, 0);
}

/// JSON that PostgreSQL stores, as text: what a member may have written anywhere in a row.
fn hostile() -> impl Strategy<Value = String> {
    let deep = |open: &'static str, close: &'static str| {
        prop_oneof![1_usize..200, Just(3_000_usize), Just(16_345)]
            .prop_map(move |levels| format!("{}1{}", open.repeat(levels), close.repeat(levels)))
    };
    let number = prop_oneof!["-?[1-9][0-9]{0,40}", "[1-9]e[1-9][0-9]{2,3}", Just("18446744073709551615".to_owned())];
    let text = "\\PC{0,20}".prop_map(|text| json!(text).to_string());
    let time = prop_oneof![Just("\"infinity\""), Just("\"294276-12-31T23:59:59Z\""), Just("\"-infinity\"")];
    prop_oneof![
        deep("{\"a\":", "}"),
        deep("[", "]"),
        number,
        text,
        time.prop_map(str::to_owned),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("\"\\ud83d\"".to_owned()),
        (100_usize..200_000).prop_map(|length| format!("\"{}\"", "x".repeat(length))),
    ]
}

/// Where it stands: in one of the fields of a message that others may write, or in a new one.
fn field() -> impl Strategy<Value = &'static str> {
    let fields =
        ["content", "metadata", "composed_at", "created_at", "updated_at", "kind", "status", "reply_to", "sender_id"];
    let odd = ["omitted", "deleted_at", "a_new_field", "seq", "version", "id", "conversation_id"];
    prop::sample::select([fields.as_slice(), odd.as_slice()].concat())
}

/// A pull answer with Ada's thread, five good messages, and rows of which one field each is hostile.
fn answer(rows: &[(&'static str, String)]) -> String {
    let (id, people) = (build::conversation_id(1), [build::iris(), build::ada()]);
    let at = "2026-01-31T08:15:00.123456+00:00";
    let row = |seq: u64| {
        json!({"id": build::message_id(id, seq), "conversation_id": id, "sender_id": people[1].id, "kind": "text",
               "content": format!("message {seq}"), "status": "sent", "seq": seq, "created_at": at, "updated_at": at,
               "version": 1})
    };
    let good = (1..=5).map(|seq| row(seq).to_string());
    let odd = (6..).zip(rows).map(|(seq, (field, hostile))| {
        let mut odd = row(seq);
        odd[*field] = json!("HOSTILE");
        odd.to_string().replace("\"HOSTILE\"", hostile)
    });
    let messages: Vec<String> = odd.chain(good).collect();
    let envelope = json!({"protocol": 1, "min_protocol": 1, "server_time": at, "cursor": "1", "more": false,
                          "messages": ["MESSAGES"]});
    envelope.to_string().replace("\"MESSAGES\"", &messages.join(","))
}

/// The page is applied to a file with Ada's thread on it; how many of the good rows are there then.
async fn applied(page: PullPage) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
    let id = build::conversation_id(1);
    given::loaded(&store, given::thread(build::direct(1, 0), vec![])).await;
    let before = store.sync_state().await.unwrap().position;
    let unread = page.changes.unreadable.len();
    store.apply_pull(&build::cursor("0"), page).await.unwrap();
    let state = store.sync_state().await.unwrap();
    assert_ne!(state.position, before, "the cursor moves on");
    assert!(state.unreadable_rows >= unread as u64);
    let mut here = 0;
    for seq in 1..=5 {
        here += usize::from(store.message(build::message_id(id, seq)).await.unwrap().is_some());
    }
    store.messages(id, Window::newest(100)).await.unwrap();
    here
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_page_applies_whatever_a_member_wrote_and_the_other_rows_arrive(
        rows in prop::collection::vec((field(), hostile()), 0..4),
    ) {
        let page = fuzzing::pull(answer(&rows).as_bytes()).unwrap();
        let Changes { messages, unreadable, .. } = &page.changes;
        prop_assert_eq!(messages.len() + unreadable.len(), 5 + rows.len(), "every row is read or kept aside");
        let whole = (1..=5).all(|seq| messages.iter().any(|row| row.content == Some(format!("message {seq}"))));
        prop_assert!(whole, "the other rows are read");
        let here = Builder::new_current_thread().enable_all().build().unwrap().block_on(applied(page));
        prop_assert_eq!(here, 5);
    }
}
