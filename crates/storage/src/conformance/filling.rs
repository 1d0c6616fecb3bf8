//! History, the recent range, and missing parts.

use super::build::{
    ack, ada, conversation_id, direct, history_page, iris, message, message_id, messages, mutation_id, new_direct,
    other_direct, seq, tombstone,
};
use super::given::{
    acknowledged, applied_history, history, loaded, loaded_thread, newest, pulled, pulled_messages, read, sent, seqs,
    stored, summary, texts, thread,
};
use crate::{ApplyReport, BootstrapReason, MissingRange, Older, StorageErrorKind, Store, SyncPosition};
use fieldpost_domain::{
    Acknowledgement, Changes, Conversation, ConversationId, HistoryPage, Message, SeqRange, Version,
};

/// The last ten of a hundred messages are stored.
async fn last_ten(store: &dyn Store) -> ConversationId {
    loaded_thread(store, direct(1, 100), messages(conversation_id(1), 91..=100, &ada())).await
}

async fn missing(store: &dyn Store) -> Vec<(ConversationId, Option<u64>)> {
    let missing = store.missing_ranges(10).await.unwrap();
    missing.into_iter().map(|one| (one.conversation_id, one.before.map(fieldpost_domain::Seq::get))).collect()
}

async fn shown(store: &dyn Store, thread: ConversationId) -> (Vec<u64>, Older) {
    let window = newest(store, thread, 1000).await;
    (seqs(&window), window.older)
}

/// `Replica::apply_history`: older messages on demand, down to the first. The position stays.
pub async fn history_extends_a_thread_down_to_its_beginning(store: &dyn Store) {
    let thread = last_ten(store).await;

    let report = history(store, thread, 51, 90, messages(thread, 51..=90, &ada())).await;
    assert_eq!((report.applied, report.new_messages), (40, 40));
    assert_eq!(shown(store, thread).await, ((51..=100).collect(), Older::OnServer(seq(51))));

    history(store, thread, 1, 50, messages(thread, 1..=50, &ada())).await;
    assert_eq!(shown(store, thread).await, ((1..=100).collect(), Older::Nothing));
    let position = store.sync_state().await.unwrap().position;
    assert_eq!(position, SyncPosition::Following(super::build::cursor("0")));
}

/// The range of a page counts: a seq in it without a message was deleted.
pub async fn a_page_of_history_covers_its_range_whole(store: &dyn Store) {
    let thread = last_ten(store).await;
    history(store, thread, 81, 90, vec![message(thread, 84, &ada()), message(thread, 87, &ada())]).await;
    assert_eq!(shown(store, thread).await, ([84, 87].into_iter().chain(91..=100).collect(), Older::OnServer(seq(81))));
    assert!(missing(store).await.is_empty());
}

/// A range without any message.
pub async fn a_page_of_history_may_hold_no_message(store: &dyn Store) {
    let thread = last_ten(store).await;
    let report = history(store, thread, 1, 90, vec![]).await;
    assert_eq!(report, ApplyReport::default());
    assert_eq!(shown(store, thread).await, ((91..=100).collect(), Older::Nothing));
}

/// `complete` says that nothing is below, whatever the seqs.
pub async fn a_complete_page_is_the_beginning(store: &dyn Store) {
    let thread = last_ten(store).await;
    let page = history_page(thread, 88, 90, messages(thread, 88..=90, &ada()));
    applied_history(store, HistoryPage { complete: true, ..page }).await;
    assert_eq!(shown(store, thread).await, ((88..=100).collect(), Older::Nothing));
}

/// An empty conversation has the range from 1 to 0.
pub async fn history_of_an_empty_conversation(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    let page = HistoryPage { range: SeqRange { from: seq(1), to: seq(0) }, ..history_page(thread, 1, 0, vec![]) };
    applied_history(store, page).await;
    assert_eq!(shown(store, thread).await, (vec![], Older::Nothing));
    assert!(missing(store).await.is_empty());
    pulled_messages(store, messages(thread, 1..=2, &ada())).await;
    assert_eq!(shown(store, thread).await, (vec![1, 2], Older::Nothing));
}

/// A page brings the conversation's row and people too.
pub async fn history_brings_people_and_the_conversation(store: &dyn Store) {
    let thread = last_ten(store).await;
    let row = Conversation { unread: 7, version: Version::new(2), ..direct(1, 100) };
    let ben = super::build::ben();
    let mut page = history_page(thread, 90, 90, vec![message(thread, 90, &ben)]);
    page.changes.people.push(ben);
    let report = applied_history(store, HistoryPage { conversation: Some(row), ..page }).await;
    assert_eq!(report.applied, 3);
    assert_eq!(newest(store, thread, 100).await.messages[0].sender_name, "Ben Okafor");
    assert_eq!(summary(store, thread).await.unread, 7);
}

