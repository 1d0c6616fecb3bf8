//! Bootstraps: pages, resuming, and what they remove.

use super::build::{
    ack, ada, ben, bootstrap_page, broadcast, composed, continuation, conversation_id, cursor, digest, direct, echo,
    iris, message, message_id, messages, mutation_id, own_message_id, seq, tombstone,
};
use super::given::{
    acknowledged, batch, bootstrapped, failure, history, loaded, loaded_thread, mutations, newest, outbox, person,
    pulled, pulled_messages, read, sent, seqs, stored, summary, texts, thread,
};
use crate::{BootstrapReason, MissingRange, Older, StorageErrorKind, Store, SyncPosition};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, BootstrapPage, Changes, ConversationId, Message, MessageStatus, Person,
    RefusalCode, Version,
};

/// The first of two pages, with conversation 1.
fn first_page() -> BootstrapPage {
    let changes = thread(direct(1, 2), messages(conversation_id(1), 1..=2, &ada()));
    BootstrapPage { total_conversations: 2, next_after: Some(continuation("next")), ..bootstrap_page(changes) }
}

/// The second of two pages, with conversation 2.
fn second_page() -> BootstrapPage {
    let changes = thread(broadcast(2, 1), messages(conversation_id(2), 1..=1, &ada()));
    BootstrapPage { total_conversations: 2, digest: Some(digest([1, 2])), ..bootstrap_page(changes) }
}

fn under_way(after: Option<&str>, done: u64, total: Option<u64>) -> SyncPosition {
    SyncPosition::Bootstrapping { after: after.map(continuation), done, total }
}

async fn position(store: &dyn Store) -> SyncPosition {
    store.sync_state().await.unwrap().position
}

/// The messages of Iris and Ada in conversation 1.
pub(super) fn settled_messages() -> Vec<Message> {
    let authors = [iris(), ada(), iris(), ada(), iris()];
    (1..).zip(&authors).map(|(n, author)| message(conversation_id(1), n, author)).collect()
}

/// Both conversations are loaded: five messages of Iris and Ada in 1, one broadcast in 2.
pub(super) async fn settled_down(store: &dyn Store) {
    let mut changes = thread(direct(1, 5), settled_messages());
    changes.people.push(ben());
    changes.conversations.push(broadcast(2, 1));
    changes.messages.push(message(conversation_id(2), 1, &ben()));
    loaded(store, changes).await;
}

/// The pages show progress, and the last one makes the server's cursor the position.
pub async fn a_bootstrap_goes_page_by_page(store: &dyn Store) {
    assert_eq!(position(store).await, SyncPosition::Fresh);
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    assert_eq!(position(store).await, under_way(None, 0, None));

    let report = store.apply_bootstrap(None, first_page()).await.unwrap();
    assert_eq!((report.digest_matches, report.new_messages), (None, 2));
    assert_eq!(position(store).await, under_way(Some("next"), 1, Some(2)));
    assert_eq!(texts(store, conversation_id(1)).await.len(), 2, "loaded rows are readable");
    assert_eq!(store.sync_state().await.unwrap().me, Some(iris()));

    let report = store.apply_bootstrap(Some(&continuation("next")), second_page()).await.unwrap();
    assert_eq!((report.digest_matches, report.purged.len()), (Some(true), 0));
    assert_eq!(position(store).await, SyncPosition::Following(cursor("0")));
    assert_eq!(store.conversations(10).await.unwrap().len(), 2);
}

/// Progress adds up over the pages.
pub async fn the_progress_of_a_bootstrap_adds_up(store: &dyn Store) {
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    for n in 1..=3 {
        let changes = Changes { conversations: vec![super::build::other_direct(n, 0)], ..Changes::default() };
        let next_after = Some(continuation(&format!("after {n}")));
        let page = BootstrapPage { total_conversations: 9, next_after, ..bootstrap_page(changes) };
        let after = (n > 1).then(|| continuation(&format!("after {}", n - 1)));
        store.apply_bootstrap(after.as_ref(), page).await.unwrap();
        assert_eq!(position(store).await, under_way(Some(&format!("after {n}")), n, Some(9)));
    }
}

