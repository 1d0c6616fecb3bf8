//! The read marker and unread counts.

use super::build::{
    ada, at, conversation_id, deleted, direct, echo, history_page, iris, message, messages, mutation_id, other_direct,
    read_to, seq, tombstone,
};
use super::given::{
    acknowledged, applied_history, batch, bootstrapped, history, loaded, loaded_thread, mutations, outbox, pulled,
    pulled_messages, read, read_up_to, sent, stored, summary, unread,
};
use crate::{BootstrapReason, StorageErrorKind, Store};
use fieldpost_domain::{
    Acknowledgement, Changes, Conversation, ConversationId, HistoryPage, Intent, MarkRead, Message, Seq, Version,
};
use std::collections::HashSet;

async fn three_unread(store: &dyn Store) -> ConversationId {
    loaded_thread(store, direct(1, 3), messages(conversation_id(1), 1..=3, &ada())).await
}

/// A long conversation with its last ten messages stored; the server counts 40 unread.
async fn partial(store: &dyn Store) -> ConversationId {
    let row = Conversation { unread: 40, ..direct(1, 100) };
    loaded_thread(store, row, messages(conversation_id(1), 91..=100, &ada())).await
}

async fn queued_marks(store: &dyn Store) -> Vec<u64> {
    let batch = store.next_batch(super::build::wide(), &HashSet::new()).await.unwrap();
    let marks = batch.into_iter().filter_map(|mutation| match mutation.intent {
        Intent::MarkRead(MarkRead { read_seq, .. }) => Some(read_seq.get()),
        _ => None,
    });
    marks.collect()
}

/// `Outbox::mark_read`: the marker moves at once, and the mark is queued.
pub async fn reading_a_thread_moves_the_marker_and_queues_that(store: &dyn Store) {
    let thread = three_unread(store).await;
    assert_eq!(unread(store, thread).await, 3);

    assert_eq!(read(store, 1, thread).await, 3);

    assert_eq!((unread(store, thread).await, store.total_unread().await.unwrap()), (0, 0));
    let queued = store.next_batch(super::build::wide(), &HashSet::new()).await.unwrap();
    assert_eq!(queued[0].intent, Intent::MarkRead(MarkRead { conversation_id: thread, read_seq: seq(3) }));
    assert_eq!((queued[0].id, queued.len()), (mutation_id(1), 1));
}

/// `Outbox::mark_read`: nothing is queued if the marker does not move.
pub async fn reading_again_queues_nothing(store: &dyn Store) {
    let thread = three_unread(store).await;
    read(store, 1, thread).await;
    assert_eq!(read(store, 2, thread).await, 3);
    assert_eq!(batch(store).await, mutations([1]));
    acknowledged(store, 1, Acknowledgement::Marked(read_to(thread, &iris(), 3))).await;
    assert_eq!(read(store, 3, thread).await, 3);
    assert!(outbox(store).await.is_empty());
}

/// `Outbox::mark_read`: a queued mark is replaced.
pub async fn a_queued_mark_is_replaced_by_a_later_one(store: &dyn Store) {
    let thread = three_unread(store).await;
    read(store, 1, thread).await;
    pulled_messages(store, messages(thread, 4..=5, &ada())).await;

    assert_eq!(read(store, 2, thread).await, 5);

    assert_eq!(batch(store).await, mutations([2]));
    assert_eq!(queued_marks(store).await, [5]);
    let late = acknowledged(store, 1, Acknowledgement::Marked(read_to(thread, &iris(), 3))).await;
    assert_eq!(
        (late.unknown, batch(store).await),
        (1, mutations([2])),
        "the answer to the replaced one changes nothing"
    );
}

/// `Outbox::mark_read`: marks of other conversations stay.
pub async fn marks_are_replaced_per_conversation(store: &dyn Store) {
    let thread = three_unread(store).await;
    let other = Changes {
        conversations: vec![other_direct(2, 1)],
        messages: messages(conversation_id(2), 1..=1, &ada()),
        ..Changes::default()
    };
    pulled(store, other).await;
    assert_eq!(store.total_unread().await.unwrap(), 4);
    read(store, 1, thread).await;
    read(store, 2, conversation_id(2)).await;
    assert_eq!(batch(store).await, mutations([1, 2]));
    assert_eq!(store.total_unread().await.unwrap(), 0);
}

