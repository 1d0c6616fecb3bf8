//! Settings and drafts, over real sockets and files.

use crate::given::*;
use fieldpost::{ConversationQuery, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_offline_reaches_the_other_device_of_the_same_person() {
    let site = Site::new().await;
    let ((phone, ada), (_tablet, other)) = (site.client(ADA).await, site.client(ADA).await);
    let thread = adas(&ada).await;
    site.network.offline(true).await;

    let conversation = ada.conversation(thread);
    conversation.pin().await.unwrap();
    conversation.archive().await.unwrap();
    let shown = conversation.mute(Settings::FOREVER).await.unwrap();
    conversation.set_draft("On my").await.unwrap();

    assert!(shown.settings.pinned_at.is_some() && shown.settings.archived.is_some());
    assert_eq!(ada.outbox(10).await.unwrap().len(), 1, "one change is enough");
    ada.close().await.unwrap();
    let ada = phone.start().await;
    let archive = ada.conversations_matching(ConversationQuery::default().archived(true)).await.unwrap();
    assert_eq!((archive.len(), archive[0].draft.as_deref()), (1, Some("On my")), "a restart forgets nothing");
    site.network.offline(false).await;
    ada.sync().await.unwrap();
    other.sync().await.unwrap();
    let there = other.conversation(thread).summary().await.unwrap().unwrap();
    assert_eq!((there.settings, there.draft), (shown.settings, None), "a draft stays where it is");
    other.conversation(thread).unmute().await.unwrap();
    other.sync().await.unwrap();
    ada.sync().await.unwrap();
    let here = ada.conversation(thread).summary().await.unwrap().unwrap();
    assert_eq!(here.settings, Settings { muted_until: None, ..shown.settings });
    let sent = ada.conversation(thread).send_stored_draft().await.unwrap();
    assert_eq!(sent.message().content.as_deref(), Some("On my"));
    assert!(ada.drafts().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_marked_unread_is_unread_on_every_device_until_it_is_read_on_one() {
    let site = Site::new().await;
    let ((_phone, ada), (_tablet, other), (_office, admin)) =
        (site.client(ADA).await, site.client(ADA).await, site.client(ADMIN).await);
    let thread = adas(&ada).await;
    admin.conversation(thread).send("Hall A").await.unwrap();
    admin.sync().await.unwrap();
    ada.sync().await.unwrap();
    let last = ada.conversation(thread).summary().await.unwrap().unwrap().last_seq;
    ada.conversation(thread).mark_read(last).await.unwrap();
    ada.conversation(thread).mark_unread(None).await.unwrap();
    ada.sync().await.unwrap();
    other.sync().await.unwrap();
    let unread =
        |client: fieldpost::Client| async move { client.conversation(thread).summary().await.unwrap().unwrap().unread };
    assert_eq!((unread(ada.clone()).await, unread(other.clone()).await), (1, 1));

    assert_eq!(other.conversation(thread).mark_read(last).await.unwrap(), last, "the marker has never gone back");
    other.sync().await.unwrap();
    ada.sync().await.unwrap();

    assert_eq!((unread(ada.clone()).await, unread(other).await), (0, 0));
    assert_eq!(ada.unread_for_badge().await.unwrap(), ada.total_unread().await.unwrap());
}