/// Defect 4: a failed page is requested again; no page is skipped, and no other page is accepted in its place.
pub async fn defect_4_no_page_of_a_bootstrap_can_be_skipped(store: &dyn Store) {
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let too_early = store.apply_bootstrap(Some(&continuation("next")), second_page()).await.unwrap_err();
    assert_eq!((too_early.kind(), too_early.operation()), (StorageErrorKind::Superseded, "apply_bootstrap"));

    store.apply_bootstrap(None, first_page()).await.unwrap();
    let twice = store.apply_bootstrap(None, first_page()).await.unwrap_err();
    assert_eq!(twice.kind(), StorageErrorKind::Superseded);
    assert_eq!(position(store).await, under_way(Some("next"), 1, Some(2)));

    store.apply_bootstrap(Some(&continuation("next")), second_page()).await.unwrap();
    let done = store.apply_bootstrap(Some(&continuation("next")), second_page()).await.unwrap_err();
    assert_eq!(done.kind(), StorageErrorKind::Superseded);
}

/// A page is refused if no bootstrap has begun.
pub async fn a_bootstrap_page_needs_a_bootstrap(store: &dyn Store) {
    let error = store.apply_bootstrap(None, first_page()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Superseded);
    assert!(store.conversations(10).await.unwrap().is_empty());
}

/// A first screen is readable at once. Its continuation is not used.
pub async fn after_a_first_screen_the_bootstrap_begins_again(store: &dyn Store) {
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let before = store.sync_state().await.unwrap().generation;

    let report = store.apply_first_screen(first_page()).await.unwrap();

    assert_eq!((report.digest_matches, report.new_messages, report.purged.len()), (None, 2, 0));
    let state = store.sync_state().await.unwrap();
    assert_eq!((state.position, state.me), (SyncPosition::FirstScreen, Some(iris())));
    assert!(state.generation > before, "earlier requests are superseded");
    assert_eq!(texts(store, conversation_id(1)).await.len(), 2, "stored rows are readable");
    for after in [None, Some(continuation("next"))] {
        let error = store.apply_bootstrap(after.as_ref(), second_page()).await.unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::Superseded);
    }

    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    assert_eq!(position(store).await, under_way(None, 0, None));
    store.apply_bootstrap(None, first_page()).await.unwrap();
    store.apply_bootstrap(Some(&continuation("next")), second_page()).await.unwrap();
    assert_eq!(position(store).await, SyncPosition::Following(cursor("0")));
    assert_eq!(store.conversations(10).await.unwrap().len(), 2);
}

/// A first screen is accepted only in place of the first page.
pub async fn a_first_screen_needs_a_bootstrap_that_has_just_begun(store: &dyn Store) {
    let fresh = store.apply_first_screen(first_page()).await.unwrap_err();
    assert_eq!((fresh.kind(), fresh.operation()), (StorageErrorKind::Superseded, "apply_first_screen"));
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    store.apply_bootstrap(None, first_page()).await.unwrap();

    let late = store.apply_first_screen(first_page()).await.unwrap_err();

    assert_eq!(late.kind(), StorageErrorKind::Superseded);
    assert_eq!(position(store).await, under_way(Some("next"), 1, Some(2)));
}

/// Starting over begins with the first page, and the confirmations of the first attempt do not count.
pub async fn a_bootstrap_can_start_over(store: &dyn Store) {
    settled_down(store).await;
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    store.apply_bootstrap(None, first_page()).await.unwrap();

    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    assert_eq!(position(store).await, under_way(None, 0, None));
    let report = store.apply_bootstrap(None, second_page()).await.unwrap();

    assert_eq!(report.purged, [conversation_id(1)]);
}

