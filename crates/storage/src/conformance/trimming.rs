//! Old messages leave the device, and come back as history.

use super::build::{
    ada, at, composed, conversation_id, direct, message_id, messages, mutation_id, other_direct, seq, tombstone,
};
use super::given::{
    bootstrapped, history, loaded, loaded_thread, newest, outbox, pulled, pulled_messages, read, read_up_to, send,
    seqs, summary, unread,
};
use crate::{BootstrapReason, Keep, Older, Quoted, Section, Store, StoredDraft, Trimmed};
use fieldpost_domain::{Changes, ConversationId, DeleteMessage, Intent, Message, Mutation, SettingsChange, Version};

/// Messages 1 to 10, all read.
async fn ten_read(store: &dyn Store) -> ConversationId {
    let thread = loaded_thread(store, direct(1, 10), messages(conversation_id(1), 1..=10, &ada())).await;
    read(store, 900, thread).await;
    thread
}

async fn set(store: &dyn Store, n: u64, thread: ConversationId, change: SettingsChange) {
    store.set_conversation(mutation_id(n), thread, change, at(600 + n)).await.unwrap();
}

/// All of it, whatever the number of steps.
async fn trimmed(store: &dyn Store, keep: Keep) -> u64 {
    let (mut dropped, mut from) = (0, None);
    loop {
        let step = store.trim(keep, from, 1_000).await.unwrap();
        dropped += step.dropped;
        match step.next {
            Some(next) => from = Some(next),
            None => return dropped,
        }
    }
}

async fn here(store: &dyn Store, thread: ConversationId) -> Vec<u64> {
    let section = store.section(thread, Section::newest(1_000)).await.unwrap();
    section.messages.iter().map(|message| message.seq.map_or(0, fieldpost_domain::Seq::get)).collect()
}

/// `Replica::trim`, rule 1.
pub async fn the_newest_messages_of_each_conversation_stay(store: &dyn Store) {
    let (one, two) = (conversation_id(1), conversation_id(2));
    let conversations = vec![direct(1, 10), other_direct(2, 3)];
    let rows = [messages(one, 1..=10, &ada()), messages(two, 1..=3, &ada())].concat();
    loaded(store, Changes { conversations, messages: rows, ..Changes::default() }).await;
    read(store, 1, one).await;
    read(store, 2, two).await;

    assert_eq!(trimmed(store, Keep::Last(4)).await, 6);
    assert_eq!((here(store, one).await, here(store, two).await), (vec![7, 8, 9, 10], vec![1, 2, 3]));
    assert_eq!(trimmed(store, Keep::Last(4)).await, 0, "nothing is left to drop");
    assert_eq!(store.message(message_id(one, 6)).await.unwrap(), None);
}

/// `Replica::trim`, rule 1: the time of message `n` is `at(100 + n)`.
pub async fn messages_of_the_last_days_stay(store: &dyn Store) {
    let thread = ten_read(store).await;
    assert_eq!(trimmed(store, Keep::Since(at(104))).await, 3);
    assert_eq!(here(store, thread).await, [4, 5, 6, 7, 8, 9, 10]);
}

/// `Replica::trim`, rule 1.
pub async fn what_one_of_two_rules_keeps_stays(store: &dyn Store) {
    let thread = ten_read(store).await;
    assert_eq!(trimmed(store, Keep::LastOrSince(8, at(108))).await, 2, "the number keeps more");
    assert_eq!(trimmed(store, Keep::LastOrSince(2, at(105))).await, 2, "the time keeps more");
    assert_eq!(here(store, thread).await, [5, 6, 7, 8, 9, 10]);
}

/// `Replica::trim`, rule 1.
pub async fn the_newest_message_stays_whatever_its_age(store: &dyn Store) {
    let thread = ten_read(store).await;
    assert_eq!(trimmed(store, Keep::Since(at(5_000))).await, 9);
    assert_eq!(here(store, thread).await, [10]);
    let line = summary(store, thread).await;
    assert_eq!((line.last_message_preview.as_deref(), line.last_seq), (Some("message 10"), seq(10)));
    assert_eq!(store.missing_ranges(10).await.unwrap(), [], "nobody fetches at once what was just dropped");
}

