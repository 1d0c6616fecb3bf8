//! What has arrived: the store says so by itself, and nobody waits for it.

use super::build::{
    ada, at, ben, bootstrap_page, conversation_id, cursor, direct, history_page, iris, message, messages, mutation_id,
    pull_page, read_to, wide,
};
use super::given::{applied_history, loaded_thread, outbox, read, read_up_to, thread};
use crate::{BootstrapReason, OutboxCounts, Store};
use fieldpost_domain::{
    Acknowledgement, BootstrapPage, Capability, Changes, ConversationId, Intent, MarkDelivered, Message, Mutation,
    PullPage, ReadMarker, ServerInfo, Version,
};
use std::collections::HashSet;

fn server() -> ServerInfo {
    ServerInfo { sql_version: Some(2), capabilities: [Capability::MarkDelivered].into() }
}

/// Pulls a page of a server that can be told what has arrived. Returns how many marks it queued.
async fn arrive(store: &dyn Store, changes: Changes) -> u64 {
    let crate::SyncPosition::Following(from) = store.sync_state().await.unwrap().position else {
        panic!("the store follows nothing yet");
    };
    let next = (from.as_str().parse::<u64>().unwrap() + 1).to_string();
    let page = PullPage { server: server(), ..pull_page(&next, changes) };
    store.apply_pull(&cursor(from.as_str()), page).await.unwrap().delivered
}

async fn arrived(store: &dyn Store, messages: Vec<Message>) -> u64 {
    arrive(store, Changes { messages, ..Changes::default() }).await
}

async fn batch(store: &dyn Store) -> Vec<Mutation> {
    store.next_batch(wide(), &HashSet::new()).await.unwrap()
}

/// How far the marks in the outbox go, in their order.
async fn marks(store: &dyn Store) -> Vec<(ConversationId, u64)> {
    let marks = batch(store).await.into_iter().filter_map(|mutation| match mutation.intent {
        Intent::MarkDelivered(MarkDelivered { conversation_id, delivered_seq }) => {
            Some((conversation_id, delivered_seq.get()))
        }
        _ => None,
    });
    marks.collect()
}

/// One thread with two messages of Ada, of a server that has not said what it can do.
async fn two_of_ada(store: &dyn Store) -> ConversationId {
    loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await
}

/// A page that brings messages of others queues how far the thread is here.
pub async fn a_page_queues_what_has_arrived(store: &dyn Store) {
    let id = two_of_ada(store).await;
    assert_eq!(marks(store).await, [], "the server cannot be told");
    let rows = vec![message(id, 3, &ada()), message(id, 4, &iris())];
    assert_eq!(arrived(store, rows).await, 1);
    assert_eq!(marks(store).await, [(id, 3)], "up to the last message of somebody else");
    assert_eq!(arrived(store, vec![message(id, 4, &iris())]).await, 0, "the same rows again are no news");
    assert_eq!(marks(store).await, [(id, 3)]);
}

/// A person's own messages are no arrivals.
pub async fn own_messages_are_no_arrivals(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &iris())).await;
    assert_eq!(arrived(store, messages(id, 2..=3, &iris())).await, 0);
    assert_eq!(marks(store).await, []);
}

/// `OutboxCounts`, `Outbox::entries`: nobody waits for a mark of what has arrived.
pub async fn nobody_waits_for_a_mark_of_what_has_arrived(store: &dyn Store) {
    let id = two_of_ada(store).await;
    arrived(store, messages(id, 3..=3, &ada())).await;
    assert_eq!(store.counts().await.unwrap(), OutboxCounts::default());
    assert_eq!(outbox(store).await, []);
    let sent = batch(store).await.remove(0);
    assert_eq!(store.counts().await.unwrap(), OutboxCounts::default(), "nor while it is in flight");
    acknowledged_as(store, &sent, read_to(id, &iris(), 0)).await;
    assert_eq!((marks(store).await.len(), store.counts().await.unwrap()), (0, OutboxCounts::default()));
}

async fn acknowledged_as(store: &dyn Store, mutation: &Mutation, marker: ReadMarker) {
    let outcome = fieldpost_domain::PushOutcome::Acknowledged(Acknowledgement::Marked(marker));
    let result = fieldpost_domain::PushResult { mutation_id: mutation.id, outcome };
    store.settle(vec![result]).await.unwrap();
}

/// A mark of the same conversation is replaced, in flight or not.
pub async fn a_later_arrival_replaces_the_mark(store: &dyn Store) {
    let id = two_of_ada(store).await;
    arrived(store, messages(id, 3..=3, &ada())).await;
    assert_eq!(batch(store).await.len(), 1);
    arrived(store, messages(id, 4..=5, &ada())).await;
    assert_eq!(marks(store).await, [(id, 5)]);
}

/// What the server knows is not said again, whichever device said it.
pub async fn what_the_server_knows_is_not_said_again(store: &dyn Store) {
    let id = two_of_ada(store).await;
    let marker = ReadMarker { delivered_seq: super::build::seq(3), ..read_to(id, &iris(), 0) };
    let page = Changes { messages: messages(id, 3..=3, &ada()), read_markers: vec![marker], ..Changes::default() };
    assert_eq!(arrive(store, page).await, 0);
    assert_eq!(marks(store).await, []);
}

