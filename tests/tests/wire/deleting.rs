//! Deleting messages, over real sockets and files.

use crate::given::*;
use fieldpost::{Client, EntryState, Error, NotPossible, SentMessage, ThreadMessage, Window};
use fieldpost_devserver::{DevServer, Endpoint, Fault};
use fieldpost_domain::Capability;
use fieldpost_remote::reference::{DEMO_PASSWORD, ReferenceServer};
use fieldpost_tests::Phone;

/// A message of Ada's that the server has.
async fn sent(ada: &Client) -> SentMessage {
    let sent = ada.conversation(adas(ada).await).send("Hall A").await.unwrap();
    ada.sync().await.unwrap();
    sent
}

async fn newest(client: &Client) -> ThreadMessage {
    let window = client.conversation(adas(client).await).messages(Window::newest(1)).await.unwrap();
    window.messages.into_iter().next_back().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_made_offline_shows_at_once_and_reaches_everybody() {
    let site = Site::new().await;
    let ((phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let sent = sent(&ada).await;
    admin.sync().await.unwrap();
    site.network.offline(true).await;

    let deleted = sent.delete().await.unwrap();

    assert_eq!((deleted.content.as_deref(), deleted.deleted, deleted.changing), (None, true, true));
    ada.close().await.unwrap();
    let ada = phone.start().await;
    assert!(newest(&ada).await.deleted, "a restart forgets nothing");
    site.network.offline(false).await;
    ada.sync().await.unwrap();
    admin.sync().await.unwrap();
    for client in [&ada, &admin] {
        let now = newest(client).await;
        assert_eq!((now.id, now.content, now.deleted, now.changing), (sent.id(), None, true, false));
    }
    assert_eq!(site.reference.message(sent.id()).unwrap().content, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_whose_answer_was_lost_is_made_once() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let sent = sent(&ada).await;
    sent.delete().await.unwrap();
    site.network.order(Endpoint::Push, 2, Fault::LoseAnswer);
    ada.sync().await.unwrap_err();
    let version = site.reference.message(sent.id()).unwrap().version;

    ada.sync().await.unwrap();

    assert_eq!(site.reference.message(sent.id()).unwrap().version, version, "the second attempt changed nothing");
    assert!(ada.changes_of(sent.id()).await.unwrap().is_empty() && newest(&ada).await.deleted);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_deletes_what_a_medic_wrote_and_not_the_other_way_round() {
    let site = Site::new().await;
    let ((_phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let hers = sent(&ada).await;
    admin.sync().await.unwrap();
    admin.conversation(adas(&admin).await).delete(hers.id()).await.unwrap();
    let theirs = admin.conversation(adas(&admin).await).send("to you").await.unwrap();
    admin.sync().await.unwrap();
    ada.sync().await.unwrap();
    let window = ada.conversation(adas(&ada).await).messages(Window::newest(2)).await.unwrap();
    assert!(window.messages[0].deleted && !window.messages[1].deleted);
    let refused = ada.conversation(adas(&ada).await).delete(theirs.id()).await;
    assert!(matches!(refused, Err(Error::NotPossible(NotPossible::AnotherPersons))), "{refused:?}");
}

#[tokio::test]
async fn a_deletion_waits_for_a_server_that_has_learned_to_delete() {
    let older = ReferenceServer::builder().without(&Capability::DeleteMessage).build();
    older.add_demo();
    let server = DevServer::builder().reference(older.clone()).start().await.unwrap();
    let phone = Phone::new(server.url(), server.anon_key());
    let ada = phone.first_start(ADA, DEMO_PASSWORD).await;
    let sent = sent(&ada).await;
    sent.delete().await.unwrap();
    let later = ada.conversation(adas(&ada).await).send("later").await.unwrap();

    ada.sync().await.unwrap();

    let waiting = ada.changes_of(sent.id()).await.unwrap();
    assert_eq!(waiting[0].state, EntryState::NeedsServer(Capability::DeleteMessage));
    assert!(ada.sent_message(later.id()).await.unwrap().unwrap().message().seq.is_some(), "nothing waits behind it");
    assert_eq!(older.message(sent.id()).unwrap().content.as_deref(), Some("Hall A"));
}
