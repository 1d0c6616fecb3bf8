//! The status of own messages.

use super::build::{
    ack, ada, ben, broadcast, conversation_id, direct, iris, message, messages, own_message_id, read_to, seq,
};
use super::given::{loaded_thread, newest, pulled, pulled_messages, sent, stored};
use crate::Store;
use fieldpost_domain::{Changes, ConversationId, Message, MessageStatus, ReadMarker, Version};

async fn three_of_mine(store: &dyn Store) -> ConversationId {
    loaded_thread(store, direct(1, 3), messages(conversation_id(1), 1..=3, &iris())).await
}

async fn statuses(store: &dyn Store, thread: ConversationId) -> Vec<MessageStatus> {
    newest(store, thread, 10).await.messages.into_iter().map(|message| message.status).collect()
}

async fn receipt(store: &dyn Store, marker: ReadMarker) {
    pulled(store, Changes { read_markers: vec![marker], ..Changes::default() }).await;
}

use MessageStatus::{Delivered, Queued, Read, Sent};

/// `ThreadMessage::status`: delivered and read by the receipts of others.
pub async fn receipts_set_the_status_of_own_messages(store: &dyn Store) {
    let thread = three_of_mine(store).await;
    assert_eq!(statuses(store, thread).await, [Sent, Sent, Sent]);
    receipt(store, ReadMarker { delivered_seq: seq(2), ..read_to(thread, &ada(), 1) }).await;
    assert_eq!(statuses(store, thread).await, [Read, Delivered, Sent]);
    receipt(store, read_to(thread, &ada(), 3)).await;
    assert_eq!(statuses(store, thread).await, [Read, Read, Read]);
}

/// A receipt never moves back.
pub async fn an_older_receipt_changes_nothing(store: &dyn Store) {
    let thread = three_of_mine(store).await;
    receipt(store, read_to(thread, &ada(), 3)).await;
    receipt(store, ReadMarker { version: Version::new(99), ..read_to(thread, &ada(), 1) }).await;
    assert_eq!(statuses(store, thread).await, [Read, Read, Read]);
}

/// The own marker is no receipt of own messages.
pub async fn my_own_marker_is_no_receipt(store: &dyn Store) {
    let thread = three_of_mine(store).await;
    receipt(store, read_to(thread, &iris(), 3)).await;
    assert_eq!(statuses(store, thread).await, [Sent, Sent, Sent]);
}

/// In a broadcast the furthest receipt counts.
pub async fn the_furthest_of_several_receipts_counts(store: &dyn Store) {
    let thread = loaded_thread(store, broadcast(1, 3), messages(conversation_id(1), 1..=3, &iris())).await;
    receipt(store, ReadMarker { delivered_seq: seq(3), ..read_to(thread, &ada(), 1) }).await;
    receipt(store, read_to(thread, &ben(), 2)).await;
    assert_eq!(statuses(store, thread).await, [Read, Read, Delivered]);
}

/// A status that another client wrote counts if it is further than the receipts.
pub async fn the_servers_status_counts_where_receipts_say_less(store: &dyn Store) {
    let id = conversation_id(1);
    let marked = |n, status| Message { status, ..message(id, n, &iris()) };
    let weird = MessageStatus::Unknown("archived".to_owned());
    loaded_thread(store, direct(1, 3), vec![marked(1, Read), marked(2, Delivered), marked(3, weird.clone())]).await;
    receipt(store, read_to(id, &ada(), 3)).await;
    assert_eq!(statuses(store, id).await, [Read, Read, weird]);
}

/// The status of another person's message is that of its row.
pub async fn messages_of_others_have_the_status_of_their_row(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    receipt(store, read_to(thread, &iris(), 1)).await;
    receipt(store, read_to(thread, &ben(), 1)).await;
    assert_eq!(statuses(store, thread).await, [Sent]);
}

/// A receipt may come before the result of the send.
pub async fn a_receipt_can_come_before_the_answer(store: &dyn Store) {
    let thread = three_of_mine(store).await;
    sent(store, 1, thread).await;
    receipt(store, read_to(thread, &ada(), 4)).await;
    assert_eq!(statuses(store, thread).await, [Read, Read, Read, Queued]);
    stored(store, 1, ack(1, thread, 4)).await;
    assert_eq!(store.message(own_message_id(1)).await.unwrap().unwrap().status, Read);
    pulled_messages(store, messages(thread, 5..=5, &iris())).await;
    assert_eq!(statuses(store, thread).await.last(), Some(&Sent));
}