/// Everything stays readable during a bootstrap, and the outbox is still sent.
pub async fn everything_stays_readable_during_a_bootstrap(store: &dyn Store) {
    for reason in [BootstrapReason::First, BootstrapReason::Reconcile, BootstrapReason::Epoch] {
        settled_down(store).await;
        let before = newest(store, conversation_id(1), 10).await;
        store.begin_bootstrap(reason).await.unwrap();
        assert_eq!(newest(store, conversation_id(1), 10).await, before, "{reason:?}");
        assert_eq!(store.conversations(10).await.unwrap().len(), 2, "{reason:?}");
        assert_eq!(store.total_unread().await.unwrap(), 3, "{reason:?}");
    }
    sent(store, 1, conversation_id(1)).await;
    assert_eq!(batch(store).await, mutations([1]));
}

/// A person without a membership sees nothing.
pub async fn a_person_without_membership_has_an_empty_store(store: &dyn Store) {
    settled_down(store).await;
    sent(store, 1, conversation_id(1)).await;
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    let nothing = BootstrapPage { me: None, digest: Some(digest([])), ..bootstrap_page(Changes::default()) };

    let report = store.apply_bootstrap(None, nothing).await.unwrap();

    assert_eq!((report.purged.len(), report.digest_matches), (2, Some(true)));
    assert_eq!(store.sync_state().await.unwrap().me, None);
    assert!(store.conversations(10).await.unwrap().is_empty());
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::AccessLost));
}

/// Unconfirmed conversations leave, and their lanes are handled as after a revocation.
pub async fn conversations_that_a_bootstrap_does_not_confirm_leave(store: &dyn Store) {
    settled_down(store).await;
    sent(store, 1, conversation_id(1)).await;
    sent(store, 2, conversation_id(2)).await;

    let report = bootstrapped(store, BootstrapReason::Reconcile, thread(broadcast(2, 1), vec![])).await;

    assert_eq!(report.purged, [conversation_id(1)]);
    assert_eq!(store.message(message_id(conversation_id(1), 1)).await.unwrap(), None);
    let entries = outbox(store).await;
    assert_eq!(entries.iter().map(failure).collect::<Vec<_>>(), [Some(&RefusalCode::AccessLost), None]);

    pulled(store, thread(direct(1, 5), vec![])).await;
    assert!(store.conversation(conversation_id(1)).await.unwrap().is_some(), "it is not remembered as revoked");
}

/// Unconfirmed messages leave, inside a confirmed range and below it.
pub async fn messages_that_a_bootstrap_does_not_confirm_leave(store: &dyn Store) {
    settled_down(store).await;
    let one = conversation_id(1);
    let rows = vec![message(one, 3, &iris()), message(one, 5, &iris())];

    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 5), rows)).await;

    let window = newest(store, one, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![3, 5], Older::OnServer(seq(3))));
    assert!(outbox(store).await.is_empty(), "only a change of epoch loses messages");
}

/// The position jumps over changes that were committed since the old cursor, and no pull brings them. So messages below
/// a confirmed range are fetched again.
pub async fn history_from_before_a_bootstrap_is_fetched_again(store: &dyn Store) {
    for reason in [BootstrapReason::Reconcile, BootstrapReason::Epoch, BootstrapReason::First] {
        let id = conversation_id(1);
        loaded_thread(store, direct(1, 10), messages(id, 1..=10, &ada())).await;

        // Meanwhile 2 and 5 were deleted, and 6 was edited.
        bootstrapped(store, reason, thread(direct(1, 10), messages(id, 9..=10, &ada()))).await;
        let window = newest(store, id, 100).await;
        assert_eq!((seqs(&window), window.older), (vec![9, 10], Older::OnServer(seq(9))), "{reason:?}");
        assert_eq!(store.message(message_id(id, 5)).await.unwrap(), None, "{reason:?}");

        let edited = Message { version: Version::new(2), content: Some("edited".to_owned()), ..message(id, 6, &ada()) };
        history(store, id, 6, 8, [vec![edited], messages(id, 7..=8, &ada())].concat()).await;
        let window = newest(store, id, 100).await;
        assert_eq!((seqs(&window), window.older), (vec![6, 7, 8, 9, 10], Older::OnServer(seq(6))), "{reason:?}");
        assert_eq!(window.messages[0].content.as_deref(), Some("edited"), "{reason:?}");
        history(store, id, 1, 5, messages(id, [1, 3, 4], &ada())).await;
        assert_eq!(seqs(&newest(store, id, 100).await), [1, 3, 4, 6, 7, 8, 9, 10], "{reason:?}");
    }
}

