//! Passes that the runner starts. Tokio's time is paused: it advances when every task waits.

use crate::given::*;
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_sync::{Runner, SyncStatus};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const S: Duration = Duration::from_secs(1);

/// A phone with a running runner, after its first pass.
async fn running(server: &ReferenceServer) -> (Phone, Runner) {
    let ada = Phone::of(server, ADA, 1).await;
    let runner = Runner::start(Arc::clone(&ada.engine));
    sleep(S).await;
    ada.network.take_calls();
    (ada, runner)
}

/// The number of pulls since the last call of this function.
fn pulls(phone: &Phone) -> usize {
    phone.network.take_calls().into_iter().filter(|call| *call == "pull").count()
}

#[tokio::test(start_paused = true)]
async fn the_runner_sends_a_local_write() {
    let server = ReferenceServer::demo();
    let (ada, _runner) = running(&server).await;
    ada.write("hello").await;
    sleep(S).await;
    assert_eq!(ada.network.take_calls(), ["push"], "nothing else has happened");
    assert_eq!(ada.engine.status().borrow().sync_status(), SyncStatus::Synced);
}

#[tokio::test(start_paused = true)]
async fn the_timer_fetches_what_is_new_every_30_seconds_and_in_the_background_every_15_minutes() {
    let server = ReferenceServer::demo();
    let (ada, _runner) = running(&server).await;
    sleep(90 * S).await;
    assert_eq!(pulls(&ada), 3);
    ada.engine.background(S).await.unwrap();
    sleep(61 * 60 * S).await;
    assert_eq!(pulls(&ada), 4);
    ada.engine.foreground();
    sleep(S).await;
    assert_eq!(ada.network.take_calls(), ["pull"]);
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_server_is_retried_with_backoff_and_at_once_when_online() {
    let server = ReferenceServer::demo();
    let (ada, _runner) = running(&server).await;
    ada.network.go_offline();
    ada.write("hello").await;
    sleep(10 * 60 * S).await;
    let calls = ada.network.take_calls().len();
    assert!((10..60).contains(&calls), "{calls} calls in ten minutes");
    assert_eq!(ada.engine.status().borrow().sync_status(), SyncStatus::Offline);
    ada.network.go_online();
    ada.engine.set_online(true);
    sleep(Duration::from_millis(10)).await;
    assert_eq!(ada.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn offline_only_a_call_of_sync_runs_a_pass() {
    let server = ReferenceServer::demo();
    let (ada, _runner) = running(&server).await;
    ada.engine.set_online(false);
    assert_eq!(ada.engine.status().borrow().sync_status(), SyncStatus::Offline);
    ada.write("hello").await;
    sleep(60 * 60 * S).await;
    assert!(ada.network.take_calls().is_empty());
    assert_eq!(ada.sync().await.pushed, 1);
    ada.engine.set_online(true);
    assert_eq!(ada.engine.status().borrow().sync_status(), SyncStatus::Synced);
}

#[tokio::test(start_paused = true)]
async fn sync_ignores_backoff() {
    let server = ReferenceServer::demo();
    let (ada, _runner) = running(&server).await;
    ada.network.fail_next(RemoteErrorKind::RateLimited);
    ada.write("hello").await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(ada.pending().await, 1);
    let before = Instant::now();
    assert_eq!(ada.sync().await.pushed, 1);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn signing_in_again_sends_the_outbox() {
    let server = ReferenceServer::demo();
    let (ada, _runner) = running(&server).await;
    ada.engine.sign_out().await.unwrap();
    ada.write("hello").await;
    sleep(60 * S).await;
    assert_eq!(ada.pending().await, 1);
    ada.engine.sign_in(&Phone::credentials(ADA)).await.unwrap();
    sleep(S).await;
    assert_eq!(ada.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_hint_triggers_a_pull() {
    let server = ReferenceServer::demo();
    let (ada, _runner) = running(&server).await;
    ada.engine.hint();
    sleep(Duration::from_millis(10)).await;
    assert_eq!(ada.network.take_calls(), ["pull"]);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_runner_does_nothing_more() {
    let server = ReferenceServer::demo();
    let (ada, runner) = running(&server).await;
    runner.stop().await;
    ada.write("hello").await;
    sleep(60 * 60 * S).await;
    assert!(ada.network.take_calls().is_empty());
    assert_eq!(Arc::strong_count(&ada.engine), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_runner_stops_too() {
    let server = ReferenceServer::demo();
    let (ada, runner) = running(&server).await;
    drop(runner);
    sleep(60 * 60 * S).await;
    assert!(ada.network.take_calls().is_empty());
    assert_eq!(Arc::strong_count(&ada.engine), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_sync_is_repeated_by_the_runner_at_once() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    assert!(tokio::time::timeout(Duration::ZERO, ada.engine.sync()).await.is_err(), "she closes the screen");
    let _runner = Runner::start(Arc::clone(&ada.engine));
    sleep(S).await;
    assert_eq!(ada.pending().await, 0);
}