/// `Replica::trim`, rule 2.
pub async fn unsent_messages_and_changes_stay(store: &dyn Store) {
    let thread = ten_read(store).await;
    let own =
        [2, 5].map(|n| Message { sender_id: super::build::iris().id, ..super::build::message(thread, n, &ada()) });
    let own = own.map(|message| Message { version: Version::new(2), ..message });
    pulled_messages(store, own.to_vec()).await;
    send(store, 1, composed(1, thread)).await;
    let message_id = message_id(thread, 2);
    let deletion = DeleteMessage { conversation_id: thread, message_id, deleted_at: at(1) };
    store.change(Mutation { id: mutation_id(2), intent: Intent::DeleteMessage(deletion) }, at(1)).await.unwrap();

    trimmed(store, Keep::Last(1)).await;

    assert_eq!(here(store, thread).await, [2, 10, 0]);
    assert!(store.message(message_id).await.unwrap().unwrap().changing);
    assert!(outbox(store).await.iter().any(|entry| entry.mutation_id == mutation_id(2)));
    assert!(outbox(store).await.iter().any(|entry| entry.mutation_id == mutation_id(1)));
}

/// `Replica::trim`, rule 3.
pub async fn unread_messages_stay(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 10), messages(conversation_id(1), 1..=10, &ada())).await;
    read_up_to(store, 1, thread, 4).await;
    assert_eq!(trimmed(store, Keep::Last(2)).await, 4);
    assert_eq!((here(store, thread).await, unread(store, thread).await), (vec![5, 6, 7, 8, 9, 10], 6));
    read_up_to(store, 2, thread, 7).await;
    assert_eq!(trimmed(store, Keep::Last(2)).await, 3);
    assert_eq!((here(store, thread).await, unread(store, thread).await), (vec![8, 9, 10], 3));
    assert_eq!(store.total_unread().await.unwrap(), 3);
}

/// `Replica::trim`, rule 3.
pub async fn what_was_marked_unread_stays(store: &dyn Store) {
    let thread = ten_read(store).await;
    set(store, 1, thread, SettingsChange::mark_unread(Some(seq(7)))).await;
    assert_eq!(trimmed(store, Keep::Last(2)).await, 6);
    assert_eq!((here(store, thread).await, unread(store, thread).await), (vec![7, 8, 9, 10], 4));
}

/// `Replica::trim`, rule 2.
pub async fn a_pinned_conversation_stays_whole(store: &dyn Store) {
    let thread = ten_read(store).await;
    set(store, 1, thread, SettingsChange::pin(Some(at(500)))).await;
    assert_eq!(trimmed(store, Keep::Last(1)).await, 0);
    set(store, 2, thread, SettingsChange::pin(None)).await;
    assert_eq!(trimmed(store, Keep::Last(1)).await, 9);
}

/// `Replica::trim`, rule 2: nor does the draft leave.
pub async fn what_a_draft_replies_to_stays(store: &dyn Store) {
    let thread = ten_read(store).await;
    let draft =
        StoredDraft { reply_to: Some(message_id(thread, 2)), ..StoredDraft::new(thread, "Yes, that one", at(500)) };
    store.set_draft(draft.clone()).await.unwrap();
    trimmed(store, Keep::Last(1)).await;
    assert_eq!(here(store, thread).await, [2, 10]);
    assert_eq!(store.draft(thread).await.unwrap(), Some(draft));
}

/// `Replica::trim`, rule 4.
pub async fn the_range_begins_above_what_was_dropped(store: &dyn Store) {
    let thread = ten_read(store).await;
    trimmed(store, Keep::Last(3)).await;
    let window = newest(store, thread, 100).await;
    assert_eq!((seqs(&window), window.older), (vec![8, 9, 10], Older::OnServer(seq(8))));
    let check = store.next_check(None).await.unwrap().unwrap();
    assert_eq!((check.range.from, check.range.to), (seq(8), seq(10)));
    assert!(store.check_digest().await.unwrap());
    pulled_messages(store, messages(thread, 11..=11, &ada())).await;
    let window = newest(store, thread, 100).await;
    assert_eq!((seqs(&window), window.older), (vec![8, 9, 10, 11], Older::OnServer(seq(8))));
}

