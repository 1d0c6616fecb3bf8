//! Foreground, background, pause and resume.

use crate::given::*;
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_sync::{Runner, SyncError};
use std::{sync::Arc, time::Duration};

const S: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn going_to_the_background_sends_the_outbox() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    let left = ada.engine.background(S).await.unwrap();
    assert_eq!(left.pending, 0);
    ada.network.take_calls();
    ada.engine.background(S).await.unwrap();
    assert!(ada.network.take_calls().is_empty(), "an empty outbox needs no call");
}

#[tokio::test(start_paused = true)]
async fn background_stops_the_pass_at_the_deadline_and_the_next_pass_continues() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    let left = ada.engine.background(Duration::ZERO).await.unwrap();
    assert_eq!(left.pending, 1);
    assert!(!ada.engine.status().borrow().syncing);
    assert_eq!(ada.sync().await.pushed, 1);
}

#[tokio::test(start_paused = true)]
async fn background_stops_the_pass_of_another_caller_at_the_deadline() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    let (synced, left) = futures::future::join(ada.engine.sync(), ada.engine.background(Duration::ZERO)).await;
    assert!(matches!(synced, Err(SyncError::Stopped)), "{synced:?}");
    assert_eq!(left.unwrap().pending, 1);
}

#[tokio::test(start_paused = true)]
async fn a_paused_engine_makes_no_call_until_resumed() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let _runner = Runner::start(Arc::clone(&ada.engine));
    ada.write("hello").await;
    let (synced, ()) = futures::future::join(ada.engine.sync(), ada.engine.pause()).await;
    assert!(matches!(synced, Err(SyncError::Stopped)), "the running pass is stopped: {synced:?}");
    ada.network.take_calls();
    assert!(matches!(ada.engine.sync().await, Err(SyncError::Stopped)));
    tokio::time::sleep(60 * 60 * S).await;
    assert!(ada.network.take_calls().is_empty());
    ada.engine.resume();
    tokio::time::sleep(S).await;
    assert_eq!(ada.pending().await, 0);
}
