//! Two engines on one store, such as an app and its notification extension.

use crate::given::*;
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_storage::{StorageErrorKind, Turns};
use fieldpost_sync::{Runner, SyncError};
use std::{sync::Arc, time::Duration};

#[tokio::test(start_paused = true)]
async fn two_engines_on_one_store_send_a_message_once() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let other = ada.restarted(2);
    for n in 0..20 {
        ada.write(&format!("message {n}")).await;
    }
    let (one, two) = futures::future::join(ada.engine.sync(), other.engine.sync()).await;
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.pushed + two.pushed, one.failed + two.failed), (20, 0));
    let pushes = |phone: &Phone| phone.network.take_calls().into_iter().filter(|call| *call == "push").count();
    assert_eq!(pushes(&ada) + pushes(&other), 1, "each message is sent once");
}

#[tokio::test(start_paused = true)]
async fn a_pass_without_a_turn_fails_with_busy_and_is_retried() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let turn = ada.store.reopen().try_turn().await.unwrap().unwrap();
    match ada.engine.sync().await {
        Err(SyncError::Storage(error)) => assert_eq!(error.kind(), StorageErrorKind::Busy),
        other => panic!("{other:?}"),
    }
    assert!(ada.network.take_calls().is_empty());

    ada.write("hello").await;
    let _runner = Runner::start(Arc::clone(&ada.engine));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(ada.pending().await, 1);
    drop(turn);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(ada.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_is_cut_off_releases_its_turn() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    assert_eq!(ada.engine.background(Duration::ZERO).await.unwrap().pending, 1);
    assert_eq!(ada.restarted(2).sync().await.pushed, 1);
}
