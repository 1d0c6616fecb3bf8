//! Rows of a newer server, and unreadable rows.

use super::build::{
    ada, conversation_id, direct, history_page, iris, message, messages, other_direct, own_message_id, read_to, seq,
};
use super::given::{
    applied_history, batch, bootstrapped, failure, history, loaded, loaded_thread, newest, outbox, person, pulled,
    pulled_messages, sent, summary, texts, thread, unread,
};
use crate::{BootstrapReason, Store};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Changes, Conversation, ConversationId, ConversationKind, Message,
    MessageKind, MessageStatus, Metadata, Person, PushOutcome, PushResult, RefusalCode, Role, UnreadableRow, Version,
};
use serde_json::json;

fn unreadable(payload: &str) -> UnreadableRow {
    UnreadableRow { list: "messages".to_owned(), payload: payload.to_owned(), reason: "no seq".to_owned() }
}

async fn kept_aside(store: &dyn Store) -> u64 {
    store.sync_state().await.unwrap().unreadable_rows
}

/// Unknown values of a newer server are kept.
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

/// Unknown fields of a newer server are kept.
pub async fn unknown_fields_are_kept_as_they_came(store: &dyn Store) {
    let extra = json!({"badge": {"level": 3}, "tags": ["night"], "none": null}).as_object().cloned().unwrap();
    let tagged = Person { extra, ..ada() };
    loaded(store, Changes { people: vec![tagged.clone()], ..Changes::default() }).await;
    assert_eq!(person(store, &ada()).await, Some(tagged));
}

/// Metadata of the server is stored, whatever its size.
pub async fn metadata_is_carried_whatever_its_size(store: &dyn Store) {
    let id = conversation_id(1);
    let object = json!({"blob": "x".repeat(40_000), "deep": [[{"n": 1.5}]]}).as_object().cloned().unwrap();
    let metadata = Some(Metadata::from_stored(object));
    loaded_thread(store, direct(1, 1), vec![Message { metadata: metadata.clone(), ..message(id, 1, &ada()) }]).await;
    assert_eq!(newest(store, id, 1).await.messages[0].metadata, metadata);
}

/// Unreadable rows are counted and kept once; the rest of the page is applied.
pub async fn unreadable_rows_do_not_affect_other_rows(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 0), vec![]).await;
    let page = || Changes { unreadable: vec![unreadable("{\"a\":1}"), unreadable("{\"a\":2}")], ..Changes::default() };

    let report = pulled(store, Changes { messages: messages(id, 1..=2, &ada()), ..page() }).await;
    assert_eq!((report.applied, report.unreadable, kept_aside(store).await), (2, 2, 2));
    assert_eq!(texts(store, id).await.len(), 2);

    let report = pulled(store, page()).await;
    assert_eq!((report.unreadable, kept_aside(store).await), (2, 2));
}

fn unreadable_message(message: &Message) -> UnreadableRow {
    unreadable(&json!({"id": message.id, "conversation_id": message.conversation_id}).to_string())
}

/// If a message of a page is unreadable, no stored message counts as deleted.
pub async fn an_unreadable_message_deletes_nothing(store: &dyn Store) {
    for reason in [BootstrapReason::Reconcile, BootstrapReason::First] {
        let id = loaded_thread(store, direct(1, 4), messages(conversation_id(1), 1..=4, &ada())).await;
        let with_gaps = |unread: u64| Changes {
            unreadable: vec![unreadable_message(&message(id, unread, &ada()))],
            ..thread(direct(1, 4), messages(id, [2, 4], &ada()))
        };
        bootstrapped(store, reason, with_gaps(3)).await;
        assert_eq!(texts(store, id).await, ["message 2", "message 3", "message 4"], "{reason:?}");
        // The unreadable message stays, although it is below the lowest seq of the page.
        history(store, id, 1, 1, messages(id, 1..=1, &ada())).await;
        bootstrapped(store, reason, with_gaps(1)).await;
        assert_eq!(texts(store, id).await, ["message 1", "message 2", "message 3", "message 4"], "{reason:?}");
    }
}