/// All recent messages of a conversation were deleted, so it comes without messages. Its stored messages are no longer
/// confirmed.
pub async fn a_conversation_that_comes_without_messages_is_missing_them(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 3), messages(conversation_id(1), 1..=3, &ada())).await;
    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 3), vec![])).await;

    let window = newest(store, id, 10).await;
    assert_eq!((window.messages.len(), window.older), (0, Older::OnServer(seq(4))));
    assert_eq!(
        store.missing_ranges(10).await.unwrap(),
        [MissingRange { conversation_id: id, before: None, newest: seq(3) }]
    );
    assert_eq!(read(store, 1, id).await, 0);
    history(store, id, 1, 3, messages(id, 1..=1, &ada())).await;
    let window = newest(store, id, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![1], Older::Nothing));
}

/// The seq of a deleted message stays known, whatever surrounds it.
pub async fn known_deletions_below_a_confirmed_range_stay_known(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 5), messages(conversation_id(1), 1..=5, &ada())).await;
    let tombstones = vec![tombstone(message_id(id, 3), id, 3, 7), tombstone(message_id(id, 1), id, 1, 7)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;

    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 5), messages(id, 4..=5, &ada()))).await;

    let window = newest(store, id, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![4, 5], Older::OnServer(seq(3))));
    history(store, id, 2, 2, messages(id, 2..=2, &ada())).await;
    let window = newest(store, id, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![2, 4, 5], Older::Nothing));
}

/// The row of an own message in flight may leave with the others below the range. Its mutation stays queued, and the
/// message stays visible until it is acknowledged.
pub async fn a_message_in_flight_stays_visible_during_a_bootstrap(store: &dyn Store) {
    for (reason, n) in [(BootstrapReason::Reconcile, 1), (BootstrapReason::Epoch, 2)] {
        let id = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
        sent(store, n, id).await;
        pulled_messages(store, vec![echo(n, id, 3)]).await;

        bootstrapped(store, reason, thread(direct(1, 6), messages(id, 5..=6, &ada()))).await;

        let window = newest(store, id, 10).await;
        assert_eq!((seqs(&window), window.older), (vec![5, 6, 0], Older::OnServer(seq(5))), "{reason:?}");
        let mine = &window.messages[2];
        assert_eq!((mine.id, &mine.status), (own_message_id(n), &MessageStatus::Queued), "{reason:?}");
        assert_eq!(mine.content, Some(format!("own {n}")), "{reason:?}");
        assert_eq!(batch(store).await, mutations([n]), "{reason:?}");

        acknowledged(store, n, Acknowledgement::Stored(Box::new(echo(n, id, 3)))).await;
        assert!(outbox(store).await.is_empty(), "{reason:?}");
        assert_eq!(seqs(&newest(store, id, 10).await), [5, 6], "{reason:?}");
        assert_eq!(store.message(own_message_id(n)).await.unwrap(), None, "{reason:?}: history brings it");
    }
}

/// History that is applied during a bootstrap may be older than the cursor of the bootstrap.
pub async fn history_during_a_bootstrap_is_fetched_again(store: &dyn Store) {
    for reason in [BootstrapReason::Reconcile, BootstrapReason::Epoch] {
        settled_down(store).await;
        let one = conversation_id(1);
        store.begin_bootstrap(reason).await.unwrap();
        history(store, one, 1, 3, messages(one, 1..=3, &ada())).await;
        let changes = thread(direct(1, 5), messages(one, 4..=5, &ada()));
        store.apply_bootstrap(None, bootstrap_page(changes)).await.unwrap();
        let window = newest(store, one, 10).await;
        assert_eq!((seqs(&window), window.older), (vec![4, 5], Older::OnServer(seq(4))), "{reason:?}");
        assert!(outbox(store).await.is_empty(), "{reason:?}");
    }
}

