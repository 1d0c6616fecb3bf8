//! What the app tells the engine about its surroundings.

use crate::given::*;
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_sync::{Runner, SyncError};
use std::{sync::Arc, time::Duration};

const S: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn going_to_the_background_sends_what_waits() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    let left = ada.engine.background(S).await.unwrap();
    assert_eq!(left.pending, 0);
    ada.network.take_calls();
    ada.engine.background(S).await.unwrap();
    assert!(ada.network.take_calls().is_empty(), "nothing waits, nothing is done");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_stops_what_does_not_get_done_and_the_next_pass_takes_it_up() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    let left = ada.engine.background(Duration::ZERO).await.unwrap();
    assert_eq!(left.pending, 1);
    assert!(!ada.engine.status().borrow().syncing);
    assert_eq!(ada.sync().await.pushed, 1);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_stops_a_pass_of_somebody_else_as_well() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    let (synced, left) = futures::future::join(ada.engine.sync(), ada.engine.background(Duration::ZERO)).await;
    assert!(matches!(synced, Err(SyncError::Stopped)), "{synced:?}");
    assert_eq!(left.unwrap().pending, 1);
}

#[tokio::test(start_paused = true)]
async fn a_paused_engine_calls_nobody_until_it_is_resumed() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let _runner = Runner::start(Arc::clone(&ada.engine));
    ada.write("hello").await;
    let (synced, ()) = futures::future::join(ada.engine.sync(), ada.engine.pause()).await;
    assert!(matches!(synced, Err(SyncError::Stopped)), "what was running is stopped: {synced:?}");
    ada.network.take_calls();
    assert!(matches!(ada.engine.sync().await, Err(SyncError::Stopped)));
    tokio::time::sleep(60 * 60 * S).await;
    assert!(ada.network.take_calls().is_empty());
    ada.engine.resume();
    tokio::time::sleep(S).await;
    assert_eq!(ada.pending().await, 0);
}
