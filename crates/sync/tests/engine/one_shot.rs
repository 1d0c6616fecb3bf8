//! Processes that run a single pass: each gets further than the one before.

use crate::given::*;
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::Replica;
use fieldpost_sync::Runner;
use std::{sync::Arc, time::Duration};

/// How many messages are in the outbox.
const WAITING: u64 = 40;

/// A phone with a full outbox, on a line that carries at most `most` mutations per batch.
async fn phone_on_a_slow_line(server: &ReferenceServer, most: usize) -> Phone {
    let ada = Phone::of(server, ADA, 1).await;
    for number in 0..WAITING {
        ada.write(&format!("number {number}")).await;
    }
    ada.network.carries_at_most(most);
    ada
}

/// Another process with the same file and the same line.
fn next_process(phone: &Phone, seed: u64, most: usize) -> Phone {
    let next = phone.restarted(seed);
    next.network.carries_at_most(most);
    next
}

#[tokio::test(start_paused = true)]
async fn one_pass_processes_send_everything_over_a_slow_line() {
    let server = ReferenceServer::demo();
    let mut phone = phone_on_a_slow_line(&server, 3).await;
    let mut waiting = vec![WAITING];
    for seed in 2..40 {
        drop(phone.engine.sync().await);
        waiting.push(phone.pending().await);
        if phone.pending().await == 0 {
            break;
        }
        phone = next_process(&phone, seed, 3);
    }
    assert_eq!(waiting.last(), Some(&0), "{waiting:?}");
    let halving = 5;
    assert!(waiting[halving..].windows(2).all(|pair| pair[1] < pair[0]), "each process sends some: {waiting:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_failed_alone_is_tried_last_by_the_next_process() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let bad = ada.thread().await;
    ada.write_in(bad, "makes the call fail").await;
    ada.network.fail_next(RemoteErrorKind::Unavailable);
    assert!(ada.engine.sync().await.is_err());
    assert_eq!(ada.store.sync_state().await.unwrap().memory.suspects, [bad].into());

    let next = ada.restarted(2);
    next.sync().await;

    assert_eq!(next.store.sync_state().await.unwrap().memory.suspects, [].into(), "no suspect after a success");
    assert_eq!(next.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn checks_continue_after_the_last_process() {
    let server = ReferenceServer::demo();
    let first = Phone::of(&server, ADMIN, 1).await;
    let mut checked = Vec::new();
    let mut phone = first;
    for seed in 2..5 {
        // The timer is due for the first pass of a runner, so that pass checks.
        let runner = Runner::start(Arc::clone(&phone.engine));
        tokio::time::sleep(Duration::from_secs(1)).await;
        runner.stop().await;
        checked.push(phone.store.sync_state().await.unwrap().memory.checked);
        phone = phone.restarted(seed);
    }
    checked.dedup();
    assert_eq!(checked.len(), 3, "a different conversation each time: {checked:?}");
}

#[tokio::test(start_paused = true)]
async fn health_counts_continue_across_processes() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.network.lose_next_answer();
    ada.sync().await;
    let before = ada.engine.status().borrow().health;
    assert_eq!((before.passes, before.repeated), (3, 1), "{before:?}");

    let next = ada.restarted(2);
    next.engine.refresh_status().await.unwrap();
    assert_eq!(next.engine.status().borrow().health, before);
    next.network.go_offline();
    assert!(next.engine.sync().await.is_err());
    let after = next.engine.status().borrow().health;
    assert_eq!((after.passes, after.failed_passes), (before.passes + 1, before.failed_passes + 1));
}
