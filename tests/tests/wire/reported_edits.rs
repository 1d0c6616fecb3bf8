//! Edits that people have reported lost, doubled or undone in other messengers and sync engines, tried here.

use crate::given::*;
use fieldpost::{Client, ConversationId, EntryState, SentMessage, Seq, ThreadMessage, Vector, Window};
use fieldpost_devserver::{Endpoint, Fault};
use fieldpost_remote::reference::ReferenceServer;

/// The text that her thread shows, and whether it waits.
async fn shown(client: &Client, sent: &SentMessage) -> (String, bool) {
    let message = client.sent_message(sent.id()).await.unwrap().unwrap().message().clone();
    (message.content.unwrap_or_default(), message.changing)
}

fn text(text: &str, changing: bool) -> (String, bool) {
    (text.to_owned(), changing)
}

/// The texts that the server has of a conversation's last messages.
fn stored(server: &ReferenceServer, conversation: ConversationId, last: usize) -> Vec<String> {
    let all = server.messages_of(conversation);
    let texts = all.into_iter().filter_map(|message| message.content);
    texts.collect::<Vec<_>>().into_iter().rev().take(last).rev().collect()
}

/// "Original message appears after editing in offline mode and relaunching the app", "the request is not in the queue".
#[tokio::test(flavor = "multi_thread")]
async fn two_edits_offline_and_a_killed_app_leave_the_last_text() {
    let site = Site::new().await;
    let (phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let sent = ada.conversation(thread).send("Hall A").await.unwrap();
    ada.sync().await.unwrap();
    site.network.offline(true).await;
    sent.edit("Hall B").await.unwrap();
    sent.edit("Hall C").await.unwrap();
    drop((sent, ada));

    let ada = phone.start().await;
    site.network.offline(false).await;
    let sent = handle(&ada, ada.conversation(thread).messages(Window::newest(1)).await.unwrap().messages[0].id).await;
    assert_eq!(shown(&ada, &sent).await, text("Hall C", true));
    ada.sync().await.unwrap();

    assert_eq!(shown(&ada, &sent).await, text("Hall C", false));
    assert_eq!(stored(&site.reference, thread, 1), ["Hall C"]);
}

/// "Edits to unsent messages get silently discarded", "changes are not displayed after returning online".
#[tokio::test(flavor = "multi_thread")]
async fn a_message_written_and_edited_offline_arrives_once_with_its_last_text() {
    let site = Site::new().await;
    let ((_phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let thread = adas(&ada).await;
    let before = site.reference.messages_of(thread).len();
    site.network.offline(true).await;
    let sent = ada.conversation(thread).send("Hall A").await.unwrap();
    sent.edit("Hall B").await.unwrap();
    site.network.offline(false).await;

    ada.sync().await.unwrap();
    admin.sync().await.unwrap();

    assert_eq!(site.reference.messages_of(thread).len(), before + 1);
    assert_eq!(shown(&ada, &sent).await, text("Hall B", false));
    let window = admin.conversation(thread).messages(Window::newest(1)).await.unwrap();
    assert_eq!(window.messages[0].content.as_deref(), Some("Hall B"));
    assert_eq!(window.messages[0].edited_at, None, "nobody ever saw another text");
}

/// "Edits for messages in flight often get lost".
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_while_the_send_is_in_flight_is_made_after_it() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let before = site.reference.messages_of(thread).len();
    let sent = ada.conversation(thread).send("Hall A").await.unwrap();
    site.network.order(Endpoint::Push, 9, Fault::LoseAnswer);
    ada.sync().await.unwrap_err();
    assert_eq!(stored(&site.reference, thread, 1), ["Hall A"], "it is there, and the phone does not know it");
    sent.edit("Hall B").await.unwrap();
    sent.edit("Hall C").await.unwrap();
    site.network.heal();

    ada.sync().await.unwrap();
    ada.sync().await.unwrap();

    assert_eq!(shown(&ada, &sent).await, text("Hall C", false));
    assert_eq!(stored(&site.reference, thread, 1), ["Hall C"]);
    assert_eq!(site.reference.messages_of(thread).len(), before + 1);
}

/// "Flickering during optimistic updates": the row of the first change arrives while the second waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_never_goes_back_to_an_earlier_text() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let sent = ada.conversation(thread).send("one").await.unwrap();
    ada.sync().await.unwrap();
    let (window, mut updates) = ada.conversation(thread).watch(Window::newest(5)).await.unwrap();
    let mut screen: Vector<ThreadMessage> = window.messages.into();
    sent.edit("two").await.unwrap();
    site.network.order(Endpoint::Push, 9, Fault::LoseAnswer);
    ada.sync().await.unwrap_err();
    sent.edit("three").await.unwrap();
    site.network.heal();
    ada.sync().await.unwrap();
    ada.sync().await.unwrap();

    let mut texts: Vec<String> = Vec::new();
    while screen.last().is_none_or(|last| last.changing || last.content.as_deref() != Some("three")) {
        for diff in updates.next().await.unwrap().unwrap().diffs {
            diff.apply(&mut screen);
        }
        texts.extend(screen.last().and_then(|last| last.content.clone()));
    }
    texts.dedup();
    let order = ["two", "three"];
    assert!(order.ends_with(&texts.iter().map(String::as_str).collect::<Vec<_>>()), "{texts:?}");
}

/// "Subscription not fired when an optimistic mutation is rejected by the server".
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_is_told_when_its_edit_was_refused() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let sent = ada.conversation(thread).send("Hall A").await.unwrap();
    ada.sync().await.unwrap();
    sent.edit("Hall B").await.unwrap();
    let (window, mut updates) = ada.conversation(thread).watch(Window::newest(5)).await.unwrap();
    let mut screen: Vector<ThreadMessage> = window.messages.into();
    assert_eq!(screen.last().unwrap().content.as_deref(), Some("Hall B"));
    site.reference.soft_delete(sent.id());

    ada.sync().await.unwrap();

    while !screen.last().is_some_and(|last| last.deleted && !last.changing) {
        for diff in updates.next().await.unwrap().unwrap().diffs {
            diff.apply(&mut screen);
        }
    }
    let left = ada.changes_of(sent.id()).await.unwrap();
    assert!(matches!(left[0].state, EntryState::Failed(_)));
}

