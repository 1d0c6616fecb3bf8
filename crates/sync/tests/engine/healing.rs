//! The check finds and repairs the damage of a bug.

use crate::given::*;
use fieldpost_domain::{Changes, Emoji, HistoryPage, Seq, SeqRange, ServerLimits};
use fieldpost_remote::{Auth, BootstrapRequest, MessagingApi, reference::ReferenceServer};
use fieldpost_storage::{BootstrapReason, Replica};
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

/// Given a device that has reloaded only the newest message of each thread, when a check brings older ones, then these have
/// the reactions that they had before.
#[tokio::test(start_paused = true)]
async fn a_message_that_a_check_brings_comes_with_its_reactions() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let (oldest, admin) = (server.messages_of(ada.thread().await)[0].id, server.person_with(ADMIN).unwrap());
    assert!(server.react(oldest, admin, &Emoji::new("👍").unwrap(), false));
    let session = ada.network.sign_in(&Phone::credentials(ADA)).await.unwrap();
    let request = BootstrapRequest { after: None, limit: None, messages: Some(1), bytes: None };
    let page = ada.network.bootstrap(&session.access_token, request).await.unwrap();
    ada.store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    ada.store.apply_bootstrap(None, page).await.unwrap();
    assert_eq!(ada.messages().await.len(), 1);

    let _runner = Runner::start(Arc::clone(&ada.engine));
    tokio::time::sleep(Duration::from_secs(5 * 60)).await;

    let messages = ada.messages().await;
    assert_eq!(messages[0].id, oldest, "the check has brought it");
    let whose: Vec<_> = messages[0].reactions.iter().map(|one| one.people.clone()).collect();
    assert_eq!(whose, [vec![admin]]);
}
