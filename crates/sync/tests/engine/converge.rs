//! Two phones and a server converge, whatever happens in between.

use crate::given::*;
use chrono::TimeDelta;
use fieldpost_domain::{RetryCode, Role, Seq};
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::Conversations;

#[tokio::test]
async fn what_a_medic_writes_offline_reaches_the_admin_once_and_back() {
    let server = ReferenceServer::demo();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);

    ada.network.go_offline();
    for text in ["one", "two", "three"] {
        ada.write(text).await;
    }
    assert!(ada.engine.sync().await.is_err());
    admin.write("from the office").await;
    admin.sync().await;
    ada.network.go_online();
    ada.sync().await;
    admin.sync().await;

    assert_eq!(ada.texts().await, admin.texts().await);
    assert_eq!(ada.pending().await, 0);
    assert_eq!(ada.texts().await.len(), 3 + 1 + 3);
}

#[tokio::test]
async fn an_app_killed_between_commit_and_response_sends_nothing_twice() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("is this thing on").await;
    ada.network.lose_next_answers(2);
    assert!(ada.engine.sync().await.is_err(), "the server has it, the phone does not know");
    assert_eq!(ada.pending().await, 1);

    let ada = ada.restarted(3);
    let report = ada.sync().await;
    assert_eq!((report.pushed, report.failed), (1, 0));
    let thread = ada.thread().await;
    let stored = server.messages_of(thread);
    assert_eq!(stored.iter().filter(|message| message.content.as_deref() == Some("is this thing on")).count(), 1);
}

#[tokio::test]
async fn a_lost_response_is_repaired_within_the_same_sync() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    ada.network.lose_next_answer();
    let report = ada.sync().await;
    assert_eq!((report.repeated, report.pushed), (1, 1));
    assert_eq!(ada.network.take_calls(), ["push", "push"], "the rows are in the second answer");
}

#[tokio::test]
async fn messages_keep_the_order_in_which_they_were_sent_whatever_the_clock_says() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    for number in 0..5 {
        ada.write(&format!("note {number}")).await;
        ada.clock.advance(TimeDelta::hours(-7));
    }
    ada.sync().await;
    let notes: Vec<_> = ada.texts().await.into_iter().filter(|(_, text)| text.starts_with("note")).collect();
    let texts: Vec<_> = notes.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["note 0", "note 1", "note 2", "note 3", "note 4"]);
    assert!(notes.iter().zip(&notes[1..]).all(|(a, b)| a.0 < b.0));
}

#[tokio::test]
async fn defect_1_a_phone_whose_clock_is_wrong_misses_nothing() {
    let server = ReferenceServer::demo();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    ada.clock.advance(TimeDelta::days(400));
    ada.sync().await;
    ada.clock.advance(TimeDelta::days(-800));
    admin.write("still there?").await;
    admin.sync().await;
    ada.sync().await;
    assert_eq!(ada.texts().await, admin.texts().await);
}

#[tokio::test]
async fn defect_2_more_than_a_page_of_new_messages_all_arrive() {
    let server = ReferenceServer::demo();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    let contents: Vec<_> = (0..6_000).map(|number| format!("note {number}")).collect();
    let thread = ada.thread().await;
    let sender = server.person_with(ADA).unwrap();
    server.insert_messages(thread, sender, &contents);
    admin.sync().await;
    assert_eq!(admin.texts().await.len(), 6_003);
}

#[tokio::test]
async fn a_sync_after_a_kill_during_a_pull_brings_later_messages_too() {
    let server = server_with_small_pages();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    for number in 0..10 {
        admin.write(&format!("note {number}")).await;
    }
    admin.sync().await;
    ada.network.fail_after(1, RemoteErrorKind::Unreachable);
    assert!(ada.engine.sync().await.is_err(), "killed after the first page");
    let ada = ada.restarted(3);
    admin.write("written meanwhile").await;
    admin.sync().await;

    ada.sync().await;
    assert_eq!(ada.texts().await, admin.texts().await);
}

#[tokio::test]
async fn defect_3_edits_and_deletes_arrive() {
    let server = ReferenceServer::demo();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    let (edited, deleted, erased) = (ada.write("edit me").await, ada.write("delete me").await, ada.write("gone").await);
    ada.sync().await;
    admin.sync().await;
    server.edit_message(edited, "edited");
    server.soft_delete(deleted);
    server.hard_delete(erased);
    admin.sync().await;
    let shown = admin.messages().await;
    let find = |id| shown.iter().find(move |message| message.id == id);
    assert_eq!(find(edited).unwrap().content.as_deref(), Some("edited"));
    assert!(find(deleted).unwrap().deleted);
    assert_eq!(find(deleted).unwrap().content, None);
    assert!(find(erased).is_none());
}

#[tokio::test]
async fn an_epoch_change_bootstraps_again_and_keeps_the_outbox() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.network.go_offline();
    ada.write("written before the server was restored").await;
    server.change_epoch();
    ada.network.go_online();
    let report = ada.sync().await;
    assert_eq!((report.bootstraps, report.pushed), (1, 1));
    assert!(!ada.is_bootstrapping().await);
    assert_eq!(ada.texts().await.len(), 4);
}

