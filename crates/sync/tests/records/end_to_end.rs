//! Both sides with the reference store, the reference server, and a network that fails on command.

use crate::{given::table, phones::*};
use fieldpost_domain::{
    RetryCode,
    records::{Fields, RecordRefusalCode, RecordState, RecordTable},
};
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::records::{AuditLog, RecordEntryState, RecordQueue, Records};
use fieldpost_sync::{ConnectionKind, ContextRunner, MessageSyncStatus, SyncError, SyncStatus};
use std::time::Duration;
use tokio::time::sleep;

const S: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_is_written_offline_reaches_the_other_phone_once() {
    let (server, clock) = server();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    // Given three records, of which one is changed and one deleted, while there is no network.
    ada.records.go_offline();
    let [kept, changed, deleted] = [ada.create("Gate 1").await, ada.create("Gate 2").await, ada.create("Gate 3").await];
    ada.update(changed, "Gate 2b").await;
    ada.delete(deleted).await;
    assert!(ada.coordinator.records().sync().await.is_err());
    // When the network is back.
    ada.records.go_online();
    ada.sync().await;
    admin.sync().await;
    // Then both phones show the same.
    assert_eq!(admin.places().await, ["Gate 1", "Gate 2b"]);
    assert_eq!(places_on(&server), ["Gate 1", "Gate 2b"]);
    assert_eq!(ada.state_of(kept).await, RecordState::Synced);
    // And back, a minute later.
    Phone::pass(&[&clock, &ada.clock, &admin.clock], chrono::TimeDelta::minutes(1));
    admin.update(kept, "Gate 1, closed").await;
    admin.delete(changed).await;
    admin.sync().await;
    ada.sync().await;
    assert_eq!(ada.places().await, ["Gate 1, closed"]);
    assert_eq!((ada.counts().await.pending, ada.counts().await.conflicts), (0, 0));
}

#[tokio::test]
async fn five_hundred_creates_are_five_requests_at_most() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    for number in 0..500 {
        ada.create(&format!("Gate {number}")).await;
    }
    ada.records.take_calls();
    ada.coordinator.records().sync().await.unwrap();
    let calls = ada.records.take_calls();
    assert!(calls.len() <= 5, "{calls:?}");
    assert_eq!(places_on(&server).len(), 500);
}

#[tokio::test]
async fn a_lost_answer_is_neither_a_duplicate_nor_a_conflict() {
    let (server, clock) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    let gate = ada.create("Gate 1").await;
    ada.records.lose_next_answers(2);
    assert!(ada.coordinator.records().sync().await.is_err());
    assert_eq!(ada.counts().await.pending, 1);
    ada.sync().await;
    Phone::pass(&[&clock, &ada.clock], chrono::TimeDelta::minutes(1));
    ada.update(gate, "Gate 2").await;
    ada.records.lose_next_answers(2);
    assert!(ada.coordinator.records().sync().await.is_err());
    ada.sync().await;
    assert_eq!(places_on(&server), ["Gate 2"]);
    let counts = ada.counts().await;
    assert_eq!((counts.pending, counts.failed, counts.conflicts), (0, 0, 0));
}

#[tokio::test]
async fn an_update_never_arrives_before_the_create_of_its_record() {
    let (server, clock) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    let gate = ada.create("Gate 1").await;
    // Nobody knows whether the create has arrived, so the update is a change of its own.
    ada.records.fail_next(RemoteErrorKind::TimedOut);
    assert!(ada.coordinator.records().sync().await.is_err());
    Phone::pass(&[&clock, &ada.clock], chrono::TimeDelta::minutes(1));
    ada.update(gate, "Gate 2").await;
    assert_eq!(ada.counts().await.pending, 2);
    ada.sync().await;
    assert_eq!(places_on(&server), ["Gate 2"]);
    assert_eq!((ada.counts().await.pending, ada.counts().await.conflicts), (0, 0));
}

