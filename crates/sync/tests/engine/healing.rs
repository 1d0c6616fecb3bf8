//! The check finds and repairs the damage of a bug.

use crate::given::*;
use fieldpost_domain::{Changes, HistoryPage, Seq, SeqRange, ServerLimits};
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_storage::Replica;
use fieldpost_sync::Runner;
use std::{sync::Arc, time::Duration};

#[tokio::test(start_paused = true)]
async fn a_message_lost_here_returns_after_a_round_of_checks() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let before = ada.texts().await;
    let generation = ada.store.sync_state().await.unwrap().generation;
    let seq = Seq::new(before[0].0.unwrap());
    // A page that covers this part of the thread but leaves the message out.
    let hollow = HistoryPage {
        transfer: fieldpost_domain::Transfer::default(),
        conversation_id: ada.thread().await,
        conversation: None,
        changes: Changes::default(),
        range: SeqRange { from: seq, to: seq },
        complete: false,
        limits: ServerLimits::default(),
    };
    ada.store.apply_history(generation, hollow).await.unwrap();
    assert_eq!(ada.texts().await.len(), before.len() - 1);
    ada.sync().await;
    assert_eq!(ada.texts().await.len(), before.len() - 1, "a pull does not bring it");

    let _runner = Runner::start(Arc::clone(&ada.engine));
    tokio::time::sleep(Duration::from_secs(5 * 60)).await;

    assert_eq!(ada.texts().await, before);
    let health = ada.engine.status().borrow().health;
    assert_eq!(health.diverged, 1, "{health:?}");
    assert!(health.checked > 3);
}