/// A page for a conversation that is not stored changes nothing.
pub async fn history_of_an_unknown_conversation_changes_nothing(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let id = conversation_id(1);
    let page = HistoryPage { conversation: Some(direct(1, 2)), ..history_page(id, 1, 2, messages(id, 1..=2, &ada())) };
    assert_eq!(applied_history(store, page).await, ApplyReport::default());
    assert_eq!(store.conversation(id).await.unwrap(), None);
    assert_eq!(store.message(message_id(id, 1)).await.unwrap(), None);
    assert_eq!(store.sync_state().await.unwrap().unreadable_rows, 0);
}

/// A message inside the range that is not in the page was deleted, even without a tombstone.
pub async fn history_removes_what_the_server_no_longer_has(store: &dyn Store) {
    let thread = last_ten(store).await;
    let report = history(store, thread, 91, 95, messages(thread, [91, 93, 95], &ada())).await;
    assert_eq!(report.applied, 2);
    assert_eq!(shown(store, thread).await.0, [91, 93, 95, 96, 97, 98, 99, 100]);
    assert_eq!(store.message(message_id(thread, 92)).await.unwrap(), None);
}

/// A stale page of history does not replace newer rows.
pub async fn history_respects_versions(store: &dyn Store) {
    let id = conversation_id(1);
    let edited = Message { version: Version::new(5), content: Some("edited".to_owned()), ..message(id, 2, &ada()) };
    loaded_thread(store, direct(1, 2), vec![message(id, 1, &ada()), edited]).await;
    let report = history(store, id, 1, 2, messages(id, 1..=2, &ada())).await;
    assert_eq!((report.applied, report.stale), (0, 2));
    assert_eq!(newest(store, id, 10).await.messages[1].content.as_deref(), Some("edited"));
}

/// Tombstones of a page of history.
pub async fn history_may_bring_tombstones(store: &dyn Store) {
    let thread = last_ten(store).await;
    let mut page = history_page(thread, 89, 95, messages(thread, [89, 91, 92, 94, 95], &ada()));
    page.changes.tombstones =
        vec![tombstone(message_id(thread, 90), thread, 90, 4), tombstone(message_id(thread, 93), thread, 93, 4)];
    applied_history(store, page).await;
    assert_eq!(shown(store, thread).await.0, [89, 91, 92, 94, 95, 96, 97, 98, 99, 100]);
    assert_eq!(pulled_messages(store, messages(thread, [90, 93], &ada())).await.stale, 2);
}

/// A page above the range with a hole between becomes the new recent range. When the hole is filled, both are one.
pub async fn a_page_above_a_hole_becomes_the_recent_range(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 10), messages(id, 1..=10, &ada())).await;
    history(store, id, 31, 40, messages(id, 31..=40, &ada())).await;
    assert_eq!(shown(store, id).await, ((31..=40).collect(), Older::OnServer(seq(31))));
    assert!(missing(store).await.is_empty());
    assert_eq!(read(store, 1, id).await, 40);

    history(store, id, 11, 30, messages(id, 11..=30, &ada())).await;
    assert_eq!(shown(store, id).await, ((1..=40).collect(), Older::Nothing));
}

/// A page below the range with a hole between is stored, and shown once the hole is filled.
pub async fn a_page_below_a_hole_waits_until_it_is_filled(store: &dyn Store) {
    let thread = last_ten(store).await;
    history(store, thread, 71, 80, messages(thread, 71..=80, &ada())).await;
    assert_eq!(shown(store, thread).await, ((91..=100).collect(), Older::OnServer(seq(91))));
    history(store, thread, 81, 90, messages(thread, 81..=90, &ada())).await;
    assert_eq!(shown(store, thread).await, ((71..=100).collect(), Older::OnServer(seq(71))));
}

/// Ranges that overlap become one.
pub async fn overlapping_pages_of_history_become_one(store: &dyn Store) {
    let thread = last_ten(store).await;
    history(store, thread, 86, 95, messages(thread, 86..=95, &ada())).await;
    history(store, thread, 81, 90, messages(thread, 81..=90, &ada())).await;
    assert_eq!(shown(store, thread).await, ((81..=100).collect(), Older::OnServer(seq(81))));
}

