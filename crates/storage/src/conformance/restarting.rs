//! The next start of the app continues with what the last one stored.

use super::Device;
use super::build::{
    ack, ada, at, bootstrap_page, continuation, conversation_id, cursor, direct, iris, message, message_id, messages,
    mutation_id, new_direct, other_direct, own_message_id, pull_page, session, tombstone,
};
use super::given::{
    acknowledged, answered, batch, failure, history, loaded, loaded_thread, mutations, newest, outbox, pulled,
    pulled_messages, read, refused, sent, seqs, stored, summary, texts, thread, unread,
};
use crate::{
    BootstrapReason, EntryState, Health, LineSpeed, Older, ReducedSize, StorageErrorKind, Store, SyncMemory,
    SyncPosition,
};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, BootstrapPage, Changes, Conversation, ConversationDigest, Message, PullPage,
    PushOutcome, RefusalCode, RetryCode, ServerLimits, UnreadableRow, Version,
};
use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

/// Closes the store and opens it again.
async fn restarted(device: &dyn Device, store: Arc<dyn Store>) -> Arc<dyn Store> {
    store.close().await.unwrap();
    drop(store);
    device.open().await
}

/// Accepted mutations keep their order and state.
pub async fn the_outbox_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    let id = loaded_thread(&*store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    for n in 1..=3 {
        sent(&*store, n, id).await;
    }
    read(&*store, 4, id).await;
    refused(&*store, 2, RefusalCode::Forbidden).await;
    answered(&*store, 1, PushOutcome::Retry(RetryCode::Busy)).await;
    let before = (outbox(&*store).await, newest(&*store, id, 10).await);

    let store = restarted(device, store).await;

    assert_eq!((outbox(&*store).await, newest(&*store, id, 10).await), before);
    assert_eq!(outbox(&*store).await[0].state, EntryState::Queued { retries: 1, last_retry: Some(RetryCode::Busy) });
    assert_eq!(batch(&*store).await, mutations([1, 3, 4]));
    sent(&*store, 5, id).await;
    assert_eq!(batch(&*store).await, mutations([1, 3, 4, 5]), "later mutations are behind");
    assert_eq!(texts(&*store, id).await, ["message 1", "own 1", "own 2", "own 3", "own 5"]);
}

/// The process died while a response was expected: the outcome is unknown until a result comes.
pub async fn an_unknown_outcome_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    let id = loaded_thread(&*store, direct(1, 0), vec![]).await;
    sent(&*store, 1, id).await;
    batch(&*store).await;
    drop(store);

    let store = device.open().await;

    assert_eq!(outbox(&*store).await[0].state, EntryState::Sending);
    let error = store.cancel(super::build::mutation_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), crate::StorageErrorKind::OutcomeUnknown);
    assert_eq!(batch(&*store).await, mutations([1]), "it is sent again");
}

/// The process died without closing the store.
pub async fn accepted_messages_survive_without_closing(device: &dyn Device) {
    let store = device.open().await;
    let id = loaded_thread(&*store, direct(1, 0), vec![]).await;
    sent(&*store, 1, id).await;
    drop(store);

    let store = device.open().await;

    assert_eq!(texts(&*store, id).await, ["own 1"]);
    assert_eq!(batch(&*store).await, mutations([1]));
}

/// The position and the sync state.
pub async fn the_position_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    loaded(&*store, Changes::default()).await;
    let unreadable =
        vec![UnreadableRow { list: "people".to_owned(), payload: "{}".to_owned(), reason: "?".to_owned() }];
    let page = pull_page("p.17", Changes { unreadable, ..Changes::default() });
    store.apply_pull(&cursor("0"), page).await.unwrap();
    store.remember(&SyncMemory::default(), Some(at(77))).await.unwrap();
    let before = store.sync_state().await.unwrap();

    let store = restarted(device, store).await;

    assert_eq!(store.sync_state().await.unwrap(), before);
    assert_eq!(before.position, SyncPosition::Following(cursor("p.17")));
    assert_eq!((before.me, before.last_success_at, before.unreadable_rows), (Some(iris()), Some(at(77)), 1));
}

/// An interrupted run of pages stays open until its last page or a bootstrap.
pub async fn an_open_run_of_pages_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    loaded(&*store, Changes::default()).await;
    let page = |to: &str, more| PullPage { more, ..pull_page(to, Changes::default()) };
    let open = async |store: &dyn Store| store.sync_state().await.unwrap().run_open;
    assert!(!open(&*store).await);
    store.apply_pull(&cursor("0"), page("1", true)).await.unwrap();

    let store = restarted(device, store).await;
    assert!(open(&*store).await);
    store.apply_pull(&cursor("1"), page("2", false)).await.unwrap();
    assert!(!open(&*store).await, "that was the last one");
    store.apply_pull(&cursor("2"), page("3", true)).await.unwrap();
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    assert!(!open(&*store).await);
    store.apply_bootstrap(None, bootstrap_page(Changes::default())).await.unwrap();
    assert!(!open(&*store).await, "a pull from there begins a run");
}