/// "An edited message counts as unread again", "the list keeps the old preview".
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_the_preview_and_leaves_the_badge_alone() {
    let site = Site::new().await;
    let ((_phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let thread = adas(&ada).await;
    let sent = ada.conversation(thread).send("Hall A").await.unwrap();
    ada.sync().await.unwrap();
    admin.sync().await.unwrap();
    admin.conversation(thread).mark_read(Seq::new(u64::from(u32::MAX))).await.unwrap();
    admin.sync().await.unwrap();
    let unread = admin.total_unread().await.unwrap();
    sent.edit("Hall B").await.unwrap();

    ada.sync().await.unwrap();
    admin.sync().await.unwrap();

    assert_eq!(admin.total_unread().await.unwrap(), unread);
    for client in [&ada, &admin] {
        let summary = client.conversation(thread).summary().await.unwrap().unwrap();
        assert_eq!(summary.last_message_preview.as_deref(), Some("Hall B"));
    }
}

/// "If a record being pushed changes between pull and push": the author edits on two devices.
#[tokio::test(flavor = "multi_thread")]
async fn two_devices_of_an_author_agree_on_the_edit_that_arrived_last() {
    let site = Site::new().await;
    let ((_phone, ada), (_tablet, other)) = (site.client(ADA).await, site.client(ADA).await);
    let sent = ada.conversation(adas(&ada).await).send("one").await.unwrap();
    ada.sync().await.unwrap();
    other.sync().await.unwrap();
    let there = handle(&other, sent.id()).await;
    sent.edit("of the phone").await.unwrap();
    there.edit("of the tablet").await.unwrap();

    for client in [&ada, &other, &ada, &other] {
        client.sync().await.unwrap();
    }

    assert_eq!(shown(&ada, &sent).await, text("of the tablet", false));
    assert_eq!(shown(&other, &there).await, text("of the tablet", false));
    let stored = site.reference.message(sent.id()).unwrap().content;
    assert_eq!(stored.as_deref(), Some("of the tablet"));
}