/// Stored versions stay valid in a reconciling bootstrap.
pub async fn a_reconciling_bootstrap_respects_versions(store: &dyn Store) {
    let id = conversation_id(1);
    let newer = Message { version: Version::new(4), content: Some("edited".to_owned()), ..message(id, 2, &ada()) };
    loaded_thread(store, direct(1, 3), vec![message(id, 1, &ada()), newer, message(id, 3, &ada())]).await;
    let tombstones = vec![tombstone(message_id(id, 3), id, 3, 9)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;

    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 3), messages(id, 1..=3, &ada()))).await;

    assert_eq!(texts(store, id).await, ["message 1", "edited"]);
}

/// A bootstrap that lists a conversation overrides an earlier revocation, but not a later one.
pub async fn a_bootstrap_brings_back_a_revoked_conversation(store: &dyn Store) {
    settled_down(store).await;
    let one = conversation_id(1);
    let revoke = |version| Changes {
        access: vec![AccessChange { conversation_id: one, access: Access::Revoke, version: Version::new(version) }],
        ..Changes::default()
    };
    pulled(store, revoke(5)).await;

    let rows = messages(one, 1..=5, &ada());
    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 5), rows)).await;
    assert_eq!(newest(store, one, 10).await.messages.len(), 5);

    assert_eq!(pulled(store, revoke(5)).await.stale, 1, "the old revocation, repeated");
    assert!(store.conversation(one).await.unwrap().is_some());
    assert_eq!(pulled(store, revoke(7)).await.purged, [one]);
}

/// Unconfirmed people leave, except the authors of stored messages.
pub async fn people_that_a_bootstrap_does_not_confirm_leave(store: &dyn Store) {
    settled_down(store).await;
    let stranger = Person { id: super::build::person_id(9), ..ben() };
    pulled(store, Changes { people: vec![stranger.clone()], ..Changes::default() }).await;

    // The page has Ada's messages but not her row; Ben's broadcast is gone.
    let rows = vec![message(conversation_id(1), 4, &ada()), message(conversation_id(1), 5, &iris())];
    let changes = Changes { people: vec![iris()], ..thread(direct(1, 5), rows) };
    bootstrapped(store, BootstrapReason::Reconcile, changes).await;

    let listed: Vec<_> = store.people().await.unwrap().iter().map(|person| person.id).collect();
    assert_eq!(listed, [iris().id]);
    assert_eq!((person(store, &stranger).await, person(store, &ben()).await), (None, None));
    assert!(person(store, &ada()).await.unwrap().removed);
    assert_eq!(newest(store, conversation_id(1), 10).await.messages[0].sender_name, "Ada Moss");

    pulled(store, Changes { people: vec![ada()], ..Changes::default() }).await;
    assert_eq!(store.people().await.unwrap().len(), 2, "a later row of the server applies");
}

/// The recent range of a page begins at its lowest seq and ends at `last_seq`.
pub async fn a_bootstrap_sets_the_recent_range(store: &dyn Store) {
    let id = conversation_id(1);
    // 20 was deleted, so nothing is missing above 19.
    loaded_thread(store, direct(1, 20), messages(id, 11..=19, &ada())).await;
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
    assert_eq!(read(store, 1, id).await, 20);
    let window = newest(store, id, 100).await;
    assert_eq!((window.messages.len(), window.older), (9, Older::OnServer(seq(11))));
}