#[tokio::test]
async fn an_app_that_is_killed_before_the_answer_sends_the_same_changes_again() {
    let (server, clock) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    let gate = ada.create("Gate 1").await;
    ada.records.lose_next_answers(1);
    // It is killed at the next await after the call.
    drop(tokio::time::timeout(Duration::ZERO, ada.coordinator.records().sync()).await);
    let ada = ada.restarted(2).await;
    Phone::pass(&[&clock, &ada.clock], chrono::TimeDelta::minutes(1));
    ada.update(gate, "Gate 2").await;
    ada.sync().await;
    assert_eq!(places_on(&server), ["Gate 2"]);
    assert_eq!((ada.counts().await.pending, ada.counts().await.conflicts), (0, 0));
}

#[tokio::test]
async fn a_pass_that_is_dropped_is_taken_up_by_the_next_in_the_same_process() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.create("Gate 1").await;
    drop(tokio::time::timeout(Duration::ZERO, ada.coordinator.records().sync()).await);
    assert!(!ada.coordinator.records().status().borrow().syncing);
    ada.sync().await;
    assert_eq!((places_on(&server).len(), ada.counts().await.pending), (1, 0));
}

#[tokio::test]
async fn a_refused_change_is_a_dead_letter_and_the_others_are_sent() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    let theirs = fieldpost_domain::RecordId::from_uuid(uuid::Uuid::from_u128(9));
    let elsewhere = server.add_org("Elsewhere");
    assert!(server.insert_record(&table("visits"), (theirs, None), elsewhere, &Fields::new().with("place", "Theirs")));
    ada.create("Gate 1").await;
    ada.create_as(number(7), theirs, Fields::new().with("place", "Gate 2")).await;
    ada.create("Gate 3").await;
    ada.sync().await;
    assert_eq!(places_on(&server), ["Gate 1", "Gate 3", "Theirs"]);
    let queue = ada.store.record_queue(10).await.unwrap();
    assert!(matches!(&queue[0].state, RecordEntryState::Failed(why) if why.code == RecordRefusalCode::IdTaken));
    assert_eq!((queue.len(), ada.coordinator.state().failed()), (1, 1));
}

#[tokio::test]
async fn a_record_that_is_missing_on_the_server_blocks_nothing() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    let gone = ada.create("Gate 1").await;
    ada.sync().await;
    server.delete_record(&table("visits"), gone);
    ada.update(gone, "Gate 1b").await;
    ada.create("Gate 2").await;
    ada.sync().await;
    assert_eq!(places_on(&server), ["Gate 2"]);
    assert_eq!(ada.places().await, ["Gate 2"]);
    let status = ada.coordinator.state().records;
    assert_eq!((status.pending, status.conflicts, status.missing), (0, 1, 1), "what it would have set is kept");
}

#[tokio::test]
async fn a_retried_change_waits_and_a_network_that_is_back_ends_the_wait() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    let gate = ada.create("Gate 1").await;
    server.retry_next_record(None, RetryCode::Busy);
    ada.sync().await;
    let due = ada.counts().await.next_at.unwrap();
    assert_eq!(due - now_of(&ada.clock), chrono::TimeDelta::minutes(5));
    assert_eq!(ada.coordinator.state().sync_status(), SyncStatus::Pending);
    ada.coordinator.records().send_immediate().await.unwrap();
    assert_eq!(ada.counts().await.pending, 1, "it still waits");
    let runner = ContextRunner::start(&ada.coordinator);
    ada.coordinator.set_online(false);
    ada.coordinator.set_online(true);
    tokio::time::timeout(5 * S, async {
        while ada.counts().await.pending > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(ada.state_of(gate).await, RecordState::Synced);
    runner.stop().await;
}

#[tokio::test]
async fn a_table_that_is_declared_later_loads_what_was_there_before() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.create("Gate 1").await;
    ada.sync().await;
    let sites = RecordTable::new(table("sites")).column(visits().columns[0].clone());
    server.offer_table(&sites);
    let org = server.records_of(&table("visits"))[0].org_id;
    let id = fieldpost_domain::RecordId::from_uuid(uuid::Uuid::from_u128(9));
    server.insert_record(&table("sites"), (id, None), org, &Fields::new().with("place", "Site 1"));
    ada.store.declare(&[visits(), sites]).await.unwrap();
    ada.sync().await;
    assert!(ada.store.record(&table("sites"), id).await.unwrap().is_some());
    assert_eq!(ada.places().await, ["Gate 1"]);
}