/// The same for a page of history, even if the unreadable row has no id.
pub async fn an_unreadable_message_of_history_deletes_nothing(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 4), messages(conversation_id(1), 1..=4, &ada())).await;
    for row in [unreadable_message(&message(id, 2, &ada())), unreadable("[1, 2")] {
        let mut page = history_page(id, 1, 4, messages(id, [1, 4], &ada()));
        page.changes.unreadable.push(row);
        applied_history(store, page).await;
        assert_eq!(texts(store, id).await.len(), 4);
    }
    // An unreadable row of another list does not concern messages.
    let mut page = history_page(id, 1, 4, messages(id, [1, 4], &ada()));
    page.changes.unreadable.push(UnreadableRow { list: "people".to_owned(), ..unreadable("{}") });
    applied_history(store, page).await;
    assert_eq!(texts(store, id).await, ["message 1", "message 4"]);
}

fn unreadable_conversation(row: serde_json::Value) -> UnreadableRow {
    UnreadableRow { list: "conversations".to_owned(), ..unreadable(&row.to_string()) }
}

/// A bootstrap in which the first conversation is unreadable and the second one is readable.
fn with_an_unreadable_conversation(row: serde_json::Value, messages_of_it: Vec<Message>) -> Changes {
    let two = conversation_id(2);
    let readable = thread(other_direct(2, 1), messages(two, 1..=1, &ada()));
    let messages = readable.messages.into_iter().chain(messages_of_it).collect();
    Changes { messages, unreadable: vec![unreadable_conversation(row)], ..Changes { messages: vec![], ..readable } }
}

/// The server lists a conversation with an unreadable row. It is visible, so it stays, and its mutations stay queued.
/// Stored messages that are not in the page may have changed since, so they are fetched again.
pub async fn an_unreadable_conversation_keeps_its_row(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    sent(store, 1, id).await;
    let row = json!({"id": id, "subject": 7});

    let report = bootstrapped(
        store,
        BootstrapReason::Reconcile,
        with_an_unreadable_conversation(row, messages(id, 2..=3, &ada())),
    )
    .await;
    assert_eq!((report.purged, report.unreadable), (vec![], 1));
    assert_eq!(texts(store, id).await, ["message 2", "message 3", "own 1"]);
    assert_eq!(newest(store, id, 10).await.older, crate::Older::OnServer(seq(2)));
    assert_eq!(batch(store).await.len(), 1, "still to be sent");
    history(store, id, 1, 1, messages(id, 1..=1, &ada())).await;
    assert_eq!((summary(store, id).await.last_seq, unread(store, id).await), (seq(3), 3));

    // The same, without messages in the page.
    let row = json!({"id": id, "subject": 7});
    bootstrapped(store, BootstrapReason::Reconcile, with_an_unreadable_conversation(row, vec![])).await;
    assert_eq!(texts(store, id).await, ["own 1"]);
    assert!(store.missing_ranges(10).await.unwrap().iter().any(|missing| missing.conversation_id == id));

    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 3), messages(id, 1..=3, &ada()))).await;
    assert_eq!(texts(store, id).await, ["message 1", "message 2", "message 3", "own 1"], "and can be read again");
}

/// An unreadable row without an id names no conversation, so a conversation that is not listed counts as out of sight.
/// After a change of epoch the stored row belongs to the old epoch.
pub async fn a_conversation_with_an_unidentified_row_leaves(store: &dyn Store) {
    let id = conversation_id(1);
    let rows = [(BootstrapReason::Reconcile, json!({"subject": 7})), (BootstrapReason::Epoch, json!({"id": id}))];
    for (n, (reason, row)) in (1..).zip(rows) {
        loaded_thread(store, direct(1, 2), messages(id, 1..=2, &ada())).await;
        sent(store, n, id).await;
        let report = bootstrapped(store, reason, with_an_unreadable_conversation(row, vec![])).await;
        assert_eq!(report.purged, [id], "{reason:?}");
        let waited = outbox(store).await.into_iter().find(|entry| entry.message_id == Some(own_message_id(n)));
        assert_eq!(
            failure(&waited.unwrap()),
            Some(&RefusalCode::AccessLost),
            "{reason:?}: the queued mutation is not lost"
        );
    }
}

/// The same for people: they keep their rows.
pub async fn an_unreadable_person_keeps_its_row(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    for reason in [BootstrapReason::Reconcile, BootstrapReason::Epoch] {
        let row = UnreadableRow { list: "people".to_owned(), ..unreadable(&json!({"id": ada().id}).to_string()) };
        let page = thread(direct(1, 1), messages(id, 1..=1, &ada()));
        bootstrapped(store, reason, Changes { people: vec![iris()], unreadable: vec![row], ..page }).await;
        let here = person(store, &ada()).await.unwrap();
        assert_eq!((here.first_name, here.removed), (ada().first_name, false), "{reason:?}");
    }
}

