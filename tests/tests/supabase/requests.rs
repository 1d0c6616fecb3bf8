//! How many requests it takes against the real stack.

use fieldpost::{Client, ConversationId};
use fieldpost_tests::{Org, Phone, Stack, thread};
use serde_json::json;

fn first_conversation(org: &Org) -> ConversationId {
    org.rest["conversations"][0]["id"].as_str().unwrap().parse().unwrap()
}

async fn sync(client: &Client) -> u64 {
    client.trigger_message_sync().await.unwrap().requests
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_of_200_conversations_of_100_messages_is_at_most_12_requests() {
    let stack = Stack::running();
    let org = stack.provision(&json!({"medics": 200, "conversations": true, "messages": 100}));
    let phone = Phone::new(&stack.url, &stack.anon_key);
    let client = phone.start().await;
    client.sign_in(&org.admin.email, &org.admin.password).await.unwrap();
    let report = client.trigger_message_sync().await.unwrap();
    assert!(report.requests <= 12, "{} requests", report.requests);
    let all = client.conversations().await.unwrap();
    assert_eq!(all.len(), 200);
    for conversation in [&all[0], &all[99], &all[199]] {
        assert_eq!(thread(&client, conversation.id).await.len(), 100);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_queued_messages_leave_in_at_most_five_requests_and_then_a_sync_is_one() {
    let stack = Stack::running();
    let org = stack.provision(&json!({"medics": 1, "conversations": true}));
    let conversation = first_conversation(&org);
    let (phone, desk) = (Phone::new(&stack.url, &stack.anon_key), Phone::new(&stack.url, &stack.anon_key));
    let medic = phone.first_start(&org.medics[0].email, &org.medics[0].password).await;
    let admin = desk.first_start(&org.admin.email, &org.admin.password).await;
    for number in 0..500 {
        medic.conversation(conversation).send(&format!("{number} {}", "x".repeat(1000))).await.unwrap();
    }
    let report = medic.trigger_message_sync().await.unwrap();
    assert_eq!((report.pushed, report.failed), (500, 0));
    // What it took beyond the pull of its own echo.
    assert!(report.requests - report.pages <= 5, "{report:?}");
    assert_eq!(sync(&medic).await, 1);
    admin.trigger_message_sync().await.unwrap();
    assert_eq!(thread(&admin, conversation).await, thread(&medic, conversation).await);
}
