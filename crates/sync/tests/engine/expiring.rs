//! Messages with a ttl, and clocks that jump.

use crate::given::*;
use chrono::TimeDelta;
use fieldpost_domain::RefusalCode;
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_storage::{EntryState, Outbox, OutboxEntry};
use fieldpost_sync::Clock;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(60 * 60);

/// Ada's phone after a sync, with a ttl of an hour.
async fn ada(server: &ReferenceServer) -> Phone {
    let ada = Phone::with_send_ttl(server, 1, TTL);
    ada.sign_in(ADA).await;
    ada.sync().await;
    ada
}

/// Advances all clocks.
async fn wait(phone: &Phone, time: Duration) {
    phone.clock.advance(TimeDelta::from_std(time).unwrap());
    tokio::time::advance(time).await;
}

async fn entry(phone: &Phone) -> OutboxEntry {
    phone.store.entries(1).await.unwrap().remove(0)
}

fn has_expired(entry: &OutboxEntry) -> bool {
    matches!(&entry.state, EntryState::Failed(refusal) if refusal.code == RefusalCode::Expired)
}

#[tokio::test(start_paused = true)]
async fn an_expired_message_is_sent_only_when_the_person_retries() {
    let server = ReferenceServer::demo();
    let ada = ada(&server).await;
    let late = ada.write("the crane is free now").await;
    wait(&ada, TTL).await;
    wait(&ada, Duration::from_secs(1)).await;
    let fresh = ada.write("and the second one, too").await;

    let report = ada.sync().await;

    assert_eq!((report.pushed, report.failed), (1, 1));
    assert!(has_expired(&entry(&ada).await));
    assert!(server.message(late).is_none() && server.message(fresh).is_some());
    assert_eq!(ada.engine.status().borrow().failed, 1);
    ada.store.retry(entry(&ada).await.mutation_id, ada.clock.now()).await.unwrap();
    assert_eq!(ada.sync().await.pushed, 1);
    assert!(server.message(late).unwrap().seq > server.message(fresh).unwrap().seq);
}

#[tokio::test(start_paused = true)]
async fn a_message_in_flight_does_not_expire() {
    let server = ReferenceServer::demo();
    let ada = ada(&server).await;
    let message = ada.write("hello").await;
    ada.network.lose_next_answers(2);
    ada.engine.sync().await.unwrap_err();
    assert!(server.message(message).is_some());
    wait(&ada, 10 * TTL).await;
    let report = ada.sync().await;
    assert_eq!((report.pushed, report.failed), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_ttl_nothing_expires() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    wait(&ada, 10_000 * TTL).await;
    assert_eq!(ada.sync().await.pushed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_while_the_app_runs_expires_nothing() {
    let server = ReferenceServer::demo();
    let ada = ada(&server).await;
    for jump in [TimeDelta::days(400), TimeDelta::days(-800), TimeDelta::days(400)] {
        ada.write("before the jump").await;
        ada.clock.advance(jump);
        ada.write("after it").await;
        assert_eq!(ada.sync().await.pushed, 2, "{jump}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_corrected_before_an_anchor_costs_at_most_a_dead_letter() {
    let server = ReferenceServer::demo();
    let ada = ada(&server).await;
    let message = ada.write("hello").await;
    ada.clock.advance(TimeDelta::days(400));
    ada.engine.foreground();
    ada.sync().await;
    assert!(has_expired(&entry(&ada).await), "the foreground sets an anchor");
    ada.store.retry(entry(&ada).await.mutation_id, ada.clock.now()).await.unwrap();
    ada.sync().await;
    assert!(server.message(message).is_some());
}