/// `missing_ranges`: a conversation with messages of which none is stored.
pub async fn an_unloaded_conversation_is_missing(store: &dyn Store) {
    let conversations = vec![direct(1, 0), other_direct(2, 5), other_direct(3, 9)];
    loaded(store, Changes { conversations, ..Changes::default() }).await;

    assert_eq!(missing(store).await, [(conversation_id(3), None), (conversation_id(2), None)], "newest activity first");
    let first = store.missing_ranges(1).await.unwrap();
    assert_eq!(first, [MissingRange { conversation_id: conversation_id(3), before: None, newest: seq(9) }]);
    assert!(store.missing_ranges(0).await.unwrap().is_empty());

    history(store, conversation_id(2), 1, 5, vec![]).await;
    assert_eq!(missing(store).await, [(conversation_id(3), None)], "loaded, although every message was deleted");
}

/// `missing_ranges`: a message with a hole below it. The requested page closes the hole.
pub async fn a_hole_above_the_range_is_missing(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 3), messages(id, 1..=3, &ada())).await;
    pulled_messages(store, messages(id, [5, 8, 9], &ada())).await;
    assert_eq!(missing(store).await, [(id, Some(8))], "below the newest run that is here");
    assert_eq!(summary(store, id).await.last_seq, seq(9));

    // The server's page for it, of at most three messages.
    history(store, id, 5, 7, messages(id, 5..=7, &ada())).await;
    assert!(missing(store).await.is_empty());
    assert_eq!(shown(store, id).await, (vec![5, 6, 7, 8, 9], Older::OnServer(seq(5))));
    history(store, id, 2, 4, messages(id, 2..=4, &ada())).await;
    assert_eq!(shown(store, id).await, ((1..=9).collect(), Older::Nothing));
}

/// `missing_ranges`: a conversation that became visible lately, with one new message.
pub async fn a_message_without_any_range_has_a_hole_below(store: &dyn Store) {
    let id = conversation_id(1);
    loaded(store, Changes::default()).await;
    pulled(store, thread(direct(1, 50), messages(id, 50..=50, &ada()))).await;
    assert_eq!(missing(store).await, [(id, Some(50))]);
    assert_eq!(shown(store, id).await, (vec![50], Older::OnServer(seq(50))));
    history(store, id, 31, 49, messages(id, 31..=49, &ada())).await;
    assert!(missing(store).await.is_empty());
    assert_eq!(shown(store, id).await, ((31..=50).collect(), Older::OnServer(seq(31))));
}

/// A conversation that is pulled from its first message on is complete.
pub async fn a_thread_that_begins_at_one_is_whole(store: &dyn Store) {
    let id = conversation_id(1);
    loaded(store, Changes::default()).await;
    pulled(store, thread(direct(1, 2), messages(id, 1..=2, &ada()))).await;
    pulled_messages(store, messages(id, 3..=4, &ada())).await;
    assert!(missing(store).await.is_empty());
    assert_eq!(shown(store, id).await, ((1..=4).collect(), Older::Nothing));
}

/// The messages of a run may be in any order over its pages.
pub async fn a_hole_that_later_pages_fill_is_gone(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 1), messages(id, 1..=1, &ada())).await;
    pulled_messages(store, messages(id, [4, 6], &ada())).await;
    pulled_messages(store, messages(id, [2, 5], &ada())).await;
    assert_eq!(missing(store).await, [(id, Some(4))]);
    pulled_messages(store, messages(id, [3], &ada())).await;
    assert!(missing(store).await.is_empty());
    assert_eq!(shown(store, id).await, ((1..=6).collect(), Older::Nothing));
}

/// An acknowledgement extends the range, or is above a hole until a pull fills it.
pub async fn an_acknowledged_message_extends_the_range(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 1), messages(id, 1..=1, &ada())).await;
    sent(store, 1, id).await;
    sent(store, 2, id).await;
    stored(store, 1, ack(1, id, 2)).await;
    assert!(missing(store).await.is_empty());
    assert_eq!(read(store, 7, id).await, 2);

    stored(store, 2, ack(2, id, 4)).await;
    assert_eq!(missing(store).await, [(id, Some(4))]);
    pulled_messages(store, messages(id, 3..=3, &ada())).await;
    assert!(missing(store).await.is_empty());
    assert_eq!(shown(store, id).await, (vec![1, 2, 3, 4], Older::Nothing));
}

/// Nothing is missing from a conversation that only this device has. Once it is open, its messages may be missing.
pub async fn an_unsent_conversation_is_missing_nothing(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    store.open_direct(mutation_id(1), new_direct(1)).await.unwrap();
    sent(store, 2, conversation_id(1)).await;
    assert!(missing(store).await.is_empty());
    acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(2, 30)))).await;
    assert_eq!(missing(store).await, [(conversation_id(2), None)]);
}

