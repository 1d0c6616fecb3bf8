//! Windows of a thread, and lists.

use super::build::{
    ada, ben, broadcast, conversation_id, direct, iris, message, message_id, messages, other_direct, seq, tombstone,
};
use super::given::{history, loaded, loaded_thread, newest, pulled, pulled_messages, sent, seqs, summary};
use crate::{Older, StorageErrorKind, Store, Window};
use fieldpost_domain::{Changes, Conversation, ConversationId, Message, Person, Seq};

async fn five(store: &dyn Store) -> ConversationId {
    loaded_thread(store, direct(1, 5), messages(conversation_id(1), 1..=5, &ada())).await
}

async fn below(store: &dyn Store, thread: ConversationId, before: u64, limit: u32) -> (Vec<u64>, Older) {
    let window = store.messages(thread, Window { limit, before: Some(seq(before)) }).await.unwrap();
    (seqs(&window), window.older)
}

/// `Window`: paging down to the beginning.
pub async fn a_thread_is_read_window_by_window(store: &dyn Store) {
    let thread = five(store).await;

    let window = newest(store, thread, 2).await;
    assert_eq!((seqs(&window), window.older), (vec![4, 5], Older::Here(seq(4))));
    assert_eq!(below(store, thread, 4, 2).await, (vec![2, 3], Older::Here(seq(2))));
    assert_eq!(below(store, thread, 2, 2).await, (vec![1], Older::Nothing));
    assert_eq!(below(store, thread, 1, 2).await, (vec![], Older::Nothing));
}

/// A window that holds the whole thread.
pub async fn a_window_that_reaches_the_beginning_says_so(store: &dyn Store) {
    let thread = five(store).await;
    let window = newest(store, thread, 5).await;
    assert_eq!((seqs(&window), window.older), (vec![1, 2, 3, 4, 5], Older::Nothing));
}

/// `Older::OnServer`.
pub async fn a_window_says_what_the_server_may_have(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 50), messages(conversation_id(1), 41..=50, &ada())).await;
    let window = newest(store, thread, 100).await;
    assert_eq!((window.messages.len(), window.older), (10, Older::OnServer(seq(41))));
    assert_eq!(below(store, thread, 43, 5).await, (vec![41, 42], Older::OnServer(seq(41))));
    assert_eq!(below(store, thread, 41, 5).await, (vec![], Older::OnServer(seq(41))));
}

/// A conversation without messages, and one whose messages are not stored.
pub async fn an_empty_and_an_unloaded_thread_differ(store: &dyn Store) {
    let conversations = vec![direct(1, 0), other_direct(2, 7)];
    loaded(store, Changes { conversations, ..Changes::default() }).await;
    let empty = newest(store, conversation_id(1), 10).await;
    assert_eq!((empty.messages.len(), empty.older), (0, Older::Nothing));
    let unloaded = newest(store, conversation_id(2), 10).await;
    assert_eq!((unloaded.messages.len(), unloaded.older), (0, Older::OnServer(seq(8))));
}

