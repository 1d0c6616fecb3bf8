//! What a newer server may send, and what cannot be read.

use super::build::{ada, conversation_id, direct, message, messages, other_direct, read_to};
use super::given::{loaded, loaded_thread, newest, person, pulled, pulled_messages, summary, texts, thread};
use crate::Store;
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Changes, Conversation, ConversationKind, Message, MessageKind,
    MessageStatus, Metadata, Person, PushOutcome, PushResult, Role, UnreadableRow, Version,
};
use serde_json::json;

fn unreadable(payload: &str) -> UnreadableRow {
    UnreadableRow { list: "messages".to_owned(), payload: payload.to_owned(), reason: "no seq".to_owned() }
}

async fn kept_aside(store: &dyn Store) -> u64 {
    store.sync_state().await.unwrap().unreadable_rows
}

/// Values of a newer server survive.
pub async fn unknown_values_are_kept_as_they_came(store: &dyn Store) {
    let id = conversation_id(1);
    let poll = Message {
        kind: MessageKind::Unknown("poll".to_owned()),
        status: MessageStatus::Unknown("archived".to_owned()),
        ..message(id, 1, &ada())
    };
    let channel = Conversation { kind: ConversationKind::Unknown("channel".to_owned()), ..direct(1, 1) };
    let auditor = Person { role: Role::Unknown("auditor".to_owned()), ..ada() };
    loaded(store, Changes { people: vec![auditor.clone()], ..thread(channel.clone(), vec![poll.clone()]) }).await;

    assert_eq!(summary(store, id).await.kind, channel.kind);
    let shown = newest(store, id, 10).await.messages;
    assert_eq!((&shown[0].kind, &shown[0].status), (&poll.kind, &poll.status));
    assert_eq!(person(store, &auditor).await, Some(auditor));
}

/// Fields of a newer server survive.
pub async fn unknown_fields_are_kept_as_they_came(store: &dyn Store) {
    let extra = json!({"badge": {"level": 3}, "tags": ["night"], "none": null}).as_object().cloned().unwrap();
    let tagged = Person { extra, ..ada() };
    loaded(store, Changes { people: vec![tagged.clone()], ..Changes::default() }).await;
    assert_eq!(person(store, &ada()).await, Some(tagged));
}

/// Metadata of the server is carried, whatever its size.
pub async fn metadata_is_carried_whatever_its_size(store: &dyn Store) {
    let id = conversation_id(1);
    let object = json!({"blob": "x".repeat(40_000), "deep": [[{"n": 1.5}]]}).as_object().cloned().unwrap();
    let metadata = Some(Metadata::from_stored(object));
    loaded_thread(store, direct(1, 1), vec![Message { metadata: metadata.clone(), ..message(id, 1, &ada()) }]).await;
    assert_eq!(newest(store, id, 1).await.messages[0].metadata, metadata);
}

/// Rows that could not be read are counted and kept once; the rest of the page is applied.
pub async fn unreadable_rows_lose_nothing_else(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 0), vec![]).await;
    let page = || Changes { unreadable: vec![unreadable("{\"a\":1}"), unreadable("{\"a\":2}")], ..Changes::default() };

    let report = pulled(store, Changes { messages: messages(id, 1..=2, &ada()), ..page() }).await;
    assert_eq!((report.applied, report.unreadable, kept_aside(store).await), (2, 2, 2));
    assert_eq!(texts(store, id).await.len(), 2);

    let report = pulled(store, page()).await;
    assert_eq!((report.unreadable, kept_aside(store).await), (2, 2));
}

/// A message whose conversation nobody knows is kept aside; the page goes on.
pub async fn a_message_of_an_unknown_conversation_is_kept_aside(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 0), vec![]).await;
    let orphan = message(conversation_id(9), 1, &ada());

    let report = pulled_messages(store, vec![orphan.clone(), message(id, 1, &ada())]).await;

    assert_eq!((report.applied, report.unreadable, report.new_messages), (1, 1, 1));
    assert_eq!(kept_aside(store).await, 1);
    assert_eq!(store.message(orphan.id).await.unwrap(), None);
    assert_eq!(texts(store, id).await, ["message 1"]);

    pulled(store, thread(other_direct(9, 1), vec![])).await;
    assert_eq!(store.missing_ranges(10).await.unwrap().len(), 1, "once its conversation is here, history brings it");
}

/// A kind of access that this version does not know changes nothing here.
pub async fn an_unknown_kind_of_access_is_kept_aside(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    let access = Access::Unknown("suspend".to_owned());
    let change = AccessChange { conversation_id: id, access, version: Version::new(4) };
    let report = pulled(store, Changes { access: vec![change], ..Changes::default() }).await;
    assert_eq!((report.unreadable, report.purged.len(), kept_aside(store).await), (1, 0, 1));
    assert_eq!(texts(store, id).await.len(), 1);
}

/// Messages of kinds that have no text, of people nobody knows, without a device's time.
pub async fn sparse_messages_are_shown(store: &dyn Store) {
    let id = conversation_id(1);
    let sparse = Message { content: None, composed_at: None, kind: MessageKind::Attachment, ..message(id, 1, &ada()) };
    let system = Message { kind: MessageKind::System, ..message(id, 2, &super::build::ben()) };
    loaded_thread(store, direct(1, 2), vec![sparse, system]).await;
    let shown = newest(store, id, 10).await.messages;
    assert_eq!((shown[0].content.as_deref(), shown[0].composed_at, shown[0].deleted), (None, None, false));
    assert_eq!(shown[1].kind, MessageKind::System);
    assert_eq!(super::given::unread(store, id).await, 2);
}

/// Markers of people nobody knows, in conversations nobody knows.
pub async fn markers_of_strangers_do_no_harm(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    let read_markers = vec![read_to(conversation_id(9), &super::build::ben(), 3), read_to(id, &super::build::ben(), 3)];
    let report = pulled(store, Changes { read_markers, ..Changes::default() }).await;
    assert_eq!((report.applied, report.unreadable), (2, 0));
    assert_eq!(texts(store, id).await.len(), 1);
}

/// Defect 5: as much as one answer can hold is applied, and one batch of answers recorded, by one call each.
pub async fn defect_5_the_largest_page_and_batch_are_one_call_each(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 0), vec![]).await;
    let people = (1000..1500).map(|n| Person { id: super::build::person_id(n), medic_id: None, ..ada() }).collect();
    let conversations = (10..500).map(|n| super::build::other_direct(n, 0)).chain([direct(1, 2500)]).collect();
    let page = Changes { people, conversations, messages: messages(id, 1..=2500, &ada()), ..Changes::default() };

    let report = pulled(store, page).await;
    assert_eq!((report.applied, report.new_messages), (500 + 491 + 2500, 2500));
    assert_eq!((super::given::unread(store, id).await, newest(store, id, 5000).await.messages.len()), (2500, 2500));

    for n in 1..=500 {
        super::given::sent(store, n, id).await;
    }
    assert_eq!(super::given::batch(store).await.len(), 500);
    let results = (1..=500).map(|n| PushResult {
        mutation_id: super::build::mutation_id(n),
        outcome: PushOutcome::Acknowledged(Acknowledgement::Sent(super::build::ack(n, id, 2500 + n))),
    });
    assert_eq!(store.settle(results.collect()).await.unwrap().acknowledged, 500);
    assert_eq!(newest(store, id, 5000).await.messages.len(), 3000);
    assert!(super::given::outbox(store).await.is_empty());
}
