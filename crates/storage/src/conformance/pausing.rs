//! Pausing and wiping a store, and sharing it between processes.

use super::Device;
use super::build::{ada, at, conversation_id, direct, history_page, iris, message, messages, session};
use super::given::{loaded_thread, outbox, pulled_messages, sent, texts};
use crate::{StorageErrorKind, SyncMemory, SyncPosition};

/// `Store::pause` and `Store::resume`.
pub async fn a_paused_store_fails_until_resumed(device: &dyn Device) {
    let store = device.open().await;
    let thread = loaded_thread(&*store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    sent(&*store, 1, thread).await;

    store.pause().await.unwrap();
    store.pause().await.unwrap();

    for error in [
        store.conversations(10).await.unwrap_err(),
        store.sync_state().await.unwrap_err(),
        store.remember(&SyncMemory::default(), Some(at(1))).await.unwrap_err(),
        store.clear_session().await.unwrap_err(),
        store.try_turn().await.unwrap_err(),
        store.wipe().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StorageErrorKind::Paused, "{}", error.operation());
    }

    store.resume().await.unwrap();
    store.resume().await.unwrap();

    assert_eq!(texts(&*store, thread).await, ["message 1", "own 1"]);
    sent(&*store, 2, thread).await;
    assert_eq!(outbox(&*store).await.len(), 2);
}

/// Another handle can work while one is paused.
pub async fn other_handles_work_while_one_is_paused(device: &dyn Device) {
    let (one, two) = (device.open().await, device.open().await);
    let thread = loaded_thread(&*one, direct(1, 0), vec![]).await;

    one.pause().await.unwrap();
    pulled_messages(&*two, vec![message(thread, 1, &ada())]).await;
    sent(&*two, 1, thread).await;
    two.close().await.unwrap();
    one.resume().await.unwrap();

    assert_eq!(texts(&*one, thread).await, ["message 1", "own 1"]);
}

/// `Store::close` is final.
pub async fn a_closed_store_cannot_be_resumed(device: &dyn Device) {
    let store = device.open().await;
    store.pause().await.unwrap();
    store.close().await.unwrap();
    store.close().await.unwrap();
    for error in [
        store.resume().await.unwrap_err(),
        store.pause().await.unwrap_err(),
        store.counts().await.unwrap_err(),
        store.try_turn().await.unwrap_err(),
        store.wipe().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StorageErrorKind::Closed, "{}", error.operation());
    }
}

/// `Turns::try_turn`.
pub async fn one_handle_at_a_time_has_the_turn(device: &dyn Device) {
    let (one, two) = (device.open().await, device.open().await);

    let turn = one.try_turn().await.unwrap();

    assert!(turn.is_some());
    assert!(two.try_turn().await.unwrap().is_none(), "not another process");
    assert!(one.try_turn().await.unwrap().is_none(), "nor another caller of this process");
    drop(turn);
    let turn = two.try_turn().await.unwrap();
    assert!(turn.is_some());
    assert!(one.try_turn().await.unwrap().is_none());
}

/// A turn is released when its holder pauses, closes or is dropped.
pub async fn a_turn_ends_with_its_holder(device: &dyn Device) {
    let one = device.open().await;
    drop(one.try_turn().await.unwrap());
    one.pause().await.unwrap();
    let two = device.open().await;
    drop(two.try_turn().await.unwrap().unwrap());
    two.close().await.unwrap();
    one.resume().await.unwrap();
    assert!(one.try_turn().await.unwrap().is_some());
}

/// `Store::wipe`.
pub async fn a_wiped_store_is_empty_and_belongs_to_nobody(device: &dyn Device) {
    let store = device.open().await;
    let thread = loaded_thread(&*store, direct(1, 3), messages(conversation_id(1), 1..=2, &ada())).await;
    sent(&*store, 1, thread).await;
    let learned = SyncMemory { suspects: [thread].into(), ..SyncMemory::default() };
    store.remember(&learned, Some(at(1))).await.unwrap();

    store.wipe().await.unwrap();

    let state = store.sync_state().await.unwrap();
    assert_eq!((state.position, state.me, state.last_success_at), (SyncPosition::Fresh, None, None));
    assert_eq!(state.memory, SyncMemory::default());
    super::accounts::a_fresh_store_belongs_to_nobody(&*store).await;
    assert!(outbox(&*store).await.is_empty());
    assert_eq!(store.conversation(thread).await.unwrap(), None);
    store.save_session(&session(&ada(), 1)).await.unwrap();
    assert_eq!(store.account().await.unwrap(), Some(ada().id));

    store.wipe().await.unwrap();
    loaded_thread(&*store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    assert_eq!(texts(&*store, thread).await, ["message 1", "message 2"]);
    assert_eq!(store.account().await.unwrap(), Some(iris().id));
}

/// A page of history that was requested before the wipe, perhaps by another person, is not applied after it.
pub async fn history_requested_before_a_wipe_is_not_applied(device: &dyn Device) {
    let store = device.open().await;
    let id = loaded_thread(&*store, direct(1, 3), messages(conversation_id(1), 2..=3, &ada())).await;
    for _ in 0..3 {
        let asked_in = store.sync_state().await.unwrap().generation;
        store.wipe().await.unwrap();
        loaded_thread(&*store, direct(1, 3), messages(id, 2..=3, &ada())).await;
        let page = history_page(id, 1, 1, messages(id, 1..=1, &ada()));
        let error = store.apply_history(asked_in, page).await.unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::Superseded);
        assert_eq!(texts(&*store, id).await, ["message 2", "message 3"]);
    }
}

/// Other handles and later starts see the wiped store.
pub async fn a_wipe_is_visible_to_all_handles(device: &dyn Device) {
    let (one, two) = (device.open().await, device.open().await);
    let thread = loaded_thread(&*one, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    assert_eq!(texts(&*two, thread).await, ["message 1"]);

    one.wipe().await.unwrap();

    assert!(two.conversations(10).await.unwrap().is_empty());
    assert_eq!(two.account().await.unwrap(), None);
    let next = device.open().await;
    assert_eq!(next.sync_state().await.unwrap().position, SyncPosition::Fresh);
}
