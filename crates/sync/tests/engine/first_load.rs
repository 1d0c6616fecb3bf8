//! The bootstrap of a new device: the first screen, all pages, and prefetching.

use crate::given::*;
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::{Conversations, Replica, Store, SyncPosition, Touched};

#[tokio::test]
async fn a_prefetched_page_is_requested_once() {
    let server = server_with_small_pages();
    let phone = Phone::new(&server, 1);
    phone.sign_in(ADMIN).await;
    phone.network.take_calls();

    let report = phone.sync().await;

    let calls = phone.network.take_calls();
    let bootstraps = calls.iter().filter(|call| **call == "bootstrap").count();
    assert!(bootstraps > 3, "a first screen and pages: {calls:?}");
    assert_eq!(report.requests, calls.len() as u64, "{calls:?}");
}

#[tokio::test]
async fn a_first_screen_is_readable_when_the_bootstrap_fails() {
    let server = ReferenceServer::demo();
    let phone = Phone::new(&server, 1);
    phone.sign_in(ADMIN).await;
    phone.network.fail_after(1, RemoteErrorKind::Unavailable);

    assert!(phone.engine.sync().await.is_err());

    let list = phone.store.conversations(100).await.unwrap();
    assert!(list.len() > 1, "{list:?}");
    assert_eq!(phone.messages().await.len(), 1, "the last message of Ada's");
}

#[tokio::test]
async fn a_phone_interrupted_after_its_first_screen_still_loads_everything() {
    let server = ReferenceServer::demo();
    let phone = Phone::new(&server, 1);
    phone.sign_in(ADMIN).await;
    phone.network.fail_after(1, RemoteErrorKind::Unavailable);
    assert!(phone.engine.sync().await.is_err());
    let position = phone.store.sync_state().await.unwrap().position;
    assert!(
        matches!(position, SyncPosition::Bootstrapping { after: None, .. }),
        "the bootstrap began again: {position:?}"
    );

    let phone = phone.restarted(2);
    phone.sync().await;

    let other = Phone::of(&server, ADMIN, 3).await;
    assert_eq!(phone.texts().await, other.texts().await);
    assert!(phone.texts().await.len() > 1);
}

#[tokio::test]
async fn watchers_see_an_applied_page_even_if_the_next_fails() {
    let server = ReferenceServer::demo();
    let phone = Phone::new(&server, 1);
    phone.sign_in(ADMIN).await;
    phone.network.fail_after(1, RemoteErrorKind::Unavailable);
    let mut changes = phone.store.changes();

    assert!(phone.engine.sync().await.is_err());

    assert_eq!(changes.take().conversations, Touched::All);
}