/// The seq of a tombstone is known, so it fills a hole.
pub async fn a_tombstone_fills_a_hole(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 1), messages(id, 1..=1, &ada())).await;
    pulled_messages(store, messages(id, [3], &ada())).await;
    let tombstones = vec![tombstone(message_id(id, 2), id, 2, 3), tombstone(message_id(id, 4), id, 4, 3)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    assert!(missing(store).await.is_empty());
    assert_eq!(summary(store, id).await.last_seq, seq(4));
    pulled_messages(store, messages(id, [5], &ada())).await;
    assert_eq!(shown(store, id).await, (vec![1, 3, 5], Older::Nothing));
}

/// A tombstone above a hole shows that something below it is missing.
pub async fn a_tombstone_above_a_hole_has_a_hole_below(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 1), messages(id, 1..=1, &ada())).await;
    let tombstones = vec![tombstone(message_id(id, 6), id, 6, 3)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    assert_eq!(summary(store, id).await.last_seq, seq(6));
    assert_eq!(missing(store).await, [(id, Some(6))]);
    history(store, id, 2, 5, messages(id, 2..=5, &ada())).await;
    assert!(missing(store).await.is_empty());
    assert_eq!(read(store, 1, id).await, 6);
}

/// `Replica::apply_history`: the page was requested before a bootstrap began, or before its first page.
pub async fn history_requested_before_a_bootstrap_is_superseded(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 4), messages(id, 3..=4, &ada())).await;
    let generation = async || store.sync_state().await.unwrap().generation;
    let asked = generation().await;
    let page = || history_page(id, 1, 2, messages(id, 1..=2, &ada()));

    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    let begun = generation().await;
    let changes = super::given::thread(direct(1, 4), messages(id, 3..=4, &ada()));
    let error = store.apply_history(asked, page()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::Superseded, "apply_history"));
    store.apply_bootstrap(None, super::build::bootstrap_page(changes)).await.unwrap();

    for earlier in [asked, begun] {
        let error = store.apply_history(earlier, page()).await.unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::Superseded);
    }
    assert_eq!(texts(store, id).await, ["message 3", "message 4"]);
    applied_history(store, page()).await;
    assert_eq!(texts(store, id).await.len(), 4);
    super::given::pulled_messages(store, messages(id, [5], &ada())).await;
    let after_a_pull = generation().await;
    assert_eq!(store.apply_history(after_a_pull, page()).await.unwrap().stale, 2, "pulls supersede nothing");
}

/// `Replica::apply_bootstrap`: only its pages confirm, not history that came before the first of them.
pub async fn history_applied_before_the_first_page_confirms_nothing(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 4), messages(id, 3..=4, &ada())).await;
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    let conversation = Some(direct(1, 4));
    let page = HistoryPage { conversation, ..history_page(id, 1, 2, messages(id, 1..=2, &ada())) };
    applied_history(store, page).await;

    let changes = super::given::thread(other_direct(2, 1), messages(conversation_id(2), 1..=1, &ada()));
    let report = store.apply_bootstrap(None, super::build::bootstrap_page(changes)).await.unwrap();

    assert_eq!(report.purged, [id]);
    assert_eq!(store.conversation(id).await.unwrap(), None);
}

/// `Replica::next_check`: conversations with a recent range, in turn.
pub async fn conversations_are_checked_in_turn(store: &dyn Store) {
    assert_eq!(store.next_check(None).await.unwrap(), None);
    let conversations = vec![direct(1, 9), other_direct(2, 2), Conversation { medic_id: None, ..direct(3, 0) }];
    let mut all = messages(conversation_id(1), 8..=9, &ada());
    all.extend(messages(conversation_id(2), 1..=2, &ada()));
    loaded(store, Changes { people: vec![iris(), ada()], conversations, messages: all, ..Changes::default() }).await;
    store.open_direct(mutation_id(1), new_direct(5)).await.unwrap();

    let first = store.next_check(None).await.unwrap().unwrap();
    let second = store.next_check(Some(first.conversation_id)).await.unwrap().unwrap();

    let range = |from, to| SeqRange { from: seq(from), to: seq(to) };
    assert_eq!((first.conversation_id, first.range), (conversation_id(1), range(8, 9)));
    assert_eq!((second.conversation_id, second.range), (conversation_id(2), range(1, 2)));
    assert_eq!(store.next_check(Some(second.conversation_id)).await.unwrap(), None, "nothing to compare in the others");
}

/// `Replica::apply_history`: removed messages count as applied.
pub async fn messages_that_history_removes_count_as_applied(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 3), messages(id, 1..=3, &ada())).await;
    let report = history(store, id, 1, 3, messages(id, [1, 3], &ada())).await;
    assert_eq!((report.applied, report.stale), (1, 2));
    let report = history(store, id, 1, 3, messages(id, [1, 3], &ada())).await;
    assert_eq!((report.applied, report.stale), (0, 2));
}