/// `Replica::trim`: nothing is lost.
pub async fn dropped_messages_come_back_as_history(store: &dyn Store) {
    let thread = ten_read(store).await;
    trimmed(store, Keep::Last(3)).await;
    history(store, thread, 1, 7, messages(thread, 1..=7, &ada())).await;
    let window = newest(store, thread, 100).await;
    assert_eq!((seqs(&window), window.older), ((1..=10).collect(), Older::Nothing));
    assert_eq!(unread(store, thread).await, 0);
}

/// `Replica::trim`, rule 5.
pub async fn a_long_thread_is_trimmed_in_steps(store: &dyn Store) {
    let thread = ten_read(store).await;
    let again = Trimmed { dropped: 4, next: Some(thread) };
    assert_eq!(store.trim(Keep::Last(1), None, 4).await.unwrap(), again);
    assert_eq!(here(store, thread).await, [5, 6, 7, 8, 9, 10], "the oldest leave first");
    assert_eq!(newest(store, thread, 100).await.older, Older::OnServer(seq(5)));
    assert_eq!(store.trim(Keep::Last(1), Some(thread), 4).await.unwrap(), again);
    assert_eq!(store.trim(Keep::Last(1), Some(thread), 4).await.unwrap(), Trimmed { dropped: 1, next: None });
}

/// What a bootstrap does not find may be lost, so nothing is dropped meanwhile.
pub async fn nothing_is_dropped_during_a_bootstrap(store: &dyn Store) {
    let thread = ten_read(store).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    assert_eq!(store.trim(Keep::Last(1), None, 100).await.unwrap(), Trimmed::default());
    let changes = super::given::thread(direct(1, 10), messages(thread, 1..=10, &ada()));
    bootstrapped(store, BootstrapReason::Reconcile, changes).await;
    assert_eq!(here(store, thread).await, (1..=10).collect::<Vec<u64>>());
}

/// `Replica::trim`, rule 4: a policy hid the message for a while, and its deletion of then says nothing any more.
pub async fn a_dropped_message_that_was_deleted_once_is_fetched_again(store: &dyn Store) {
    // Given
    let thread = ten_read(store).await;
    let (third, row) = (message_id(thread, 3), super::build::message(thread, 3, &ada()));
    let reply = Message { reply_to: Some(third), ..super::build::message(thread, 11, &ada()) };
    pulled(store, Changes { tombstones: vec![tombstone(third, thread, 3, 5)], ..Changes::default() }).await;
    pulled_messages(store, vec![Message { version: Version::new(6), ..row.clone() }, reply]).await;
    read(store, 901, thread).await;
    assert_eq!(here(store, thread).await, (1..=11).collect::<Vec<_>>());

    // When
    assert_eq!(store.trim(Keep::Last(1), None, 3).await.unwrap().dropped, 3);
    pulled_messages(store, messages(thread, 12..=12, &ada())).await;

    // Then
    let window = newest(store, thread, 100).await;
    assert_eq!((seqs(&window), window.older), ((4..=12).collect(), Older::OnServer(seq(4))));
    let reply = store.message(message_id(thread, 11)).await.unwrap().unwrap();
    assert_eq!(reply.reply, Some(Quoted::NotHere(third)));
    history(
        store,
        thread,
        1,
        3,
        [messages(thread, 1..=2, &ada()), vec![Message { version: Version::new(6), ..row }]].concat(),
    )
    .await;
    assert_eq!(here(store, thread).await, (1..=12).collect::<Vec<_>>());
}

/// An own message that the server has only just stored counts like any other.
pub async fn messages_above_a_hole_are_kept_with_the_range(store: &dyn Store) {
    let thread = ten_read(store).await;
    pulled_messages(store, messages(thread, 13..=14, &ada())).await;
    assert_eq!(trimmed(store, Keep::Last(1)).await, 9);
    assert_eq!(here(store, thread).await, [10, 13, 14], "the range keeps its end, and 13 and 14 are unread");
    assert_eq!(newest(store, thread, 10).await.older, Older::OnServer(seq(13)));
}