/// A window never shows messages below a gap.
pub async fn a_window_ends_above_a_gap(store: &dyn Store) {
    let thread = five(store).await;
    pulled_messages(store, messages(thread, 8..=9, &ada())).await;

    let window = newest(store, thread, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![8, 9], Older::OnServer(seq(8))));
    assert_eq!(below(store, thread, 9, 10).await, (vec![8], Older::OnServer(seq(8))));
    assert_eq!(below(store, thread, 8, 10).await, (vec![], Older::OnServer(seq(8))));
    assert_eq!(below(store, thread, 6, 10).await.0, [1, 2, 3, 4, 5], "messages below the gap can be requested");

    history(store, thread, 6, 7, messages(thread, 6..=7, &ada())).await;
    assert_eq!(seqs(&newest(store, thread, 10).await), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/// The seq of a deleted message is no gap in a window.
pub async fn a_window_goes_on_below_a_deleted_message(store: &dyn Store) {
    let thread = five(store).await;
    let tombstones =
        vec![tombstone(message_id(thread, 3), thread, 3, 2), tombstone(message_id(thread, 1), thread, 1, 2)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;

    let window = newest(store, thread, 2).await;
    assert_eq!((seqs(&window), window.older), (vec![4, 5], Older::Here(seq(4))));
    assert_eq!(below(store, thread, 4, 2).await, (vec![2], Older::Nothing));
}

/// Queued messages are above every seq, so a window below a seq does not show them.
pub async fn queued_messages_are_only_in_the_newest_window(store: &dyn Store) {
    let thread = five(store).await;
    sent(store, 1, thread).await;
    assert_eq!(seqs(&newest(store, thread, 2).await), [4, 5, 0]);
    assert_eq!(below(store, thread, 100, 2).await, (vec![4, 5], Older::Here(seq(4))));
}

/// An empty window still says what is below it.
pub async fn a_window_of_no_messages_is_allowed(store: &dyn Store) {
    let thread = five(store).await;
    let window = newest(store, thread, 0).await;
    assert_eq!((window.messages.len(), window.older), (0, Older::Here(seq(6))));
}

/// `Messages::messages`: the errors.
pub async fn a_thread_that_is_not_here_is_not_found(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let error = store.messages(conversation_id(9), Window::newest(10)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::NotFound, "messages"));
    assert_eq!(store.conversation(conversation_id(9)).await.unwrap(), None);
    assert_eq!(store.message(message_id(conversation_id(9), 1)).await.unwrap(), None);
}

/// The order is the server's, regardless of arrival and clocks.
pub async fn a_thread_is_ordered_by_seq_alone(store: &dyn Store) {
    let id = conversation_id(1);
    let skewed = Message { composed_at: Some(super::build::at(0)), ..message(id, 3, &ada()) };
    loaded_thread(
        store,
        direct(1, 4),
        vec![message(id, 4, &ada()), skewed, message(id, 1, &ada()), message(id, 2, &ben())],
    )
    .await;
    assert_eq!(seqs(&newest(store, id, 10).await), [1, 2, 3, 4]);
}

/// Messages stay in their conversation.
pub async fn threads_do_not_mix(store: &dyn Store) {
    let rows = [messages(conversation_id(1), 1..=2, &ada()), messages(conversation_id(2), 1..=3, &ben())].concat();
    loaded(store, Changes { conversations: vec![direct(1, 2), broadcast(2, 3)], messages: rows, ..Changes::default() })
        .await;
    assert_eq!(seqs(&newest(store, conversation_id(1), 10).await), [1, 2]);
    assert_eq!(seqs(&newest(store, conversation_id(2), 10).await), [1, 2, 3]);
}

/// `Conversations::conversations`: at most `limit`, by activity, else by creation, then by id.
pub async fn conversations_are_listed_by_activity(store: &dyn Store) {
    let activity =
        |n, at: Option<u64>| Conversation { last_message_at: at.map(super::build::at), ..other_direct(n, 0) };
    // Without a message the time of creation counts: at(3) and at(4).
    let conversations =
        vec![activity(1, Some(50)), activity(2, Some(90)), activity(3, None), activity(4, None), activity(5, Some(50))];
    loaded(store, Changes { conversations, ..Changes::default() }).await;

    let listed: Vec<_> = store.conversations(10).await.unwrap().iter().map(|one| one.id).collect();
    assert_eq!(listed, [2, 1, 5, 4, 3].map(conversation_id));
    let first: Vec<_> = store.conversations(2).await.unwrap().iter().map(|one| one.id).collect();
    assert_eq!(first, [2, 1].map(conversation_id));
    assert!(store.conversations(0).await.unwrap().is_empty());
}

/// The preview follows the newest message, also when that leaves.
pub async fn the_preview_follows_the_newest_message(store: &dyn Store) {
    let thread = five(store).await;
    assert_eq!(summary(store, thread).await.last_message_preview.as_deref(), Some("message 5"));

    let tombstones = vec![tombstone(message_id(thread, 5), thread, 5, 2)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    let shown = summary(store, thread).await;
    assert_eq!(shown.last_message_preview.as_deref(), Some("message 4"));
    assert_eq!((shown.last_message_at, shown.last_seq), (Some(super::build::at(104)), seq(5)));

    pulled_messages(store, vec![super::build::deleted(message(thread, 4, &ada()))]).await;
    assert_eq!(summary(store, thread).await.last_message_preview, None, "a deleted message shows nothing of its text");
}

/// If the newest message is not stored, the server's preview is shown.
pub async fn the_preview_of_an_unloaded_thread_is_the_servers(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 7), vec![]).await;
    let shown = summary(store, thread).await;
    assert_eq!(shown.last_message_preview.as_deref(), Some("message 7"));
    assert_eq!((shown.last_message_at, shown.last_seq), (Some(super::build::at(107)), seq(7)));
}

/// `People::people`: members by first name, last name, then id; former members only by id.
pub async fn people_are_listed_by_name(store: &dyn Store) {
    let named = |n, first: &str, last: &str| Person {
        id: super::build::person_id(n),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        medic_id: None,
        ..ada()
    };
    let gone = Person { removed: true, ..named(14, "Aaron", "Abel") };
    let people =
        vec![iris(), named(13, "Ada", "Moss"), named(12, "Ada", "Moss"), named(11, "Ada", "Abel"), gone.clone()];
    loaded(store, Changes { people, ..Changes::default() }).await;

    let listed: Vec<_> = store.people().await.unwrap().iter().map(|person| person.id).collect();
    assert_eq!(listed, [11, 12, 13, 1].map(super::build::person_id));
    assert_eq!(store.person(gone.id).await.unwrap(), Some(gone));
    assert_eq!(store.person(super::build::person_id(99)).await.unwrap(), None);
}

/// Seqs near the largest integer that JSON represents exactly.
pub async fn huge_seqs_are_exact(store: &dyn Store) {
    const TOP: u64 = (1 << 53) - 1;
    let row = Conversation { unread: TOP, last_message_at: None, last_message_preview: None, ..direct(1, 0) };
    let row = Conversation { last_seq: Seq::new(TOP), ..row };
    let thread = loaded_thread(store, row, messages(conversation_id(1), TOP - 1..=TOP, &ada())).await;

    assert_eq!(summary(store, thread).await.unread, TOP);
    let window = newest(store, thread, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![TOP - 1, TOP], Older::OnServer(seq(TOP - 1))));
    assert_eq!(super::given::read(store, 1, thread).await, TOP);
    assert_eq!(summary(store, thread).await.unread, 0);
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
}
