//! Backups, compaction, older clients, seeds, the demo.

use fieldpost_domain::{Acknowledgement, ConversationKind, Cursor, MessageId, Metadata, PushOutcome, Session};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, ExpiredReason, MessagingApi, PullRequest, RemoteErrorKind,
    reference::{DEMO_ADA, DEMO_ADMIN, DEMO_PASSWORD, ReferenceServer, Submission, SubmittedMessage, Task},
};
use serde_json::json;

async fn demo_session(server: &ReferenceServer, email: &str) -> Session {
    let credentials = Credentials { email: email.to_owned(), password: DEMO_PASSWORD.into() };
    server.sign_in(&credentials).await.unwrap()
}

async fn start(server: &ReferenceServer, session: &Session) -> Cursor {
    server.bootstrap(&session.access_token, BootstrapRequest::default()).await.unwrap().cursor
}

async fn pull_kind(server: &ReferenceServer, session: &Session, cursor: Cursor) -> Option<RemoteErrorKind> {
    let answer = server.pull(&session.access_token, PullRequest { cursor, limit: None, bytes: None }).await;
    answer.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_restored_backup_is_another_history() {
    let server = ReferenceServer::demo();
    let session = demo_session(&server, DEMO_ADA).await;
    let direct = server.conversations_of(session.person_id).into_iter().find(|row| row.medic_id.is_some()).unwrap().id;
    let backup = server.backup();
    let lost = server.insert_message(direct, session.person_id, "Written after the backup").unwrap();
    let cursor = start(&server, &session).await;

    server.restore(&backup);
    assert_eq!(server.message(lost.id), None);
    let expired = Some(RemoteErrorKind::CursorExpired(ExpiredReason::Epoch));
    assert_eq!(pull_kind(&server, &session, cursor).await, expired);
    let again = server.insert_message(direct, session.person_id, "Another").unwrap();
    assert_eq!(again.seq, lost.seq, "the number was given again: only the epoch tells the two apart");
}

#[tokio::test]
async fn cursors_from_before_a_compaction_have_expired() {
    let server = ReferenceServer::demo();
    let session = demo_session(&server, DEMO_ADA).await;
    let old = start(&server, &session).await;
    let direct = server.conversations_of(session.person_id).into_iter().find(|row| row.medic_id.is_some()).unwrap().id;
    server.hard_delete(server.messages_of(direct)[0].id);
    let new = start(&server, &session).await;
    server.compact();
    let expired = Some(RemoteErrorKind::CursorExpired(ExpiredReason::Compacted));
    assert_eq!(pull_kind(&server, &session, old).await, expired);
    assert_eq!(pull_kind(&server, &session, new).await, None);
}

#[tokio::test]
async fn a_message_of_an_older_client_is_known_by_its_idempotency_key() {
    let server = ReferenceServer::demo();
    let session = demo_session(&server, DEMO_ADA).await;
    let direct = server.conversations_of(session.person_id).into_iter().find(|row| row.medic_id.is_some()).unwrap().id;
    let key: MessageId = "0198c0de-0000-7000-8000-00000000000a".parse().unwrap();
    let stored: MessageId = "0198c0de-0000-7000-8000-00000000000b".parse().unwrap();
    let metadata = json!({"idempotency_key": key.to_string()}).as_object().cloned().map(Metadata::from_stored);
    server.insert_message_with(stored, direct, session.person_id, "From the old app", metadata).unwrap();

    let message = SubmittedMessage {
        id: key,
        conversation_id: direct,
        kind: "text".into(),
        content: Some("From the old app".to_owned()),
        metadata: None,
        mentions: fieldpost_domain::Mentions::new(),
        reply_to: None,
        composed_at: None,
    };
    let batch = vec![Submission { id: None, task: Task::SendMessage(message) }];
    let result = server.submit(&session.access_token, batch, 100).unwrap().remove(0);
    let PushOutcome::Acknowledged(Acknowledgement::Stored(row)) = result.outcome else { panic!("{result:?}") };
    assert_eq!((row.id, result.applied), (stored, false));
}

#[tokio::test]
async fn the_same_seed_and_clock_make_the_same_server() {
    let world = |seed| {
        let server = ReferenceServer::builder().seed(seed).clock(|| fieldpost_domain::Time::UNIX_EPOCH).build();
        server.add_demo();
        server
    };
    let rows = |server: &ReferenceServer| server.visible_to(server.person_with(DEMO_ADMIN).unwrap());
    assert_eq!(rows(&world(7)), rows(&world(7)));
    assert_ne!(rows(&world(7)), rows(&world(8)));
}

#[tokio::test]
async fn the_demo_world_is_what_the_demo_tells() {
    let server = ReferenceServer::demo();
    let admin = demo_session(&server, DEMO_ADMIN).await;
    let page = server.bootstrap(&admin.access_token, BootstrapRequest::default()).await.unwrap();
    let names: Vec<_> = page.changes.conversations.iter().map(|row| row.medic_name.as_deref()).collect();
    assert_eq!(names, [None, Some("Ben Okafor"), Some("Ada Moss")]);
    assert_eq!(page.changes.conversations[0].kind, ConversationKind::Broadcast);
    assert_eq!(page.changes.conversations[0].subject.as_deref(), Some("Site notices"));
    assert!(page.changes.messages.iter().all(|row| row.content.is_some()));
}

#[tokio::test]
async fn a_server_that_moved_on_says_that_the_app_is_too_old() {
    let server = ReferenceServer::demo();
    let session = demo_session(&server, DEMO_ADA).await;
    let cursor = start(&server, &session).await;
    server.require_protocol(2);
    assert_eq!(pull_kind(&server, &session, cursor).await, Some(RemoteErrorKind::ClientTooOld));
}