#[tokio::test]
async fn a_bootstrap_that_breaks_off_continues_at_its_position() {
    let server = server_with_small_pages();
    let ada = Phone::new(&server, 1);
    ada.sign_in(ADA).await;
    ada.network.take_calls();
    let admin = Phone::new(&server, 2);
    admin.sign_in(ADMIN).await;
    admin.sync().await;
    let whole = admin.network.take_calls().iter().filter(|call| **call == "bootstrap").count();
    assert!(whole > 2, "the load has several pages: {whole}");

    let second = Phone::new(&server, 3);
    second.sign_in(ADMIN).await;
    second.network.fail_after(2, RemoteErrorKind::Unreachable);
    assert!(second.engine.sync().await.is_err());
    assert!(second.is_bootstrapping().await);
    let before = second.network.take_calls().iter().filter(|call| **call == "bootstrap").count() - 1;
    second.sync().await;
    let after = second.network.take_calls().iter().filter(|call| **call == "bootstrap").count();
    assert_eq!(before + after, whole, "no page was fetched twice");
    assert_eq!(second.texts().await, admin.texts().await);
}

#[tokio::test]
async fn a_lane_answered_retry_delays_no_other_lane() {
    let server = ReferenceServer::demo();
    let admin = Phone::of(&server, ADMIN, 2).await;
    let all = admin.store.conversations(10).await.unwrap();
    let [first, second] = [all[0].id, all[1].id];
    admin.write_in(first, "held").await;
    admin.write_in(first, "held as well").await;
    admin.write_in(second, "not held").await;
    server.retry_next(Some(first), RetryCode::Conflict);
    let report = admin.sync().await;
    assert_eq!((report.pushed, report.retrying), (1, 2));
    assert_eq!(admin.pending().await, 2);
    let report = admin.sync().await;
    assert_eq!((report.pushed, report.retrying), (2, 0));
    let last: Vec<_> = server.messages_of(first).into_iter().rev().take(2).map(|message| message.content).collect();
    assert_eq!(last, [Some("held as well".to_owned()), Some("held".to_owned())]);
}

#[tokio::test]
async fn a_refused_message_becomes_a_dead_letter_and_the_rest_is_sent() {
    let server = ReferenceServer::demo();
    let person = server.person_with(ADA).unwrap();
    server.change_role(person, Role::OrgAdmin);
    let ada = Phone::of(&server, ADA, 1).await;
    let all = ada.store.conversations(10).await.unwrap();
    let notices = all.iter().find(|one| one.medic_id.is_none()).unwrap().id;
    ada.write_in(notices, "an admin may write here").await;
    ada.write("and a medic here").await;
    server.change_role(person, Role::Medic);
    let report = ada.sync().await;
    assert_eq!((report.pushed, report.failed), (1, 1));
    assert_eq!((ada.pending().await, ada.failed().await), (0, 1));
    ada.network.take_calls();
    ada.sync().await;
    assert!(!ada.network.take_calls().contains(&"push"), "a dead letter is not sent again");
}

#[tokio::test]
async fn a_pulled_message_is_unread_until_read_here_and_on_the_server() {
    let server = ReferenceServer::demo();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    ada.read().await;
    ada.sync().await;
    let before = ada.unread().await;
    admin.write("one").await;
    admin.write("two").await;
    admin.sync().await;
    ada.write("sending moves no marker").await;
    ada.sync().await;
    assert_eq!(ada.unread().await, before + 2);
    ada.read().await;
    assert_eq!(ada.unread().await, before, "at once");
    ada.sync().await;
    let marker = server.marker_of(ada.thread().await, server.person_with(ADA).unwrap()).unwrap();
    assert_eq!(marker.read_seq, Seq::new(6));
    admin.sync().await;
    let read =
        admin.messages().await.iter().filter(|message| message.mine && message.status.as_str() == "read").count();
    assert!(read >= 2);
}

#[tokio::test]
async fn a_removed_member_keeps_nothing_of_the_org() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    server.remove_member(server.person_with(ADA).unwrap());
    ada.sync().await;
    assert_eq!(ada.store.conversations(10).await.unwrap(), []);
}

#[tokio::test]
async fn reads_since_a_backup_are_sent_to_the_restored_server() {
    let server = ReferenceServer::demo();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    let (thread, reader) = (ada.thread().await, server.person_with(ADA).unwrap());
    admin.write("have you read this?").await;
    admin.sync().await;
    let backup = server.backup();
    ada.sync().await;
    ada.read().await;
    ada.sync().await;
    let on_server = || server.marker_of(thread, reader).map(|marker| marker.read_seq);
    let (read, unread) = (on_server(), ada.unread().await);

    server.restore(&backup);
    assert!(on_server() < read, "the server has forgotten");
    ada.sync().await;
    assert_eq!((ada.unread().await, ada.pending().await), (unread, 0), "the device has not");
    assert_eq!(on_server(), read, "the same pass tells it");
}

#[tokio::test]
async fn a_read_mark_refused_without_access_is_sent_when_access_returns() {
    let server = ReferenceServer::demo();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    let (thread, reader) = (ada.thread().await, server.person_with(ADA).unwrap());
    admin.write("have you read this?").await;
    admin.sync().await;
    ada.sync().await;
    ada.read().await;
    let member = server.member(reader).unwrap();

    server.remove_member(reader);
    ada.network.fail_after(1, RemoteErrorKind::Unreachable);
    assert!(ada.engine.sync().await.is_err());
    assert_eq!(ada.pending().await, 0, "the mark was refused; the revocation is not pulled yet");
    server.add_member(reader, member.org_id, member.role, "Ada", "Moss");
    ada.sync().await;
    ada.sync().await;

    let last = server.conversation(thread).unwrap().last_seq;
    assert_eq!(server.marker_of(thread, reader).map(|marker| marker.read_seq), Some(last));
}

#[tokio::test]
async fn messages_of_a_removed_member_are_not_reported_as_lost() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let written = ada.write("is this still here?").await;
    ada.sync().await;

    server.change_epoch();
    server.remove_member(server.person_with(ADA).unwrap());
    ada.sync().await;

    assert!(server.message(written).is_some());
    assert_eq!((ada.failed().await, ada.store.conversations(10).await.unwrap().len()), (0, 0));
}
