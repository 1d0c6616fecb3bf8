//! Batches of mutations to send.

use super::build::{ada, composed, conversation_id, direct, messages, mutation_id, new_direct, other_direct, wide};
use super::given::{answered, batch, loaded, loaded_thread, mutations, outbox, read, refused, send, sent};
use crate::{BatchLimits, EntryState, Store, SyncMemory};
use fieldpost_domain::{
    Changes, ConversationId, Intent, MessageContent, MutationKind, NewMessage, PushOutcome, RefusalCode, RetryCode,
};
use std::collections::HashSet;

const NONE: [ConversationId; 0] = [];

async fn two_lanes(store: &dyn Store) -> (ConversationId, ConversationId) {
    loaded(store, Changes { conversations: vec![direct(1, 0), other_direct(2, 0)], ..Changes::default() }).await;
    (conversation_id(1), conversation_id(2))
}

async fn fitting(store: &dyn Store, rows: u32, bytes: u32) -> Vec<fieldpost_domain::MutationId> {
    let batch = store.next_batch(BatchLimits { rows, bytes }, &HashSet::from(NONE)).await.unwrap();
    batch.into_iter().map(|mutation| mutation.id).collect()
}

/// `Outbox::next_batch`: in the order of recording, regardless of the ids.
pub async fn a_batch_is_in_the_order_of_recording(store: &dyn Store) {
    let (one, two) = two_lanes(store).await;
    for (n, lane) in [(5, one), (2, two), (9, one), (1, two)] {
        sent(store, n, lane).await;
    }
    assert_eq!(batch(store).await, mutations([5, 2, 9, 1]));
}

/// `Outbox::next_batch`: the mutations stay in the outbox until they are settled.
pub async fn reading_a_batch_takes_nothing_out(store: &dyn Store) {
    let (one, _) = two_lanes(store).await;
    sent(store, 1, one).await;
    assert_eq!(batch(store).await, mutations([1]));
    assert_eq!(batch(store).await, mutations([1]));
    assert_eq!(outbox(store).await[0].state, EntryState::Sending);
}

/// `BatchLimits::rows`.
pub async fn a_batch_respects_its_row_limit(store: &dyn Store) {
    let (one, two) = two_lanes(store).await;
    for (n, lane) in [(1, one), (2, two), (3, one)] {
        sent(store, n, lane).await;
    }
    assert_eq!(fitting(store, 2, u32::MAX).await, mutations([1, 2]));
}

/// `BatchLimits::bytes`: by the wire size; no mutation overtakes one that does not fit.
pub async fn a_batch_respects_its_byte_limit(store: &dyn Store) {
    let (one, two) = two_lanes(store).await;
    let content = MessageContent::new(&"x".repeat(4000)).unwrap();
    sent(store, 1, one).await;
    let long = NewMessage { content, ..composed(2, one) };
    let both =
        (Intent::SendMessage(composed(1, one)).wire_size() + Intent::SendMessage(long.clone()).wire_size()) as u32;
    send(store, 2, long).await;
    sent(store, 3, two).await;

    let size = |n| Intent::SendMessage(composed(n, one)).wire_size() as u32;

    assert_eq!(fitting(store, 10, size(1)).await, mutations([1]));
    assert_eq!(fitting(store, 10, size(1) + size(3)).await, mutations([1]), "the third may not overtake the second");
    assert_eq!(fitting(store, 10, both).await, mutations([1, 2]), "to the byte");
    assert_eq!(fitting(store, 10, both - 1).await, mutations([1]));
    assert_eq!(fitting(store, 10, 2 * size(1) + 8000).await, mutations([1, 2, 3]));
}

/// `Outbox::next_batch`: at least one mutation, whatever its size.
pub async fn a_batch_has_at_least_one_mutation(store: &dyn Store) {
    let (one, _) = two_lanes(store).await;
    sent(store, 1, one).await;
    sent(store, 2, one).await;
    assert_eq!(fitting(store, 10, 1).await, mutations([1]));
    assert_eq!(fitting(store, 0, 0).await, mutations([1]));
}

/// `Outbox::next_batch`: an empty outbox.
pub async fn an_empty_outbox_gives_an_empty_batch(store: &dyn Store) {
    two_lanes(store).await;
    assert!(batch(store).await.is_empty());
    assert!(outbox(store).await.is_empty());
}

/// `Outbox::next_batch`: a held lane delays no other lane.
pub async fn held_lanes_are_skipped(store: &dyn Store) {
    let (one, two) = two_lanes(store).await;
    for (n, lane) in [(1, one), (2, two), (3, one)] {
        sent(store, n, lane).await;
    }
    let batch = store.next_batch(wide(), &HashSet::from([one])).await.unwrap();
    assert_eq!(batch.iter().map(|mutation| mutation.id).collect::<Vec<_>>(), mutations([2]));
}

/// Defect 8: a refused mutation is not sent again, and delays nothing, not even its own lane.
pub async fn defect_8_dead_letters_are_skipped(store: &dyn Store) {
    let (one, two) = two_lanes(store).await;
    for (n, lane) in [(1, one), (2, one), (3, two)] {
        sent(store, n, lane).await;
    }
    refused(store, 1, RefusalCode::Forbidden).await;
    assert_eq!(batch(store).await, mutations([2, 3]));
    assert_eq!(outbox(store).await.len(), 3);
}

/// Defect 8: no number of "retry" results and no clock makes a dead letter.
pub async fn defect_8_retries_and_time_make_no_dead_letter(store: &dyn Store) {
    let (one, _) = two_lanes(store).await;
    sent(store, 1, one).await;
    for _ in 0..50 {
        answered(store, 1, PushOutcome::Retry(RetryCode::Busy)).await;
    }
    store.remember(&SyncMemory::default(), Some(super::build::at(30 * 86_400))).await.unwrap();
    assert_eq!(outbox(store).await[0].state, EntryState::Queued { retries: 50, last_retry: Some(RetryCode::Busy) });
    assert_eq!(batch(store).await, mutations([1]));
}

/// `Outbox::entries`: at most `limit`, with dead letters at their place.
pub async fn entries_are_listed_in_order_dead_letters_included(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    sent(store, 1, thread).await;
    read(store, 2, thread).await;
    sent(store, 3, thread).await;
    refused(store, 1, RefusalCode::ContentTooLong).await;

    let entries = outbox(store).await;
    let ids: Vec<_> = entries.iter().map(|entry| entry.mutation_id).collect();
    assert_eq!(ids, mutations([1, 2, 3]));
    assert_eq!(entries[1].kind, MutationKind::MarkRead);
    assert_eq!((entries[1].message_id, entries[1].content.as_deref()), (None, None));
    assert_eq!(entries[1].recorded_at, super::build::at(702));
    assert_eq!(store.entries(2).await.unwrap(), entries[..2]);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (2, 1));
}

/// `Outbox::open_direct`: the open is sent before the messages of its conversation.
pub async fn an_open_is_sent_before_the_messages_of_its_conversation(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    store.open_direct(mutation_id(1), new_direct(1)).await.unwrap();
    sent(store, 2, conversation_id(1)).await;
    assert_eq!(batch(store).await, mutations([1, 2]));
}
