//! Editing what the server has, over real sockets and files.

use crate::given::*;
use fieldpost::{Client, EntryState, NotPossible, SentMessage, ThreadMessage};
use fieldpost_devserver::{DevServer, Endpoint, Fault};
use fieldpost_remote::reference::{DEMO_PASSWORD, ReferenceServer};
use fieldpost_tests::Phone;

async fn shown(client: &Client, sent: &SentMessage) -> ThreadMessage {
    let message = client.sent_message(sent.id()).await.unwrap();
    message.map_or_else(|| panic!("it is not here"), |message| message.message().clone())
}

/// A message of Ada's that the server has.
async fn sent(ada: &Client) -> SentMessage {
    let sent = ada.conversation(adas(ada).await).send("Hall A").await.unwrap();
    ada.sync().await.unwrap();
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_made_offline_shows_at_once_and_reaches_everybody() {
    let site = Site::new().await;
    let ((phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let sent = sent(&ada).await;
    site.network.offline(true).await;

    let edited = sent.edit("Hall B").await.unwrap();

    assert_eq!((edited.content.as_deref(), edited.changing), (Some("Hall B"), true));
    ada.close().await.unwrap();
    let ada = phone.start().await;
    assert_eq!(shown(&ada, &sent).await.content.as_deref(), Some("Hall B"), "a restart forgets nothing");

    site.network.offline(false).await;
    ada.sync().await.unwrap();
    let now = shown(&ada, &sent).await;
    assert_eq!((now.content.as_deref(), now.changing, now.edited_at.is_some()), (Some("Hall B"), false, true));
    admin.sync().await.unwrap();
    let window = admin.conversation(adas(&admin).await).messages(fieldpost::Window::newest(1)).await.unwrap();
    assert_eq!((window.messages[0].id, window.messages[0].content.as_deref()), (sent.id(), Some("Hall B")));
    assert_eq!(window.messages[0].edited_at, now.edited_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_whose_answer_was_lost_is_made_once() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let sent = sent(&ada).await;
    sent.edit("Hall B").await.unwrap();
    site.network.order(Endpoint::Push, 2, Fault::LoseAnswer);
    ada.sync().await.unwrap_err();
    let version = site.reference.message(sent.id()).unwrap().version;

    ada.sync().await.unwrap();

    assert_eq!(site.reference.message(sent.id()).unwrap().version, version, "the second attempt changed nothing");
    assert!(ada.changes_of(sent.id()).await.unwrap().is_empty());
    assert!(!shown(&ada, &sent).await.changing);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_a_message_that_was_deleted_meanwhile_waits_for_the_person() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let sent = sent(&ada).await;
    sent.edit("Hall B").await.unwrap();
    site.reference.soft_delete(sent.id());

    ada.sync().await.unwrap();

    let left = ada.changes_of(sent.id()).await.unwrap();
    assert!(matches!(&left[0].state, EntryState::Failed(refusal) if refusal.code.as_str() == "message_deleted"));
    assert!(shown(&ada, &sent).await.deleted, "and what the server has shows");
    assert!(matches!(sent.edit("again").await, Err(fieldpost::Error::NotPossible(NotPossible::Deleted))));
    ada.cancel(left[0].mutation_id).await.unwrap();
}

#[tokio::test]
async fn an_edit_waits_for_a_server_that_has_learned_to_edit() {
    let old = ReferenceServer::builder().of_the_first_sql().build();
    old.add_demo();
    let server = DevServer::builder().reference(old.clone()).start().await.unwrap();
    let phone = Phone::new(server.url(), server.anon_key());
    let client = phone.first_start(ADA, DEMO_PASSWORD).await;
    let sent = sent(&client).await;
    sent.edit("Hall B").await.unwrap();

    client.sync().await.unwrap();

    let waiting = client.changes_of(sent.id()).await.unwrap();
    assert!(matches!(&waiting[0].state, EntryState::NeedsServer(_)), "{waiting:?}");
    assert_eq!(old.message(sent.id()).unwrap().content.as_deref(), Some("Hall A"));
    assert_eq!(shown(&client, &sent).await.content.as_deref(), Some("Hall B"));
}
