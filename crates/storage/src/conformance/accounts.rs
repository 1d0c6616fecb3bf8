//! Sessions, the owner of the store, and closing it.

use super::build::{
    ada, at, bootstrap_page, composed, conversation_id, cursor, direct, history_page, iris, mutation_id, new_direct,
    own_message_id, pull_page, session, wide,
};
use super::given::{batch, loaded, loaded_thread, mutations, sent, texts};
use crate::{BootstrapReason, StorageErrorKind, StorageResult, Store, SyncMemory, Window};
use fieldpost_domain::Changes;
use std::collections::HashSet;

/// Nobody has signed in yet.
pub async fn a_fresh_store_belongs_to_nobody(store: &dyn Store) {
    assert_eq!(store.session().await.unwrap(), None);
    assert_eq!(store.account().await.unwrap(), None);
    assert!(store.conversations(10).await.unwrap().is_empty());
    assert!(store.people().await.unwrap().is_empty());
    assert_eq!(store.total_unread().await.unwrap(), 0);
    assert_eq!(store.counts().await.unwrap(), crate::OutboxCounts::default());
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
    store.clear_session().await.unwrap();
}

/// The first session makes its person the owner.
pub async fn the_first_session_decides_whose_store_it_is(store: &dyn Store) {
    store.save_session(&session(&iris(), 1)).await.unwrap();
    assert_eq!(store.session().await.unwrap(), Some(session(&iris(), 1)));
    assert_eq!(store.account().await.unwrap(), Some(iris().id));
}

/// Rotated tokens replace the old ones.
pub async fn a_refreshed_session_replaces_the_old_one(store: &dyn Store) {
    store.save_session(&session(&iris(), 1)).await.unwrap();
    let rotated = fieldpost_domain::Session { email: None, ..session(&iris(), 2) };
    store.save_session(&rotated).await.unwrap();
    assert_eq!(store.session().await.unwrap(), Some(rotated));
}

/// `Sessions::save_session`: the errors.
pub async fn another_persons_session_is_refused(store: &dyn Store) {
    store.save_session(&session(&iris(), 1)).await.unwrap();
    for _ in 0..2 {
        let error = store.save_session(&session(&ada(), 1)).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (StorageErrorKind::WrongAccount, "save_session"));
        assert_eq!(store.session().await.unwrap(), Some(session(&iris(), 1)));
        assert_eq!(store.account().await.unwrap(), Some(iris().id));
    }
    store.clear_session().await.unwrap();
    let error = store.save_session(&session(&ada(), 1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::WrongAccount, "also after signing out");
    assert_eq!(store.session().await.unwrap(), None);
}

/// `Sessions::claim`: an app that owns the session.
pub async fn a_claimed_store_belongs_to_its_person_and_keeps_no_tokens(store: &dyn Store) {
    store.claim(iris().id).await.unwrap();
    store.claim(iris().id).await.unwrap();
    assert_eq!((store.account().await.unwrap(), store.session().await.unwrap()), (Some(iris().id), None));
    let error = store.claim(ada().id).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::WrongAccount, "claim"));
    let error = store.save_session(&session(&ada(), 1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::WrongAccount);
    store.save_session(&session(&iris(), 1)).await.unwrap();
    store.claim(iris().id).await.unwrap();
    assert_eq!(store.session().await.unwrap(), Some(session(&iris(), 1)), "claiming takes nothing away");
}

/// Signing out deletes the tokens and nothing else.
pub async fn signing_out_keeps_the_outbox_and_everything_else(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    sent(store, 1, thread).await;

    store.clear_session().await.unwrap();

    assert_eq!(store.session().await.unwrap(), None);
    assert_eq!(store.account().await.unwrap(), Some(iris().id));
    assert_eq!(texts(store, thread).await, ["own 1"]);
    assert_eq!(batch(store).await, mutations([1]));
    assert!(sent(store, 2, thread).await.mine, "sending still works");
    store.save_session(&session(&iris(), 2)).await.unwrap();
}

/// An error of the store contains neither content nor tokens.
pub async fn errors_carry_no_content_and_no_token(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let wrong = store.save_session(&session(&ada(), 7)).await.unwrap_err();
    let lost = store.send(mutation_id(1), composed(1, conversation_id(9)).into()).await.unwrap_err();
    for text in [format!("{wrong} {wrong:?}"), format!("{lost} {lost:?}")] {
        assert!(!text.contains("own 1") && !text.contains("access-7") && !text.contains("refresh-7"), "{text}");
    }
}

fn closed<T>(operation: &str, result: StorageResult<T>) {
    let error = result.err().unwrap_or_else(|| panic!("{operation} works on a closed store"));
    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::Closed, operation));
}

/// `Store::close`: closing twice is allowed.
pub async fn closing_twice_is_allowed(store: &dyn Store) {
    store.close().await.unwrap();
    store.close().await.unwrap();
}

/// Every reading method fails after `close`.
pub async fn a_closed_store_cannot_be_read(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    store.close().await.unwrap();

    closed("conversations", store.conversations(1).await);
    closed("conversation", store.conversation(thread).await);
    closed("total_unread", store.total_unread().await);
    closed("messages", store.messages(thread, Window::newest(1)).await);
    closed("message", store.message(own_message_id(1)).await);
    closed("people", store.people().await);
    closed("person", store.person(iris().id).await);
    closed("next_batch", store.next_batch(wide(), &HashSet::new()).await);
    closed("entries", store.entries(1).await);
    closed("counts", store.counts().await);
    closed("sync_state", store.sync_state().await);
    closed("missing_ranges", store.missing_ranges(1).await);
    closed("session", store.session().await);
    closed("account", store.account().await);
}

/// Every writing method fails after `close`.
pub async fn a_closed_store_cannot_be_written(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    store.close().await.unwrap();

    closed("send", store.send(mutation_id(1), composed(1, thread).into()).await);
    closed("open_direct", store.open_direct(mutation_id(1), new_direct(2)).await);
    closed("mark_read", store.mark_read(mutation_id(1), thread, super::build::seq(1), at(1)).await);
    closed("settle", store.settle(vec![]).await);
    closed("begin_bootstrap", store.begin_bootstrap(BootstrapReason::First).await);
    closed("apply_bootstrap", store.apply_bootstrap(None, bootstrap_page(Changes::default())).await);
    closed("apply_pull", store.apply_pull(&cursor("0"), pull_page("1", Changes::default())).await);
    closed("apply_history", store.apply_history(1, history_page(thread, 1, 1, vec![])).await);
    closed("remember", store.remember(&SyncMemory::default(), Some(at(1))).await);
    closed("save_session", store.save_session(&session(&iris(), 2)).await);
    closed("clear_session", store.clear_session().await);
}

/// `Store::inspect`: it finds no fault in a store in use, and changes nothing.
pub async fn inspect_finds_no_fault_in_a_sound_store(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), super::build::messages(conversation_id(1), 1..=1, &ada())).await;
    sent(store, 1, id).await;
    assert!(store.inspect().await.unwrap().faults.is_empty());
    assert_eq!(texts(store, id).await, ["message 1", "own 1"]);
}