/// `Outbox::mark_read`: the errors.
pub async fn reading_a_conversation_that_is_not_here_is_refused(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let error = store.mark_read(mutation_id(1), conversation_id(9), seq(1), at(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::NotFound, "mark_read"));
    assert!(outbox(store).await.is_empty());
}

/// `Outbox::mark_read`: without stored messages nothing is read.
pub async fn an_unloaded_thread_cannot_be_read(store: &dyn Store) {
    let row = Conversation { unread: 5, ..direct(1, 5) };
    let thread = loaded_thread(store, row, vec![]).await;
    assert_eq!(read(store, 1, thread).await, 0);
    assert!(outbox(store).await.is_empty());
    assert_eq!(unread(store, thread).await, 5);
}

/// Messages above a hole are counted, but not again as missing ones.
pub async fn messages_above_a_hole_count_once(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 4), messages(id, 1..=4, &ada())).await;
    assert_eq!(read(store, 1, id).await, 4);
    let row = Conversation { unread: 9, ..direct(1, 9) };
    pulled(store, super::given::thread(row, messages(id, 8..=9, &ada()))).await;
    assert_eq!(unread(store, id).await, 5, "two are here, three may be unread");
}

/// Another device has read further: the result of a mark says so.
pub async fn an_acknowledged_mark_may_move_the_marker_further(store: &dyn Store) {
    let thread = three_unread(store).await;
    read_up_to(store, 1, thread, 1).await;
    assert_eq!(unread(store, thread).await, 2);
    acknowledged(store, 1, Acknowledgement::Marked(read_to(thread, &iris(), 3))).await;
    assert_eq!(unread(store, thread).await, 0);
}

/// `Outbox::mark_read`: messages that arrived after the display stay unread.
pub async fn a_message_that_was_not_displayed_stays_unread(store: &dyn Store) {
    let thread = three_unread(store).await;
    assert_eq!(read_up_to(store, 1, thread, 2).await, 2);
    assert_eq!((unread(store, thread).await, queued_marks(store).await), (1, vec![2]));

    // The screen still ends with 3.
    pulled_messages(store, messages(thread, 4..=5, &ada())).await;
    assert_eq!(read_up_to(store, 2, thread, 3).await, 3);
    assert_eq!((unread(store, thread).await, queued_marks(store).await), (2, vec![3]));
}

/// `Outbox::mark_read`: a screen that shows less does not move the marker back.
pub async fn displaying_less_does_not_move_the_marker_back(store: &dyn Store) {
    let thread = three_unread(store).await;
    read(store, 1, thread).await;
    assert_eq!(read_up_to(store, 2, thread, 1).await, 3);
    assert_eq!(read_up_to(store, 3, thread, 0).await, 3);
    assert_eq!((unread(store, thread).await, batch(store).await), (0, mutations([1])));
}

/// `Outbox::mark_read`: a seq above the stored messages is not accepted.
pub async fn the_marker_stops_at_the_newest_stored_message(store: &dyn Store) {
    let thread = three_unread(store).await;
    assert_eq!(read_up_to(store, 1, thread, 9).await, 3);
    assert_eq!(queued_marks(store).await, [3]);
}

/// `Outbox::mark_read`: the marker stays below a gap.
pub async fn the_marker_stops_below_a_gap(store: &dyn Store) {
    let thread = three_unread(store).await;
    pulled_messages(store, messages(thread, 6..=7, &ada())).await;

    assert_eq!(read(store, 1, thread).await, 3);
    assert_eq!(queued_marks(store).await, [3]);

    history(store, thread, 4, 5, messages(thread, 4..=5, &ada())).await;
    assert_eq!(read(store, 2, thread).await, 7);
}

