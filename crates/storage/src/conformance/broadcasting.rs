//! Broadcasts: admins open and write them, medics read them, and their authors see how far they got.

use super::build::{
    ada, at, ben, broadcast, conversation_id, direct, iris, message, messages, mutation_id, read_to, seq,
};
use super::given::{loaded, loaded_thread, newest, outbox, pulled, send_outcome, thread};
use crate::{ConversationSummary, NewBroadcast, NotPossible, ReceiptCounts, StorageErrorKind, StorageResult, Store};
use fieldpost_domain::{
    Changes, ConversationId, ConversationKind, Intent, MutationKind, Person, ReadMarker, Role, Version,
};

async fn open(store: &dyn Store, n: u64, subject: Option<&str>) -> StorageResult<ConversationSummary> {
    let new = NewBroadcast { id: conversation_id(60 + n), subject: subject.map(str::to_owned), at: at(400 + n) };
    store.open_broadcast(mutation_id(n), new).await
}

/// Iris is an admin from now on, or a medic.
async fn iris_is(store: &dyn Store, role: Role) {
    let row = Person { role, version: Version::new(9), ..iris() };
    pulled(store, Changes { people: vec![row], ..Changes::default() }).await;
}

fn medic(person: Person, removed: bool) -> Person {
    Person { role: Role::Medic, removed, version: Version::new(9), ..person }
}

/// `Outbox::open_broadcast`: it is there at once, and its open comes before its messages.
pub async fn an_admin_opens_a_broadcast_offline(store: &dyn Store) {
    loaded(store, thread(direct(1, 0), vec![])).await;
    iris_is(store, Role::OrgAdmin).await;
    let opened = open(store, 1, Some("Site notices")).await.unwrap();
    assert_eq!((opened.kind, opened.on_server), (ConversationKind::Broadcast, false));
    assert_eq!(opened.participant_name, "Site notices");
    send_outcome(store, 2, opened.id).await.unwrap();
    let kinds: Vec<_> = outbox(store).await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [MutationKind::OpenBroadcast, MutationKind::SendMessage]);
    let batch = store.next_batch(super::build::wide(), &std::collections::HashSet::new()).await.unwrap();
    let Intent::OpenBroadcast(intent) = &batch[0].intent else { panic!("{batch:?}") };
    assert_eq!((intent.org_id, intent.subject.as_deref()), (iris().org_id, Some("Site notices")));
}

/// `Outbox::open_broadcast`: a stored one is returned, by whomever it was opened.
pub async fn an_org_has_one_broadcast(store: &dyn Store) {
    loaded(store, thread(direct(1, 0), vec![])).await;
    iris_is(store, Role::OrgAdmin).await;
    let first = open(store, 1, None).await.unwrap();
    assert_eq!(open(store, 2, Some("again")).await.unwrap().id, first.id);
    assert_eq!(outbox(store).await.len(), 1);
}

/// `Outbox::open_broadcast`: the errors.
pub async fn a_medic_opens_no_broadcast(store: &dyn Store) {
    assert_eq!(open(store, 1, None).await.unwrap_err().kind(), StorageErrorKind::NotSynced);
    loaded(store, thread(direct(1, 0), vec![])).await;
    iris_is(store, Role::Medic).await;
    let error = open(store, 1, None).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::ReadOnly));
    assert_eq!(outbox(store).await, []);
}

/// `Outbox::send`: nothing of what a medic writes in a broadcast is recorded.
pub async fn a_medic_only_reads_a_broadcast(store: &dyn Store) {
    let id = loaded_thread(store, broadcast(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    iris_is(store, Role::Medic).await;
    let error = send_outcome(store, 1, id).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::ReadOnly));
    assert_eq!((outbox(store).await.len(), newest(store, id, 10).await.messages.len()), (0, 1));
    iris_is_again_admin(store).await;
    assert!(send_outcome(store, 1, id).await.is_ok());
}

async fn iris_is_again_admin(store: &dyn Store) {
    let row = Person { role: Role::OrgAdmin, version: Version::new(10), ..iris() };
    pulled(store, Changes { people: vec![row], ..Changes::default() }).await;
}

async fn counts(store: &dyn Store, id: ConversationId) -> Vec<Option<(u64, u64, u64)>> {
    let shown = newest(store, id, 10).await.messages;
    let one_by_one = |counts: ReceiptCounts| (counts.recipients, counts.delivered, counts.read);
    shown.into_iter().map(|message| message.receipts.map(one_by_one)).collect()
}

/// `ThreadMessage::receipts`: the medics of the org, and former ones who have received it.
pub async fn a_broadcast_counts_who_has_received_and_read_it(store: &dyn Store) {
    let id = conversation_id(1);
    let rows = vec![message(id, 1, &iris()), message(id, 2, &ada()), message(id, 3, &iris())];
    loaded_thread(store, broadcast(1, 3), rows).await;
    iris_is(store, Role::OrgAdmin).await;
    let people = vec![medic(ada(), false), medic(ben(), false)];
    pulled(store, Changes { people, ..Changes::default() }).await;
    assert_eq!(counts(store, id).await, [Some((2, 0, 0)), None, Some((2, 0, 0))]);

    let markers = vec![ReadMarker { delivered_seq: seq(3), ..read_to(id, &ada(), 1) }, read_to(id, &iris(), 3)];
    pulled(store, Changes { read_markers: markers, ..Changes::default() }).await;
    assert_eq!(counts(store, id).await, [Some((2, 1, 1)), None, Some((2, 1, 0))], "one's own marker does not count");

    pulled(store, Changes { read_markers: vec![read_to(id, &ben(), 1)], ..Changes::default() }).await;
    let left = Person { version: Version::new(11), ..medic(ben(), true) };
    pulled(store, Changes { people: vec![left], ..Changes::default() }).await;
    assert_eq!(
        counts(store, id).await,
        [Some((2, 2, 2)), None, Some((1, 1, 0))],
        "who left counts where she was reached"
    );
    let one = store.message(super::build::message_id(id, 1)).await.unwrap().unwrap();
    assert_eq!(one.receipts, Some(ReceiptCounts { recipients: 2, delivered: 2, read: 2 }));
}

/// `ThreadMessage::receipts`: a direct conversation has none.
pub async fn a_direct_conversation_counts_no_receipts(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &iris())).await;
    pulled(store, Changes { read_markers: vec![read_to(id, &ada(), 1)], ..Changes::default() }).await;
    assert_eq!(counts(store, id).await, [None]);
}