/// The app was killed after a first screen.
pub async fn a_first_screen_is_remembered_after_a_restart(device: &dyn Device) {
    let store = device.open().await;
    store.save_session(&session(&iris(), 1)).await.unwrap();
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let page = bootstrap_page(thread(direct(1, 9), messages(conversation_id(1), 9..=9, &ada())));
    store.apply_first_screen(page).await.unwrap();

    let store = restarted(device, store).await;

    assert_eq!(store.sync_state().await.unwrap().position, SyncPosition::FirstScreen);
    assert_eq!(texts(&*store, conversation_id(1)).await.len(), 1);
}

/// Each process starts with the memory of the last one.
pub async fn the_sync_memory_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    assert_eq!(store.sync_state().await.unwrap().memory, SyncMemory::default());
    let learned = SyncMemory {
        limits: ServerLimits { page_rows: 9, ..ServerLimits::default() },
        push_size: ReducedSize { rows: Some(62), refused: Some(125), passed: 3 },
        line: LineSpeed { down: Some(7_000), up: Some(2_000) },
        clock_ahead_ms: Some(-3_900_000),
        page_size: ReducedSize { rows: Some(1), ..ReducedSize::default() },
        suspects: [conversation_id(1), conversation_id(2)].into(),
        unresolved_digest: Some(ConversationDigest::of([conversation_id(3)])),
        checked: Some(conversation_id(4)),
        named: Some([fieldpost_domain::Capability::Ranges].into()),
        health: Health { passes: 7, oversized: 1, ..Health::default() },
    };
    store.remember(&learned, None).await.unwrap();

    let store = restarted(device, store).await;

    assert_eq!(store.sync_state().await.unwrap().memory, learned);
    let sorted = SyncMemory { unresolved_digest: Some(ConversationDigest::sorted([])), ..learned };
    store.remember(&sorted, None).await.unwrap();
    assert_eq!(restarted(device, store).await.sync_state().await.unwrap().memory, sorted, "the newer memory counts");
}

/// A failed pass saves its memory, but no success.
pub async fn a_failed_pass_keeps_the_time_of_the_last_success(device: &dyn Device) {
    let store = device.open().await;
    let failing = SyncMemory { health: Health { failed_passes: 1, ..Health::default() }, ..SyncMemory::default() };
    store.remember(&failing, None).await.unwrap();
    assert_eq!(store.sync_state().await.unwrap().last_success_at, None);
    store.remember(&SyncMemory::default(), Some(at(7))).await.unwrap();

    store.remember(&failing, None).await.unwrap();

    let state = restarted(device, store).await.sync_state().await.unwrap();
    assert_eq!((state.last_success_at, state.memory), (Some(at(7)), failing));
}

/// A bootstrap continues, and its last page removes what neither half confirmed.
pub async fn a_bootstrap_resumes_after_a_restart(device: &dyn Device) {
    let store = device.open().await;
    let rows = [messages(conversation_id(1), 1..=1, &ada()), messages(conversation_id(3), 1..=1, &iris())].concat();
    let conversations = vec![direct(1, 1), other_direct(2, 0), other_direct(3, 1)];
    loaded(&*store, Changes { people: vec![iris(), ada()], conversations, messages: rows, ..Changes::default() }).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    let first = thread(direct(1, 1), messages(conversation_id(1), 1..=1, &ada()));
    let page = BootstrapPage {
        total_conversations: 2,
        next_after: Some(continuation("{\"left\":[2]}")),
        ..bootstrap_page(first)
    };
    store.apply_bootstrap(None, page).await.unwrap();

    let store = restarted(device, store).await;

    let after = continuation("{\"left\":[2]}");
    let expected = SyncPosition::Bootstrapping { after: Some(after.clone()), done: 1, total: Some(2) };
    assert_eq!(store.sync_state().await.unwrap().position, expected);
    let last = Changes { conversations: vec![other_direct(2, 0)], ..Changes::default() };
    let report = store.apply_bootstrap(Some(&after), bootstrap_page(last)).await.unwrap();
    assert_eq!(report.purged, [conversation_id(3)]);
    assert_eq!(texts(&*store, conversation_id(1)).await, ["message 1"]);
    assert_eq!(store.people().await.unwrap(), [ada(), iris()]);
    assert_eq!(failure(&outbox(&*store).await[0]), Some(&RefusalCode::LostByServer), "still a change of epoch");
}

/// Tombstones, revocations and versions are remembered.
pub async fn tombstones_and_revocations_survive_a_restart(device: &dyn Device) {
    let store = device.open().await;
    let edited = Message {
        version: Version::new(5),
        content: Some("edited".to_owned()),
        ..message(conversation_id(1), 2, &ada())
    };
    let id = loaded_thread(&*store, direct(1, 2), vec![message(conversation_id(1), 1, &ada()), edited]).await;
    let access =
        vec![AccessChange { conversation_id: conversation_id(2), access: Access::Revoke, version: Version::new(1) }];
    let tombstones = vec![tombstone(message_id(id, 1), id, 1, 3)];
    pulled(&*store, Changes { access, tombstones, ..Changes::default() }).await;

    let store = restarted(device, store).await;

    let late = Changes {
        conversations: vec![direct(1, 2), other_direct(2, 0)],
        messages: messages(id, 1..=2, &ada()),
        ..Changes::default()
    };
    assert_eq!(pulled(&*store, late).await.applied, 0);
    assert_eq!(texts(&*store, id).await, ["edited"]);
    assert_eq!(store.conversation(conversation_id(2)).await.unwrap(), None);
}