/// The seq of a deleted message is no gap.
pub async fn a_deleted_message_is_no_gap_for_the_marker(store: &dyn Store) {
    let thread = three_unread(store).await;
    let tombstones = vec![tombstone(super::build::message_id(thread, 4), thread, 4, 2)];
    pulled(store, Changes { messages: messages(thread, 5..=5, &ada()), tombstones, ..Changes::default() }).await;
    assert_eq!(read(store, 1, thread).await, 5);
}

/// The larger position of the own marker wins, in any order.
pub async fn the_marker_never_goes_backwards(store: &dyn Store) {
    let thread = three_unread(store).await;
    read(store, 1, thread).await;
    let stale = Version::new(99);
    let read_markers = vec![fieldpost_domain::ReadMarker { version: stale, ..read_to(thread, &iris(), 1) }];
    pulled(store, Changes { read_markers, ..Changes::default() }).await;
    assert_eq!(unread(store, thread).await, 0);
    assert_eq!(read(store, 2, thread).await, 3);
}

/// The person read on another device.
pub async fn a_marker_from_another_device_is_applied(store: &dyn Store) {
    let thread = three_unread(store).await;
    let read_markers = vec![read_to(thread, &iris(), 2)];
    assert_eq!(pulled(store, Changes { read_markers: read_markers.clone(), ..Changes::default() }).await.applied, 1);
    assert_eq!(unread(store, thread).await, 1);
    assert_eq!(pulled(store, Changes { read_markers, ..Changes::default() }).await.stale, 1);
    assert!(outbox(store).await.is_empty());
}

/// A marker of another person is a receipt and does not change the own marker.
pub async fn receipts_of_others_do_not_read_for_me(store: &dyn Store) {
    let thread = three_unread(store).await;
    pulled(store, Changes { read_markers: vec![read_to(thread, &ada(), 3)], ..Changes::default() }).await;
    assert_eq!(unread(store, thread).await, 3);
}