/// An unreadable row leaves when its conversation may not be seen any more.
pub async fn unreadable_rows_leave_with_their_conversation(store: &dyn Store) {
    let (one, two) = (conversation_id(1), conversation_id(2));
    let conversations = vec![direct(1, 1), other_direct(2, 1)];
    loaded(store, Changes { people: vec![iris(), ada()], conversations, ..Changes::default() }).await;
    let row = |list: &str, payload: serde_json::Value| UnreadableRow {
        list: list.to_owned(),
        ..unreadable(&payload.to_string())
    };
    let rows = vec![
        row("messages", json!({"conversation_id": one, "content": "hers"})),
        row("conversations", json!({"id": one, "subject": 7})),
        row("messages", json!({"conversation_id": two})),
        row("messages", json!({"id": one})),
        row("people", json!("nobody")),
    ];
    pulled(store, Changes { unreadable: rows, ..Changes::default() }).await;
    assert_eq!(kept_aside(store).await, 5);

    let access = vec![AccessChange { conversation_id: one, access: Access::Revoke, version: Version::new(9) }];
    let late = vec![row("messages", json!({"conversation_id": one, "content": "in the same page"}))];
    pulled(store, Changes { access, unreadable: late, ..Changes::default() }).await;
    assert_eq!(kept_aside(store).await, 3);

    let tombstones = vec![super::build::conversation_tombstone(two, 9)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    assert_eq!(kept_aside(store).await, 2, "those that name no conversation stay");
}

/// A re-key changes unreadable rows too.
pub async fn unreadable_rows_follow_the_canonical_id(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    store.open_direct(super::build::mutation_id(1), super::build::new_direct(1)).await.unwrap();
    let row = |n: u64| unreadable(&json!({"conversation_id": conversation_id(1), "n": n}).to_string());
    pulled(store, Changes { unreadable: vec![row(1)], ..Changes::default() }).await;
    super::given::acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(2, 0)))).await;
    pulled(store, Changes { unreadable: vec![row(2)], ..Changes::default() }).await;
    assert_eq!(kept_aside(store).await, 2);

    bootstrapped(store, BootstrapReason::Reconcile, Changes::default()).await;
    assert_eq!(kept_aside(store).await, 0);
}

/// A server that sends only unreadable rows does not fill the disk: the oldest rows leave.
pub async fn the_newest_thousand_unreadable_rows_are_kept(store: &dyn Store) {
    let (one, two) = (conversation_id(1), conversation_id(2));
    let conversations = vec![direct(1, 0), other_direct(2, 0)];
    loaded(store, Changes { conversations, ..Changes::default() }).await;
    let rows = |conversation: ConversationId| {
        let row = |n| unreadable(&json!({"conversation_id": conversation, "n": n}).to_string());
        Changes { unreadable: (0..600).map(row).collect(), ..Changes::default() }
    };
    pulled(store, rows(one)).await;
    assert_eq!((pulled(store, rows(two)).await.unreadable, kept_aside(store).await), (600, 1000));
    assert_eq!((pulled(store, rows(two)).await.unreadable, kept_aside(store).await), (600, 1000));

    let tombstones = vec![super::build::conversation_tombstone(one, 9)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    assert_eq!(kept_aside(store).await, 600, "400 of the older rows stay");
}

/// A message of an unknown conversation is kept aside; the rest of the page is applied.
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

/// A kind of access that this version does not know changes nothing.
pub async fn an_unknown_kind_of_access_is_kept_aside(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    let access = Access::Unknown("suspend".to_owned());
    let change = AccessChange { conversation_id: id, access, version: Version::new(4) };
    let report = pulled(store, Changes { access: vec![change], ..Changes::default() }).await;
    assert_eq!((report.unreadable, report.purged.len(), kept_aside(store).await), (1, 0, 1));
    assert_eq!(texts(store, id).await.len(), 1);
}

/// Messages without text, of unknown people, or without a device time.
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

/// Markers of unknown people, in unknown conversations.
pub async fn markers_of_unknown_people_are_harmless(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    let read_markers = vec![read_to(conversation_id(9), &super::build::ben(), 3), read_to(id, &super::build::ben(), 3)];
    let report = pulled(store, Changes { read_markers, ..Changes::default() }).await;
    assert_eq!((report.applied, report.unreadable), (2, 0));
    assert_eq!(texts(store, id).await.len(), 1);
}

/// Defect 5: the largest page is applied by one call, and so are the results of the largest batch.
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
