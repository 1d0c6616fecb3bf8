//! What a person can do about what did not get through, over real sockets and files.

use crate::given::*;
use fieldpost::{Client, EntryState, Error, RefusalCode};
use fieldpost_devserver::{Endpoint, Fault};
use fieldpost_tests::thread;

async fn texts(client: &Client) -> Vec<String> {
    thread(client, adas(client).await).await.into_iter().filter_map(|row| row.2).skip(3).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_is_shown_and_can_be_sent_again_or_taken_back() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let refused = ada.conversation(adas(&ada).await).send("no: may I?").await.unwrap().id();
    ada.trigger_message_sync().await.unwrap();
    let entry = handle(&ada, refused).await.entry().await.unwrap().unwrap();
    assert!(matches!(&entry.state, EntryState::Failed(refusal) if refusal.code == RefusalCode::Forbidden));

    // Nothing has changed, so the server refuses again.
    assert!(matches!(ada.retry(refused).await.unwrap().state, EntryState::Queued { .. }));
    assert_eq!(ada.trigger_message_sync().await.unwrap().failed, 1);

    // She gives up; the text comes back, as a draft for elsewhere.
    let left = ada.cancel(refused).await.unwrap();
    assert_eq!(left[0].content.as_deref(), Some("no: may I?"));
    assert!(matches!(ada.cancel(refused).await, Err(Error::NotWaiting)));
    assert!(ada.outbox(10).await.unwrap().is_empty());
    assert_eq!(ada.status().borrow().failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_sent_can_be_edited_and_taken_back_offline() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    site.network.offline(true).await;
    let written = write(&ada, 3).await;
    assert!(matches!(ada.trigger_message_sync().await, Err(Error::Offline(_))), "trying changes nothing");

    handle(&ada, written[0]).await.edit("note 0, corrected").await.unwrap();
    ada.cancel(written[1]).await.unwrap();
    assert!(matches!(handle(&ada, written[2]).await.edit("").await, Err(Error::InvalidContent(_))));

    let site = site.restarted().await;
    ada.trigger_message_sync().await.unwrap();
    assert_eq!(texts(&ada).await, ["note 0, corrected", "note 2"]);
    assert_eq!(site.stored(adas(&ada).await, &written), [1, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_cannot_be_taken_back_and_an_edit_waits_behind_it() {
    let site = Site::new().await;
    let (phone, ada) = site.client(ADA).await;
    let written = write(&ada, 1).await[0];
    // Both the attempt and its repetition reach the server, and no answer comes back.
    site.network.order(Endpoint::Push, 2, Fault::LoseAnswer);
    assert!(matches!(ada.trigger_message_sync().await, Err(Error::Offline(_))));

    let edited = handle(&ada, written).await.edit("something else").await.unwrap();
    assert!(edited.changing, "the edit waits behind the message");
    assert!(matches!(ada.cancel(written).await, Err(Error::OutcomeUnknown)));
    ada.close().await.unwrap();
    let ada = phone.start().await;
    assert!(matches!(ada.cancel(written).await, Err(Error::OutcomeUnknown)), "a restart makes nobody wiser");

    ada.trigger_message_sync().await.unwrap();
    assert!(matches!(ada.cancel(written).await, Err(Error::NotWaiting)));
    assert_eq!(site.stored(adas(&ada).await, &[written]), [1]);
    assert_eq!(texts(&ada).await, ["something else"]);
}