#[tokio::test]
async fn a_failure_of_the_messages_leaves_the_records_alone_and_the_other_way_round() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.create("Gate 1").await;
    ada.send("hello").await;
    // The messages fail.
    ada.messages.fail_next(RemoteErrorKind::Unavailable);
    ada.messages.fail_next(RemoteErrorKind::Unavailable);
    let report = ada.coordinator.trigger_sync().await;
    assert_eq!(report.records.unwrap().won, 1);
    assert!(report.messages.is_err());
    let state = ada.coordinator.state();
    assert_eq!(state.message_sync_status(), MessageSyncStatus::Error);
    assert!(state.records.last_error.is_none() && state.records.last_success_at.is_some());
    assert_eq!(places_on(&server), ["Gate 1"]);
    // The records fail.
    ada.create("Gate 2").await;
    ada.records.fail_next(RemoteErrorKind::Unavailable);
    ada.records.fail_next(RemoteErrorKind::Unavailable);
    let report = ada.coordinator.trigger_sync().await;
    assert!(report.records.is_err());
    report.messages.unwrap();
    let state = ada.coordinator.state();
    assert_eq!((state.message_sync_status(), state.sync_status()), (MessageSyncStatus::Idle, SyncStatus::Error));
    assert_eq!(ada.unsent_messages().await, 0);
}

#[tokio::test]
async fn a_server_without_records_still_syncs_messages() {
    let (server, _) = server_of(ReferenceServer::builder().without_records());
    let ada = Phone::of(&server, ADA, 1).await;
    ada.create("Gate 1").await;
    ada.send("hello").await;
    let report = ada.coordinator.trigger_sync().await;
    assert_eq!(report.messages.unwrap().pushed, 1);
    let error = report.records.unwrap_err();
    assert!(matches!(&error, SyncError::Remote(error) if error.kind() == RemoteErrorKind::NotFieldpost), "{error}");
    assert_eq!(ada.counts().await.pending, 1);
    assert_eq!(ada.coordinator.state().message_sync_status(), MessageSyncStatus::Idle);
}

#[tokio::test]
async fn trigger_message_sync_leaves_the_records_alone() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.create("Gate 1").await;
    ada.send("hello").await;
    ada.records.take_calls();
    assert_eq!(ada.coordinator.trigger_message_sync().await.unwrap().pushed, 1);
    assert!(ada.records.take_calls().is_empty());
}

#[tokio::test]
async fn an_immediate_record_does_not_wait_for_the_messages() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.messages.order(0, fieldpost_testkit::Fault::Slow(8_000));
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let urgent = async {
        sleep(S).await;
        ada.create_with(Fields::new().with("place", "Accident").with("urgent", true)).await;
        for _ in 0..20 {
            if !places_on(&server).is_empty() {
                break;
            }
            sleep(S).await;
        }
        began.elapsed()
    };
    let (synced, arrived) = tokio::join!(ada.coordinator.trigger_message_sync(), urgent);
    synced.unwrap();
    assert!(arrived <= 3 * S, "{arrived:?}");
    assert!(began.elapsed() >= 8 * S, "while the messages were still on their way");
}