/// An open screen that the system restored still holds the old id.
pub async fn aliases_survive_a_restart(device: &dyn Device) {
    let store = device.open().await;
    loaded(&*store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    store.open_direct(mutation_id(1), new_direct(1)).await.unwrap();
    sent(&*store, 2, conversation_id(1)).await;
    acknowledged(&*store, 1, Acknowledgement::Opened(Box::new(direct(2, 0)))).await;

    let store = restarted(device, store).await;

    assert_eq!(summary(&*store, conversation_id(1)).await.id, conversation_id(2));
    assert_eq!(texts(&*store, conversation_id(1)).await, ["own 2"]);
    stored(&*store, 2, ack(2, conversation_id(2), 1)).await;
    assert_eq!(seqs(&newest(&*store, conversation_id(1), 10).await), [1]);
}

/// Ranges, markers and unread counts.
pub async fn ranges_and_markers_survive_a_restart(device: &dyn Device) {
    let store = device.open().await;
    let id = conversation_id(1);
    loaded_thread(&*store, Conversation { unread: 30, ..direct(1, 60) }, messages(id, 51..=60, &ada())).await;
    history(&*store, id, 41, 50, messages(id, [41, 45, 50], &ada())).await;
    read(&*store, 1, id).await;
    pulled_messages(&*store, messages(id, [63], &ada())).await;
    let before = (newest(&*store, id, 100).await, store.missing_ranges(10).await.unwrap(), summary(&*store, id).await);

    let store = restarted(device, store).await;

    let after = (newest(&*store, id, 100).await, store.missing_ranges(10).await.unwrap(), summary(&*store, id).await);
    assert_eq!(after, before);
    pulled_messages(&*store, messages(id, [61, 62], &ada())).await;
    let window = newest(&*store, id, 100).await;
    assert_eq!((window.messages.len(), window.older), (16, Older::OnServer(super::build::seq(41))));
    assert_eq!(unread(&*store, id).await, 3);
}

/// The tokens and the owner are still there.
pub async fn the_session_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    store.save_session(&session(&iris(), 3)).await.unwrap();

    let store = restarted(device, store).await;
    assert_eq!(store.session().await.unwrap(), Some(session(&iris(), 3)));
    let error = store.save_session(&session(&ada(), 1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::WrongAccount);

    store.clear_session().await.unwrap();
    let store = restarted(device, store).await;
    assert_eq!((store.session().await.unwrap(), store.account().await.unwrap()), (None, Some(iris().id)));
}

/// Defect 7: two processes use one file. The second one finds that the position has moved, and reads what the first one
/// wrote.
pub async fn defect_7_two_handles_do_not_undo_each_other(device: &dyn Device) {
    let (one, two) = (device.open().await, device.open().await);
    let id = loaded_thread(&*one, direct(1, 0), vec![]).await;
    let page = |n| pull_page("1", Changes { messages: messages(id, [n], &ada()), ..Changes::default() });
    one.apply_pull(&cursor("0"), page(1)).await.unwrap();

    let error = two.apply_pull(&cursor("0"), page(2)).await.unwrap_err();

    assert_eq!(error.kind(), StorageErrorKind::Superseded);
    sent(&*two, 1, id).await;
    sent(&*one, 2, id).await;
    assert_eq!(batch(&*one).await, mutations([1, 2]));
    assert_eq!(texts(&*two, id).await, ["message 1", "own 1", "own 2"]);
    assert!(one.message(own_message_id(1)).await.unwrap().is_some());
}

/// Two tasks of one process write at the same time: each message is stored and queued once.
pub async fn concurrent_writes_are_all_kept(device: &dyn Device) {
    let store = device.open().await;
    let id = loaded_thread(&*store, direct(1, 0), vec![]).await;
    let shared = &*store;
    let writer = |first: u64| async move {
        for n in first..first + 10 {
            sent(shared, n, id).await;
        }
    };
    all(vec![Box::pin(writer(1)), Box::pin(writer(11)), Box::pin(writer(21)), Box::pin(writer(31))]).await;
    let mut ids: Vec<_> = batch(&*store).await;
    assert_eq!(ids.len(), 40);
    ids.sort();
    ids.dedup();
    assert_eq!(ids, mutations(1..=40));
    assert_eq!(texts(&*store, id).await.len(), 40);
}

/// Runs all futures interleaved until the last is done.
async fn all(mut running: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>>) {
    poll_fn(|context| {
        running.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
