//! Writing a message on the device.

use super::build::{
    ada, at, composed, conversation_id, direct, iris, messages, mutation_id, other_direct, own_message_id, seq,
    session, wide,
};
use super::given::{
    batch, bootstrapped, loaded, loaded_thread, mutations, newest, outbox, read, send, sent, summary, texts, thread,
    unread,
};
use crate::{BootstrapReason, Older, StorageErrorKind, Store};
use fieldpost_domain::{
    Changes, Intent, MessageContent, MessageKind, MessageStatus, Metadata, Mutation, MutationKind, NewMessage,
    content::CONTENT_LIMIT, preview,
};
use serde_json::json;
use std::collections::HashSet;

/// `Outbox::send`: the local echo.
pub async fn a_sent_message_is_queued_at_the_end_of_its_thread(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;

    let shown = sent(store, 1, thread).await;

    assert_eq!(shown.id, own_message_id(1));
    assert_eq!(shown.conversation_id, thread);
    assert_eq!(shown.content.as_deref(), Some("own 1"));
    assert_eq!(shown.status, MessageStatus::Queued);
    assert_eq!((shown.seq, shown.failure.clone()), (None, None));
    assert_eq!((shown.created_at, shown.composed_at), (at(501), Some(at(501))));
    assert!(shown.mine && !shown.deleted);
    assert_eq!(newest(store, thread, 10).await.messages.last(), Some(&shown));
    assert_eq!(store.message(shown.id).await.unwrap(), Some(shown));
}

/// `Outbox::send`: the mutation.
pub async fn a_sent_message_is_queued_with_its_mutation(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;

    sent(store, 1, thread).await;

    let entries = outbox(store).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].mutation_id, mutation_id(1));
    assert_eq!(entries[0].kind, MutationKind::SendMessage);
    assert_eq!((entries[0].conversation_id, entries[0].message_id), (thread, Some(own_message_id(1))));
    assert_eq!(entries[0].content.as_deref(), Some("own 1"));
    assert_eq!(entries[0].recorded_at, at(501));
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (1, 0));
    assert_eq!(batch(store).await, mutations([1]));
}

/// Defect 6: a message that is sent twice is stored once.
pub async fn defect_6_sending_the_same_id_again_changes_nothing(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    let first = sent(store, 1, thread).await;

    let changed = NewMessage { content: MessageContent::new("other").unwrap(), ..composed(1, thread) };
    let again = send(store, 2, changed).await;

    assert_eq!(again, first);
    assert_eq!(texts(store, thread).await, ["own 1"]);
    assert_eq!(batch(store).await, mutations([1]));
}

/// `Outbox::send`: the errors.
pub async fn sending_to_a_conversation_that_is_not_here_is_refused(store: &dyn Store) {
    loaded(store, Changes::default()).await;

    let error = store.send(mutation_id(1), composed(1, conversation_id(9)).into()).await.unwrap_err();

    assert_eq!(error.kind(), StorageErrorKind::NotFound);
    assert_eq!(error.operation(), "send");
    assert!(outbox(store).await.is_empty());
    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);
}

/// `Outbox::send`: a message of one person is never sent by another.
pub async fn a_message_has_the_sender_who_is_signed_in(store: &dyn Store) {
    let content = thread(direct(1, 0), vec![]);
    for (n, person) in [(1, iris()), (2, ada())] {
        store.save_session(&session(&person, 1)).await.unwrap();
        bootstrapped(store, BootstrapReason::First, content.clone()).await;

        let shown = sent(store, n, conversation_id(1)).await;

        assert_eq!((shown.sender_id, shown.mine), (person.id, true));
        let queued = store.next_batch(wide(), &HashSet::new()).await.unwrap();
        let message = NewMessage { sender_id: person.id, ..composed(n, conversation_id(1)) };
        assert_eq!(queued, [Mutation { id: mutation_id(n), intent: Intent::SendMessage(message) }]);
        store.wipe().await.unwrap();
    }
}

