//! The status that an app shows.

use crate::given::*;
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_sync::{MessageSyncStatus, SyncStatus};

#[tokio::test]
async fn sync_status_follows_the_outbox_the_network_and_the_session() {
    let server = ReferenceServer::demo();
    let ada = Phone::new(&server, 1);
    let status = ada.engine.status();
    assert_eq!(status.borrow().sync_status(), SyncStatus::SignedOut);

    ada.sign_in(ADA).await;
    ada.engine.refresh_status().await.unwrap();
    assert_eq!(status.borrow().sync_status(), SyncStatus::Pending, "nothing was synced yet");

    ada.sync().await;
    assert_eq!(status.borrow().sync_status(), SyncStatus::Synced);
    assert!(status.borrow().last_success_at.is_some());

    ada.write("hello").await;
    ada.engine.refresh_status().await.unwrap();
    assert_eq!((status.borrow().sync_status(), status.borrow().pending), (SyncStatus::Pending, 1));

    ada.network.go_offline();
    assert!(ada.engine.sync().await.is_err());
    assert_eq!(status.borrow().sync_status(), SyncStatus::Offline);
    assert_eq!(status.borrow().message_sync_status(), MessageSyncStatus::Error);

    ada.network.go_online();
    ada.network.fail_next(RemoteErrorKind::Unavailable);
    assert!(ada.engine.sync().await.is_err());
    assert_eq!(status.borrow().sync_status(), SyncStatus::Error);

    ada.sync().await;
    assert_eq!(status.borrow().sync_status(), SyncStatus::Synced);
    assert_eq!(status.borrow().message_sync_status(), MessageSyncStatus::Idle);
}

#[tokio::test]
async fn a_bootstrap_shows_its_progress() {
    let server = server_with_small_pages();
    let admin = Phone::new(&server, 1);
    admin.sign_in(ADMIN).await;
    let mut status = admin.engine.status();
    let watch = async {
        let mut seen = Vec::new();
        while status.changed().await.is_ok() {
            let now = status.borrow_and_update().clone();
            seen.extend(now.bootstrap);
            if now.last_success_at.is_some() {
                break;
            }
        }
        seen
    };
    let (seen, _) = futures::future::join(watch, admin.engine.sync()).await;
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done), "{seen:?}");
    assert!(seen.last().is_some_and(|last| last.total == Some(last.done)), "{seen:?}");
    let status = admin.engine.status();
    assert_eq!(status.borrow().bootstrap, None, "no progress after the end");
}

#[tokio::test]
async fn a_dropped_pass_resets_the_syncing_status() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let status = ada.engine.status();
    {
        let sync = ada.engine.sync();
        tokio::pin!(sync);
        let once = std::future::ready(());
        tokio::select! { biased; _ = &mut sync => panic!("a call takes a moment"), () = once => {} }
        assert!(status.borrow().syncing);
    }
    assert!(!status.borrow().syncing);
    ada.sync().await;
}

#[tokio::test]
async fn refresh_status_counts_the_writes_of_another_process() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.sync().await;
    let status = ada.engine.status();
    let thread = ada.thread().await;
    ada.write_silently(thread, "of another process").await;

    assert_eq!(status.borrow().pending, 0, "not read yet");

    ada.write("written here").await;
    assert_eq!(status.borrow().pending, 2);
    ada.sync().await;
    assert_eq!((status.borrow().pending, ada.pending().await), (0, 0));
}

#[tokio::test]
async fn concurrent_writes_are_all_counted() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.sync().await;
    futures::future::join_all((0..20).map(|_| ada.write("one of many"))).await;
    assert_eq!((ada.engine.status().borrow().pending, ada.pending().await), (20, 20));
}
