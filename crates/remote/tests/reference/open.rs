//! Transactions that stay open for a while.

use crate::device::Device;
use fieldpost_domain::{Intent, MarkRead, Message, PushOutcome, RetryCode};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, MessagingApi, PullRequest, PushRequest,
    reference::{DEMO_ADA, DEMO_ADMIN, DEMO_PASSWORD, Locked, ReferenceServer},
};

struct Given {
    server: ReferenceServer,
    admin: fieldpost_domain::PersonId,
    here: fieldpost_domain::ConversationId,
    there: fieldpost_domain::ConversationId,
    device: Device,
}

async fn given() -> Given {
    let server = ReferenceServer::demo();
    let admin = server.person_with(DEMO_ADMIN).unwrap();
    let all = server.conversations_of(admin);
    let credentials = Credentials { email: DEMO_ADMIN.to_owned(), password: DEMO_PASSWORD.into() };
    let mut device = Device::new(&server, server.sign_in(&credentials).await.unwrap());
    device.catch_up(100).await;
    Given { admin, here: all[0].id, there: all[1].id, device, server }
}

fn holds(device: &Device, content: &str) -> bool {
    device.messages.values().any(|message| message.content.as_deref() == Some(content))
}

#[tokio::test]
async fn a_row_is_in_the_first_pull_after_its_commit_whoever_began_first() {
    let Given { server, admin, here, there, mut device } = given().await;
    let slow = server.begin();
    slow.insert_message(here, admin, "began first").unwrap();
    let quick = server.begin();
    quick.insert_message(there, admin, "began second").unwrap();
    assert!(quick.commit());

    device.catch_up(1).await;
    assert!(holds(&device, "began second") && !holds(&device, "began first"));
    assert!(slow.commit());
    device.catch_up(1).await;
    assert!(holds(&device, "began first"));
}

#[tokio::test]
async fn what_is_rolled_back_leaves_no_trace_and_no_hole() {
    let Given { server, admin, here, mut device, .. } = given().await;
    let before = server.messages_of(here).len();
    let undone = server.begin();
    undone.insert_message(here, admin, "never happened").unwrap();
    undone.roll_back();
    server.insert_message(here, admin, "happened").unwrap();

    device.catch_up(2).await;
    let seqs: Vec<_> = server.messages_of(here).iter().map(|message: &Message| message.seq.get()).collect();
    assert_eq!(seqs, (1..=before as u64 + 1).collect::<Vec<_>>());
    assert!(holds(&device, "happened") && !holds(&device, "never happened"));
}

#[tokio::test]
async fn a_locked_conversation_is_answered_with_retry_and_others_are_not() {
    let Given { server, admin, here, .. } = given().await;
    let ada = Credentials { email: DEMO_ADA.to_owned(), password: DEMO_PASSWORD.into() };
    let session = server.sign_in(&ada).await.unwrap();
    let open = server.begin();
    open.insert_message(here, admin, "not yet").unwrap();
    assert_eq!(server.begin().insert_message(here, admin, "neither"), Err(Locked));

    let own = server.conversations_of(session.person_id);
    let mark = |conversation: &fieldpost_domain::Conversation| fieldpost_domain::Mutation {
        id: fieldpost_domain::MutationId::from_uuid(conversation.id.as_uuid()),
        intent: Intent::MarkRead(MarkRead {
            conversation_id: conversation.id,
            read_seq: fieldpost_domain::Seq::new(1),
        }),
    };
    let batch: Vec<_> = own.iter().map(mark).collect();
    let answer = server.push(&session.access_token, &PushRequest::of(batch)).await.unwrap();
    for (conversation, result) in own.iter().zip(&answer.results) {
        let refused = matches!(result.outcome, PushOutcome::Retry(RetryCode::Conflict));
        assert_eq!(refused, conversation.id == here, "{:?}", result.outcome);
    }
}

#[tokio::test]
async fn the_cursor_of_a_quiet_push_has_not_seen_what_is_still_running() {
    let Given { server, admin, here, there, .. } = given().await;
    let credentials = Credentials { email: DEMO_ADMIN.to_owned(), password: DEMO_PASSWORD.into() };
    let token = server.sign_in(&credentials).await.unwrap().access_token;
    let cursor = server.bootstrap(&token, BootstrapRequest::default()).await.unwrap().cursor;
    let slow = server.begin();
    let late = slow.insert_message(there, admin, "began first").unwrap();
    let last = server.conversation(here).unwrap().last_seq;
    let mark = fieldpost_domain::Mutation {
        id: fieldpost_domain::MutationId::from_uuid(here.as_uuid()),
        intent: Intent::MarkRead(MarkRead { conversation_id: here, read_seq: last }),
    };
    let request = PushRequest { mutations: vec![mark], cursor: Some(cursor) };
    let cursor = server.push(&token, &request).await.unwrap().quiet.unwrap();
    assert!(slow.commit());
    let page = server.pull(&token, PullRequest { cursor, limit: None, bytes: None }).await.unwrap();
    assert!(page.changes.messages.iter().map(|message| message.id).eq([late]));
    assert!(page.changes.read_markers.is_empty(), "its own is in the result");
}

#[tokio::test]
async fn a_restart_ends_what_was_open() {
    let Given { server, admin, here, .. } = given().await;
    let open = server.begin();
    open.insert_message(here, admin, "lost with the server").unwrap();
    server.restart();
    server.begin().lock(here).unwrap();
    assert!(!open.commit());
    assert!(!server.messages_of(here).iter().any(|message| message.content.as_deref() == Some("lost with the server")));
}