/// `Outbox::send`: nor by a person who signs in later.
pub async fn sending_before_anybody_has_signed_in_is_refused(store: &dyn Store) {
    let error = store.send(mutation_id(1), composed(1, conversation_id(1)).into()).await.unwrap_err();

    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::NoAccount, "send"));
    assert!(outbox(store).await.is_empty());
    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);
}

/// `Outbox::send`: messages that arrived while the sender was offline stay unread.
pub async fn sending_never_moves_the_read_marker(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;

    sent(store, 1, thread).await;

    assert_eq!(unread(store, thread).await, 2);
    assert_eq!(read(store, 2, thread).await, 2);
}

/// `ConversationSummary`: the newest message, including queued ones.
pub async fn a_queued_message_is_the_newest_of_its_conversation(store: &dyn Store) {
    let conversations = vec![direct(1, 1), other_direct(2, 3)];
    loaded(store, Changes { conversations, ..Changes::default() }).await;

    sent(store, 1, conversation_id(1)).await;

    let shown = summary(store, conversation_id(1)).await;
    assert_eq!(shown.last_message_at, Some(at(501)));
    assert_eq!(shown.last_message_preview.as_deref(), Some("own 1"));
    assert_eq!(shown.last_seq, seq(1));
    let listed = store.conversations(10).await.unwrap();
    assert_eq!(listed[0], shown);
}

/// Defect 12: a preview never splits a grapheme cluster.
pub async fn defect_12_a_preview_never_splits_a_character(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    let text = format!("{}👩‍👩‍👧‍👦 at gate 4", "x".repeat(98));

    send(store, 1, NewMessage { content: MessageContent::new(&text).unwrap(), ..composed(1, thread) }).await;

    assert_eq!(summary(store, thread).await.last_message_preview, Some(preview(&text)));
    assert_eq!(preview(&text), "x".repeat(98));
}

/// All fields of a message survive.
pub async fn a_message_comes_back_as_it_was_composed(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    let object = json!({"photo": "a.jpg", "gps": [51.5, -0.12], "none": null, "ünï": {"deep": true}});
    let metadata = Some(Metadata::new(object.as_object().cloned().unwrap()).unwrap());
    let text = format!("'; DROP TABLE messages; --\n\t\"\\ {}", "🦺".repeat(2000));
    let reply_to = Some(super::build::message_id(thread, 1));
    let content = MessageContent::new(&text).unwrap();

    let new = NewMessage { kind: MessageKind::Attachment, content, metadata, reply_to, ..composed(1, thread) };
    let shown = send(store, 1, new.clone()).await;

    assert_eq!(shown.content.as_deref(), Some(text.as_str()));
    assert_eq!((&shown.kind, &shown.metadata, shown.reply_to), (&new.kind, &new.metadata, new.reply_to));
    let queued = store.next_batch(super::build::wide(), &std::collections::HashSet::new()).await.unwrap();
    assert_eq!(queued[0].intent, fieldpost_domain::Intent::SendMessage(new));
}

/// The longest message that may be sent.
pub async fn the_longest_message_is_kept_whole(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    let text = "é".repeat(CONTENT_LIMIT);

    send(store, 1, NewMessage { content: MessageContent::new(&text).unwrap(), ..composed(1, thread) }).await;

    assert_eq!(texts(store, thread).await, [text]);
}

/// `Window::limit` counts only messages with a seq, so that every queued message is reachable.
pub async fn the_newest_window_shows_all_queued_messages_in_order(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 3), messages(conversation_id(1), 1..=3, &ada())).await;

    for n in [3, 1, 2] {
        sent(store, n, thread).await;
    }

    let window = newest(store, thread, 2).await;
    let shown: Vec<_> = window.messages.iter().filter_map(|message| message.content.as_deref()).collect();
    assert_eq!(shown, ["message 2", "message 3", "own 3", "own 1", "own 2"]);
    assert_eq!(window.older, Older::Here(seq(2)));
}
