//! Receipts and broadcasts, over real sockets and files.

use crate::given::*;
use fieldpost::{Client, Error, MessageId, MessageStatus, NotPossible, ReceiptCounts, Seq};

async fn status(client: &Client, message: MessageId) -> MessageStatus {
    client.message_info(message).await.unwrap().message.status
}

/// Syncs as an app does that starts again: what has arrived rides along.
async fn sync_twice(phone: &fieldpost_tests::Phone) {
    for _ in 0..2 {
        let client = phone.start().await;
        client.sync().await.unwrap();
        client.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_sent_then_delivered_then_read() {
    let site = Site::new().await;
    let ((phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let thread = adas(&ada).await;
    ada.close().await.unwrap();
    let sent = admin.conversation(adas(&admin).await).send("Are you there?").await.unwrap().id();
    admin.sync().await.unwrap();
    assert_eq!(status(&admin, sent).await, MessageStatus::Sent);

    sync_twice(&phone).await;
    admin.sync().await.unwrap();
    assert_eq!(status(&admin, sent).await, MessageStatus::Delivered);
    let info = admin.message_info(sent).await.unwrap();
    let receipt = info.receipts.iter().find(|receipt| receipt.name == "Ada Moss").unwrap();
    assert!(receipt.delivered && receipt.delivered_at.is_some() && !receipt.read && receipt.read_at.is_none());

    let ada = phone.start().await;
    assert_eq!(ada.pending().await.unwrap().pending, 0, "nobody waits for what has arrived");
    ada.conversation(thread).mark_read(Seq::new(u64::MAX)).await.unwrap();
    ada.sync().await.unwrap();
    admin.sync().await.unwrap();
    assert_eq!(status(&admin, sent).await, MessageStatus::Read);
    assert!(admin.message_info(sent).await.unwrap().receipts.iter().any(|receipt| receipt.read_at.is_some()));
    assert_eq!(site.reference.message(sent).unwrap().status, MessageStatus::Read, "other clients see it too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_opened_once_counts_its_readers_and_takes_nothing_from_medics() {
    let site = Site::new().await;
    let ((phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let notices = admin.open_broadcast(Some("again")).await.unwrap();
    assert_eq!(admin.open_broadcast(None).await.unwrap().id(), notices.id());
    let told = notices.send("The gate is closed").await.unwrap().id();
    admin.sync().await.unwrap();
    let long = "x".repeat(501);
    assert!(matches!(admin.open_broadcast(Some(&long)).await, Err(Error::SubjectTooLong)));
    assert!(matches!(ada.open_broadcast(None).await, Err(Error::NotPossible(NotPossible::ReadOnly))));

    ada.sync().await.unwrap();
    let written = ada.conversation(notices.id()).send("Which one?").await;
    assert!(matches!(written, Err(Error::NotPossible(NotPossible::ReadOnly))), "{written:?}");
    assert_eq!(ada.pending().await.unwrap().pending, 0);
    ada.conversation(notices.id()).mark_read(Seq::new(u64::MAX)).await.unwrap();
    ada.sync().await.unwrap();
    ada.close().await.unwrap();
    admin.sync().await.unwrap();

    let info = admin.message_info(told).await.unwrap();
    assert_eq!(info.message.receipts, Some(ReceiptCounts { recipients: 2, delivered: 1, read: 1 }));
    let names: Vec<_> = info.receipts.iter().map(|receipt| (receipt.name.as_str(), receipt.read)).collect();
    assert_eq!(names, [("Ada Moss", true), ("Ben Okafor", false)]);
    let ada = phone.start().await;
    assert_eq!(ada.message_info(told).await.unwrap().receipts, [], "a medic learns of nobody else");
    assert!(matches!(ada.message_info(MessageId::from_uuid(uuid::Uuid::nil())).await, Err(Error::NotFound)));
}