/// `Outbox::mark_read`: reading says that it has arrived; a mark that goes no further leaves.
pub async fn a_read_mark_makes_the_mark_of_arrival_superfluous(store: &dyn Store) {
    let id = two_of_ada(store).await;
    arrived(store, messages(id, 3..=4, &ada())).await;
    read_up_to(store, 1, id, 3).await;
    assert_eq!(marks(store).await, [(id, 4)], "not that far");
    read(store, 2, id).await;
    let left = batch(store).await;
    assert_eq!((left.len(), left[0].id), (1, mutation_id(2)));
    assert_eq!(arrived(store, messages(id, 4..=4, &ada())).await, 0);
}

/// Above a gap nothing counts as arrived before history has filled it.
pub async fn what_lies_above_a_gap_has_not_arrived_yet(store: &dyn Store) {
    let id = two_of_ada(store).await;
    let row = fieldpost_domain::Conversation { unread: 6, ..direct(1, 6) };
    assert_eq!(arrive(store, thread(row, messages(id, 5..=6, &ada()))).await, 1);
    assert_eq!(marks(store).await, [(id, 2)], "of what is here without a gap the server did not know either");
    applied_history(store, history_page(id, 3, 6, messages(id, 3..=6, &ada()))).await;
    assert_eq!(marks(store).await, [(id, 6)]);
}

async fn bootstrap(store: &dyn Store, reason: BootstrapReason, changes: Changes) {
    store.begin_bootstrap(reason).await.unwrap();
    let page = BootstrapPage { server: server(), ..bootstrap_page(changes) };
    store.apply_bootstrap(None, page).await.unwrap();
}

/// A bootstrap queues for each conversation what its server does not know, also what it knew before a restore.
pub async fn a_bootstrap_says_again_what_the_server_has_forgotten(store: &dyn Store) {
    let id = two_of_ada(store).await;
    arrived(store, messages(id, 3..=3, &ada())).await;
    let sent = batch(store).await.remove(0);
    acknowledged_as(store, &sent, ReadMarker { delivered_seq: super::build::seq(3), ..read_to(id, &iris(), 0) }).await;
    assert_eq!(marks(store).await, []);
    let changes = || thread(direct(1, 3), messages(id, 1..=3, &ada()));
    let knows = ReadMarker { delivered_seq: super::build::seq(3), ..read_to(id, &iris(), 0) };
    bootstrap(store, BootstrapReason::Reconcile, Changes { read_markers: vec![knows], ..changes() }).await;
    assert_eq!(marks(store).await, []);
    bootstrap(store, BootstrapReason::Epoch, changes()).await;
    assert_eq!(marks(store).await, [(id, 3)]);
}

/// A revoked conversation takes its mark along.
pub async fn a_mark_of_arrival_leaves_with_its_conversation(store: &dyn Store) {
    let id = two_of_ada(store).await;
    arrived(store, messages(id, 3..=3, &ada())).await;
    let tombstone = super::build::conversation_tombstone(id, 9);
    arrive(store, Changes { tombstones: vec![tombstone], ..Changes::default() }).await;
    assert_eq!((marks(store).await, store.counts().await.unwrap()), (vec![], OutboxCounts::default()));
}

/// A refusal leaves no dead letter.
pub async fn a_refused_mark_of_arrival_is_no_dead_letter(store: &dyn Store) {
    let id = two_of_ada(store).await;
    arrived(store, messages(id, 3..=3, &ada())).await;
    let sent = batch(store).await.remove(0);
    let refusal = fieldpost_domain::Refusal { code: fieldpost_domain::RefusalCode::Forbidden, detail: None };
    let outcome = fieldpost_domain::PushOutcome::Rejected(refusal);
    store.settle(vec![fieldpost_domain::PushResult { mutation_id: sent.id, outcome }]).await.unwrap();
    assert_eq!((marks(store).await, store.counts().await.unwrap()), (vec![], OutboxCounts::default()));
    assert_eq!(store.expire(at(10_000)).await.unwrap(), 0);
}

/// A marker says when it came to its position; a later position has its own time. A newer row without one takes it away: whose
/// marker it is was erased.
pub async fn a_marker_has_the_time_of_its_position(store: &dyn Store) {
    let id = two_of_ada(store).await;
    let marker = |read, read_at| ReadMarker { read_at, delivered_at: read_at, ..read_to(id, &ben(), read) };
    for (told, known) in [
        (marker(1, Some(at(1))), (1, Some(at(1)))),
        (marker(1, None), (1, Some(at(1)))),
        (marker(2, None), (2, None)),
        (marker(2, Some(at(3))), (2, Some(at(3)))),
        (marker(1, Some(at(1))), (2, Some(at(3)))),
        (ReadMarker { version: Version::new(9), ..marker(1, None) }, (2, Some(at(3)))),
        (ReadMarker { version: Version::new(10), ..marker(2, None) }, (2, None)),
    ] {
        arrive(store, Changes { read_markers: vec![told], ..Changes::default() }).await;
        let markers = store.markers(id).await.unwrap();
        let of_ben = markers.iter().find(|marker| marker.person_id == ben().id).unwrap();
        assert_eq!((of_ben.read_seq.get(), of_ben.read_at), known);
        assert_eq!((of_ben.delivered_seq.get(), of_ben.delivered_at), known);
    }
}
