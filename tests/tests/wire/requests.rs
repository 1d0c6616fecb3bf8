//! How many requests it takes, counted by the server.

use crate::given::*;
use fieldpost_devserver::Endpoint;

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_with_nothing_new_is_one_request() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    site.server.requests().clear();
    ada.trigger_message_sync().await.unwrap();
    assert_eq!(site.server.requests().log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_sent_while_nothing_else_happens_is_one_request() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let conversation = adas(&ada).await;
    for one in ada.conversations().await.unwrap() {
        ada.conversation(one.id).mark_read(fieldpost_domain::Seq::new(u64::from(u32::MAX))).await.unwrap();
    }
    ada.trigger_message_sync().await.unwrap();
    for text in ["On my way", "Here"] {
        ada.conversation(conversation).send(text).await.unwrap();
        site.server.requests().clear();
        assert_eq!(ada.trigger_message_sync().await.unwrap().pushed, 1);
        assert_eq!(site.server.requests().log().len(), 1, "{:?}", site.server.requests().log());
    }
    let (_other, admin) = site.client(ADMIN).await;
    admin.conversation(conversation).send("Thank you").await.unwrap();
    admin.trigger_message_sync().await.unwrap();
    ada.conversation(conversation).send("Anything else?").await.unwrap();
    site.server.requests().clear();
    ada.trigger_message_sync().await.unwrap();
    assert_eq!(site.server.requests().log().len(), 2, "a pull brings what the admin wrote");
    let window = ada.conversation(conversation).messages(fieldpost::Window::newest(10)).await.unwrap();
    assert!(window.messages.iter().any(|message| message.content.as_deref() == Some("Thank you")));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_messages_of_a_kilobyte_leave_in_at_most_five_requests() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let conversation = adas(&ada).await;
    for number in 0..500 {
        ada.conversation(conversation).send(&format!("{number} {}", "x".repeat(1000))).await.unwrap();
    }
    site.server.requests().clear();
    assert_eq!(ada.trigger_message_sync().await.unwrap().pushed, 500);
    let pushes = site.server.requests().count(Endpoint::Push);
    assert!(pushes <= 5, "{pushes} pushes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_of_200_conversations_of_100_messages_is_at_most_12_requests() {
    let site = Site::new().await;
    let email = site.add_large_org(200, 100);
    let phone = site.phone();
    let client = phone.start().await;
    client.sign_in(email, fieldpost_remote::reference::DEMO_PASSWORD).await.unwrap();
    site.server.requests().clear();
    client.trigger_message_sync().await.unwrap();
    let requests = site.server.requests().log().len();
    assert!(requests <= 12, "{requests} requests");
    assert_eq!(client.conversations().await.unwrap().len(), 200);
}