/// Only messages of others that are not deleted are unread.
pub async fn own_and_deleted_messages_are_not_unread(store: &dyn Store) {
    let id = conversation_id(1);
    let mine = message(id, 2, &iris());
    let gone = deleted(message(id, 3, &ada()));
    let thread =
        loaded_thread(store, direct(1, 4), vec![message(id, 1, &ada()), mine, gone, message(id, 4, &ada())]).await;
    assert_eq!(unread(store, thread).await, 2);

    pulled_messages(store, vec![deleted(message(id, 1, &ada()))]).await;
    assert_eq!(unread(store, thread).await, 1);
    let tombstones = vec![tombstone(super::build::message_id(id, 4), id, 4, 2)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    assert_eq!(unread(store, thread).await, 0);
}

/// An acknowledged own message is not unread, and does not mark others as read.
pub async fn an_acknowledged_message_of_mine_is_not_unread(store: &dyn Store) {
    let thread = three_unread(store).await;
    sent(store, 1, thread).await;
    stored(store, 1, super::build::ack(1, thread, 4)).await;
    assert_eq!(unread(store, thread).await, 3);
    pulled_messages(store, vec![echo(1, thread, 4)]).await;
    assert_eq!(unread(store, thread).await, 3);
}

/// If the stored range does not reach down to the marker, the server counts.
pub async fn unread_of_a_partial_thread_is_the_servers_count(store: &dyn Store) {
    let thread = partial(store).await;
    assert_eq!(unread(store, thread).await, 40);
    assert_eq!(store.total_unread().await.unwrap(), 40);

    let row = Conversation { unread: 41, ..direct(1, 101) };
    pulled(store, super::given::thread(row, messages(thread, 101..=101, &ada()))).await;
    assert_eq!(unread(store, thread).await, 41);
}

/// A page that the server made before a read does not bring the old count back.
pub async fn a_stale_count_does_not_undo_reading(store: &dyn Store) {
    let thread = partial(store).await;
    assert_eq!(read(store, 1, thread).await, 100);
    assert_eq!(unread(store, thread).await, 0);

    let row = Conversation { unread: 41, version: Version::new(2), ..direct(1, 101) };
    pulled(store, super::given::thread(row, messages(thread, 101..=101, &ada()))).await;

    assert_eq!(unread(store, thread).await, 1);
}

/// Only a part of the thread is stored and the mark is queued. The server's count is still above an older marker, but
/// messages that were read stay read.
pub async fn reads_in_a_partial_thread_stay_read_while_the_mark_is_queued(store: &dyn Store) {
    let thread = partial(store).await;
    assert_eq!(read(store, 1, thread).await, 100);

    let row = Conversation { unread: 45, ..direct(1, 105) };
    pulled(store, super::given::thread(row, messages(thread, 101..=102, &ada()))).await;
    assert_eq!(unread(store, thread).await, 2 + 3, "two that are here, and three more at most");

    let row = Conversation { unread: 70, ..direct(1, 130) };
    let page = super::given::thread(row, messages(thread, 121..=130, &ada()));
    bootstrapped(store, BootstrapReason::Reconcile, page).await;
    assert_eq!(unread(store, thread).await, 10 + 20, "101 to 120 are not stored");
    assert_eq!(store.total_unread().await.unwrap(), 30);
}

/// The same with an exact count: the read messages are stored when the bootstrap comes, and leave with it.
pub async fn reads_are_subtracted_from_the_servers_count(store: &dyn Store) {
    let thread = partial(store).await;
    pulled(store, Changes { read_markers: vec![read_to(thread, &iris(), 90)], ..Changes::default() }).await;
    assert_eq!(read(store, 1, thread).await, 100);

    // Ten that she has read, three of her own, two of Ada, and then the newest.
    let row = Conversation { unread: 10 + 2 + 5, ..direct(1, 110) };
    let page = super::given::thread(row, messages(thread, 106..=110, &ada()));
    let page = Changes { read_markers: vec![read_to(thread, &iris(), 90)], ..page };
    bootstrapped(store, BootstrapReason::Reconcile, page).await;
    assert_eq!(unread(store, thread).await, 2 + 5);
}

/// The server's count applies as long as it is possible.
pub async fn the_servers_count_applies_where_few_messages_are_stored(store: &dyn Store) {
    let thread = loaded_thread(store, Conversation { unread: 7, ..direct(1, 100) }, vec![]).await;
    assert_eq!(unread(store, thread).await, 7);
    pulled(store, Changes { read_markers: vec![read_to(thread, &iris(), 95)], ..Changes::default() }).await;
    assert_eq!(unread(store, thread).await, 5, "no more than there are above the marker");
}

/// If the stored range reaches down to the marker, it counts, whatever the server says.
pub async fn loaded_history_counts_for_itself(store: &dyn Store) {
    let thread = partial(store).await;
    pulled(store, Changes { read_markers: vec![read_to(thread, &iris(), 65)], ..Changes::default() }).await;
    assert_eq!(unread(store, thread).await, 35, "66 to 90 are not stored");
    pulled(store, Changes { read_markers: vec![read_to(thread, &iris(), 85)], ..Changes::default() }).await;

    history(store, thread, 81, 90, messages(thread, 81..=90, &ada())).await;
    assert_eq!(unread(store, thread).await, 15);
}

/// A page names messages that come with the next one: the server's count applies until they are stored.
pub async fn unread_is_exact_while_a_pass_is_under_way(store: &dyn Store) {
    let thread = three_unread(store).await;
    read(store, 1, thread).await;
    acknowledged(store, 1, Acknowledgement::Marked(read_to(thread, &iris(), 3))).await;

    let row = Conversation { unread: 4, ..direct(1, 7) };
    pulled(store, super::given::thread(row, messages(thread, 4..=5, &ada()))).await;
    assert_eq!(unread(store, thread).await, 4);

    pulled_messages(store, messages(thread, 6..=7, &ada())).await;
    assert_eq!(unread(store, thread).await, 4);
}

/// An acknowledgement above messages that are not pulled yet does not bring an old count back.
pub async fn sending_past_unpulled_messages_does_not_revive_an_old_count(store: &dyn Store) {
    let row = Conversation { unread: 3, ..direct(1, 3) };
    let thread = loaded_thread(store, row, messages(conversation_id(1), 1..=3, &ada())).await;
    read(store, 1, thread).await;
    sent(store, 2, thread).await;

    stored(store, 2, super::build::ack(2, thread, 6)).await;
    assert_eq!(unread(store, thread).await, 0);

    pulled_messages(store, messages(thread, 4..=5, &ada())).await;
    assert_eq!(unread(store, thread).await, 2);
}

/// `unread` comes from the row with the larger `last_seq`; at equal ones from the later row, unless its version is
/// older.
pub async fn an_older_count_of_the_server_is_ignored(store: &dyn Store) {
    let thread = partial(store).await;
    let older = Conversation { unread: 39, version: Version::new(3), ..direct(1, 99) };
    pulled(store, Changes { conversations: vec![older], ..Changes::default() }).await;
    assert_eq!(unread(store, thread).await, 40);
    assert_eq!(summary(store, thread).await.last_seq, seq(100));

    let late = Conversation { unread: 38, version: Version::new(2), ..direct(1, 100) };
    assert_eq!(pulled(store, Changes { conversations: vec![late], ..Changes::default() }).await.stale, 1);
    assert_eq!(unread(store, thread).await, 40);

    let later = Conversation { unread: 12, version: Version::new(3), ..direct(1, 100) };
    let report = pulled(store, Changes { conversations: vec![later], ..Changes::default() }).await;
    assert_eq!((unread(store, thread).await, report.applied), (12, 1));
}

/// History is requested beside the passes. Its page may be older than a deletion and be applied after the pull that
/// brought the deletion.
pub async fn history_overtaken_by_a_pull_does_not_change_the_count(store: &dyn Store) {
    let thread = partial(store).await;
    let conversation = |unread| Conversation { unread, ..direct(1, 100) };
    pulled(store, Changes { conversations: vec![conversation(39)], ..Changes::default() }).await;

    let page = history_page(thread, 81, 90, messages(thread, 81..=90, &ada()));
    applied_history(store, HistoryPage { conversation: Some(conversation(40)), ..page }).await;
    assert_eq!(unread(store, thread).await, 39);

    let page = history_page(thread, 71, 80, messages(thread, 71..=80, &ada()));
    let renamed = Conversation { version: Version::new(2), ..conversation(38) };
    applied_history(store, HistoryPage { conversation: Some(renamed), ..page }).await;
    assert_eq!(unread(store, thread).await, 38, "a newer version is the later row");
}

/// A marker at the last seq leaves nothing unread, however little is stored.
pub async fn nothing_is_unread_below_a_marker_at_the_end(store: &dyn Store) {
    let row = Conversation { unread: 5, ..direct(1, 5) };
    let thread = loaded_thread(store, row, vec![]).await;
    pulled(store, Changes { read_markers: vec![read_to(thread, &iris(), 5)], ..Changes::default() }).await;
    assert_eq!(unread(store, thread).await, 0);
}

/// A marker may come one page before its conversation.
pub async fn a_marker_before_its_conversation_is_kept(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let id = conversation_id(1);
    let marker = read_to(id, &iris(), 2);
    assert_eq!(pulled(store, Changes { read_markers: vec![marker], ..Changes::default() }).await.unreadable, 0);
    let rows: Vec<Message> = messages(id, 1..=3, &ada());
    pulled(store, super::given::thread(direct(1, 3), rows)).await;
    assert_eq!(unread(store, id).await, 1);
}

/// Defect 10: unread counts use the canonical id, and are not always 0.
pub async fn defect_10_unread_counts_by_the_canonical_id(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    store.open_direct(mutation_id(1), super::build::new_direct(1)).await.unwrap();
    acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(2, 0)))).await;
    pulled(store, super::given::thread(direct(2, 2), messages(conversation_id(2), 1..=2, &ada()))).await;
    assert_eq!(unread(store, conversation_id(1)).await, 2);
    assert_eq!(store.total_unread().await.unwrap(), 2);
    assert_eq!(store.mark_read(mutation_id(2), conversation_id(1), seq(2), at(9)).await.unwrap(), Seq::new(2));
    assert_eq!(store.total_unread().await.unwrap(), 0);
}