/// A later bootstrap replaces the recent range, even if both touch.
pub async fn a_later_bootstrap_replaces_the_range(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 10), messages(id, 1..=10, &ada())).await;

    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 13), messages(id, 9..=13, &ada()))).await;
    let window = newest(store, id, 100).await;
    assert_eq!((window.messages.len(), window.older), (5, Older::OnServer(seq(9))));

    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 30), messages(id, 21..=30, &ada()))).await;
    let window = newest(store, id, 100).await;
    assert_eq!((window.messages.len(), window.older), (10, Older::OnServer(seq(21))));
    assert!(store.missing_ranges(10).await.unwrap().is_empty(), "messages below are history");
}

/// A message that is acknowledged between two pages belongs to the epoch of the bootstrap and is not lost.
pub async fn a_message_acknowledged_during_a_bootstrap_stays(store: &dyn Store) {
    for reason in [BootstrapReason::Epoch, BootstrapReason::Reconcile] {
        settled_down(store).await;
        let one = conversation_id(1);
        let n = if reason == BootstrapReason::Epoch { 1 } else { 2 };
        sent(store, n, one).await;
        store.begin_bootstrap(reason).await.unwrap();
        let next_after = Some(continuation("next"));
        let first = bootstrap_page(thread(broadcast(2, 1), messages(conversation_id(2), 1..=1, &ada())));
        store.apply_bootstrap(None, BootstrapPage { next_after: next_after.clone(), ..first }).await.unwrap();
        stored(store, n, ack(n, one, 5 + n)).await;
        let changes = thread(direct(1, 5), messages(one, 1..=5, &iris()));
        store.apply_bootstrap(next_after.as_ref(), bootstrap_page(changes)).await.unwrap();
        assert!(outbox(store).await.is_empty(), "{reason:?}");
        assert_eq!(seqs(&newest(store, one, 10).await), (1..=5 + n).collect::<Vec<_>>(), "{reason:?}");
    }
}

/// A conversation that the server opened during the bootstrap is not in its pages, and stays.
pub async fn a_conversation_opened_during_a_bootstrap_stays(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    store.open_direct(mutation_id(1), super::build::new_direct(1)).await.unwrap();
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(1, 0)))).await;
    let report = store.apply_bootstrap(None, bootstrap_page(Changes::default())).await.unwrap();
    assert!(report.purged.is_empty());
    assert!(summary(store, conversation_id(1)).await.on_server);
}

/// The local echoes of queued messages stay through any bootstrap.
pub async fn queued_messages_stay_in_their_thread_through_a_bootstrap(store: &dyn Store) {
    for (reason, n) in [(BootstrapReason::First, 1), (BootstrapReason::Reconcile, 2), (BootstrapReason::Epoch, 3)] {
        loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
        store.send(mutation_id(n), composed(n, conversation_id(1)).into()).await.unwrap();
        bootstrapped(store, reason, thread(direct(1, 1), messages(conversation_id(1), 1..=1, &ada()))).await;
        assert_eq!(
            store.message(own_message_id(n)).await.unwrap().unwrap().status,
            MessageStatus::Queued,
            "{reason:?}"
        );
    }
    let id: ConversationId = conversation_id(1);
    assert_eq!(texts(store, id).await, ["message 1", "own 1", "own 2", "own 3"]);
}

/// `apply_bootstrap`: what a policy hid once and shows again is as unconfirmed as any other message that the page does not
/// tell.
pub async fn a_message_that_was_deleted_once_is_not_known_below_the_page(store: &dyn Store) {
    // Given
    let id = loaded_thread(store, direct(1, 5), messages(conversation_id(1), 1..=5, &ada())).await;
    let fourth = message(id, 4, &ada());
    pulled(store, Changes { tombstones: vec![tombstone(fourth.id, id, 4, 5)], ..Changes::default() }).await;
    pulled_messages(store, vec![Message { version: Version::new(6), ..fourth }]).await;

    // When
    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 5), messages(id, 5..=5, &ada()))).await;

    // Then
    let window = newest(store, id, 100).await;
    assert_eq!((seqs(&window), window.older), (vec![5], Older::OnServer(seq(5))));
}
