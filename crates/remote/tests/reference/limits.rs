//! Pages limited by bytes, and servers with their own limits.

use crate::device::Device;
use fieldpost_domain::{ConversationId, PersonId, ServerLimits};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, HistoryRequest, MessagingApi, PullRequest,
    reference::{Profile, ReferenceServer},
};

const LIMITS: ServerLimits =
    ServerLimits { push_rows: 3, push_bytes: 4000, page_rows: 40, page_bytes: 6000, ..ServerLimits::PROTOCOL };

async fn crowded() -> (ReferenceServer, fieldpost_domain::Session, PersonId, ConversationId) {
    let server = ReferenceServer::builder().limits(LIMITS).build();
    let org = server.add_org("Bytes");
    let profile = Profile { first_name: "A", last_name: "B", email: "a@bytes.test", password: "pw" };
    let admin = server.add_admin(org, profile);
    let medic = server.add_medic_without_account(org, "M", "N");
    let conversation = server.open_direct(org, medic, admin);
    let credentials = Credentials { email: "a@bytes.test".to_owned(), password: "pw".into() };
    let session = server.sign_in(&credentials).await.unwrap();
    (server, session, admin, conversation)
}

#[tokio::test]
async fn a_page_ends_at_its_bytes_and_the_next_goes_on() {
    let (server, session, admin, conversation) = crowded().await;
    let start = server.bootstrap(&session.access_token, BootstrapRequest::default()).await.unwrap();
    let texts: Vec<_> = (0..30).map(|number| format!("{number} {}", "x".repeat(900))).collect();
    server.insert_messages(conversation, admin, &texts);

    let (mut cursor, mut found, mut pages) = (start.cursor, 0, 0);
    loop {
        let page = server.pull(&session.access_token, PullRequest { cursor, limit: None, bytes: None }).await.unwrap();
        let bytes = serde_json::to_string(&page.changes.messages).unwrap().len();
        assert!(bytes < 6000 + 1600, "a page is over by one row at most, this one has {bytes}");
        (cursor, found, pages) = (page.cursor, found + page.changes.messages.len(), pages + 1);
        if !page.more {
            break;
        }
    }
    assert_eq!(found, 30);
    assert!(pages >= 5, "{pages} pages");

    let request = HistoryRequest { conversation_id: conversation, before: None, limit: None, bytes: None };
    let newest = server.history(&session.access_token, request).await.unwrap();
    assert!(newest.changes.messages.len() < 10 && !newest.complete);
    let first = server.bootstrap(&session.access_token, BootstrapRequest::default()).await.unwrap();
    assert!(!first.changes.messages.is_empty() && first.changes.messages.len() < 10);
    assert_eq!(first.changes.messages.last().unwrap().seq.get(), 30, "of a large conversation the newest come");

    let mut device = Device::new(&server, session);
    device.catch_up(40).await;
    assert_eq!(device.messages.len(), 30);
}

#[tokio::test]
async fn a_row_larger_than_a_page_still_comes() {
    let (server, session, admin, conversation) = crowded().await;
    let start = server.bootstrap(&session.access_token, BootstrapRequest::default()).await.unwrap();
    server.insert_messages(conversation, admin, &["y".repeat(5000), "😀".repeat(4000)]);
    let page = server
        .pull(&session.access_token, PullRequest { cursor: start.cursor, limit: None, bytes: None })
        .await
        .unwrap();
    assert_eq!(page.changes.messages.len(), 2 - usize::from(page.more));
    assert_eq!(page.limits, LIMITS);
}