#[tokio::test]
async fn the_audit_log_is_uploaded_last_and_its_failure_fails_nothing() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    let gate = ada.create("Gate 1").await;
    ada.read(gate).await;
    ada.records.take_calls();
    // The third call is the upload.
    ada.records.fail_after(2, RemoteErrorKind::Unavailable);
    ada.sync().await;
    assert_eq!(ada.records.take_calls(), ["push_records", "pull_records", "push_audit"]);
    let state = ada.coordinator.state();
    assert_eq!((state.sync_status(), state.records.audit_pending), (SyncStatus::Synced, 1));
    assert!(state.records.audit_error.is_some());
    ada.sync().await;
    assert_eq!(server.audit_log().len(), 1);
    assert_eq!(ada.store.audit_counts().await.unwrap().pending, 0);
    assert!(ada.coordinator.state().records.audit_error.is_none());
}

#[tokio::test]
async fn going_to_the_background_sends_what_is_immediate_then_the_outbox_then_the_rest() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.create("Gate 1").await;
    ada.create_with(Fields::new().with("place", "Accident").with("urgent", true)).await;
    ada.send("hello").await;
    // Only the first push of records gets through.
    ada.records.fail_after(1, RemoteErrorKind::Unreachable);
    let left = ada.coordinator.background(10 * S).await.unwrap();
    assert_eq!((left.records.pending, left.messages.pending), (1, 0));
    assert_eq!(places_on(&server), ["Accident"]);
    ada.records.take_calls();
    let left = ada.coordinator.background(10 * S).await.unwrap();
    assert_eq!((left.records.pending, places_on(&server).len()), (0, 2));
    // Nothing is left, so nothing is called.
    ada.records.take_calls();
    ada.coordinator.background(10 * S).await.unwrap();
    assert!(ada.records.take_calls().is_empty());
}

#[tokio::test]
async fn a_deadline_ends_the_work_of_the_background_and_loses_nothing() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.create("Gate 1").await;
    ada.records.order(0, fieldpost_testkit::Fault::Slow(60_000));
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let left = ada.coordinator.background(5 * S).await.unwrap();
    assert_eq!((left.records.pending, began.elapsed().as_secs()), (1, 5));
    ada.sync().await;
    assert_eq!(places_on(&server), ["Gate 1"]);
    // The first request arrives late, and is recognised.
    sleep(60 * S).await;
    assert_eq!(places_on(&server), ["Gate 1"]);
}

#[tokio::test]
async fn signing_out_stops_both_sides_and_signing_in_takes_them_up() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.create("Gate 1").await;
    ada.coordinator.sign_out().await.unwrap();
    assert!(!ada.is_signed_in().await);
    assert_eq!(ada.coordinator.state().sync_status(), SyncStatus::SignedOut);
    let report = ada.coordinator.trigger_sync().await;
    assert!(matches!(report.records, Err(SyncError::SignedOut)));
    assert_eq!(ada.counts().await.pending, 1);
    ada.sign_in(ADA).await;
    ada.sync().await;
    assert_eq!(places_on(&server), ["Gate 1"]);
    assert_eq!(ada.coordinator.state().sync_status(), SyncStatus::Synced);
}

#[tokio::test]
async fn the_stream_shows_every_state_on_the_way() {
    let (server, _) = server();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.sync().await;
    let mut watch = ada.coordinator.watch();
    assert_eq!(watch.state().sync_status(), SyncStatus::Synced);
    ada.create("Gate 1").await;
    assert_eq!(watch.changed().await.unwrap().sync_status(), SyncStatus::Pending);
    let seen = async {
        loop {
            let word = watch.changed().await.unwrap().sync_status();
            if word == SyncStatus::Syncing {
                break word;
            }
        }
    };
    let (_, word) = tokio::join!(ada.coordinator.trigger_sync(), seen);
    assert_eq!(word, SyncStatus::Syncing);
    assert_eq!(watch.state().sync_status(), SyncStatus::Synced);
    ada.coordinator.set_connection(ConnectionKind::None);
    assert_eq!(watch.changed().await.unwrap().sync_status(), SyncStatus::Offline);
    ada.coordinator.set_connection(ConnectionKind::Cellular);
    assert_eq!(watch.state().connection, ConnectionKind::Cellular);
    assert_eq!(watch.state().sync_status(), SyncStatus::Synced);
}
