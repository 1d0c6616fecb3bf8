//! What an app is told while things happen.

use crate::given::*;
use fieldpost::{
    ConversationQuery, ConversationSummary, Delivery, EntryState, OutboxEvent, RefusalCode, ThreadMessage, Updates,
    Vector, VectorDiff, Window,
};

/// The first item of which this holds.
async fn until<T>(stream: &mut Updates<T>, holds: impl Fn(&T) -> bool) -> T {
    loop {
        let item = stream.next().await.unwrap().unwrap();
        if holds(&item) {
            return item;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_message_is_told_what_became_of_it() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let written = write(&ada, 2).await;
    let refused = ada.conversation(adas(&ada).await).send("no: may I?").await.unwrap();
    let (kept, taken_back) = (handle(&ada, written[0]).await, handle(&ada, written[1]).await);
    taken_back.cancel().await.unwrap();
    let (sent, gone, failed, synced) =
        tokio::join!(kept.delivered(), taken_back.delivered(), refused.delivered(), ada.sync());
    synced.unwrap();
    assert!(matches!(sent.unwrap(), Delivery::Sent(seq) if seq.get() > 0));
    assert_eq!(gone.unwrap(), Delivery::Gone);
    assert!(matches!(failed.unwrap(), Delivery::Failed(refusal) if refusal.code == RefusalCode::Forbidden));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_sees_what_comes_in_without_asking() {
    let site = Site::new().await;
    let (_phones, ada, admin) = {
        let (one, ada) = site.client(ADA).await;
        let (two, admin) = site.client(ADMIN).await;
        ((one, two), ada, admin)
    };
    let thread = adas(&ada).await;
    let (mut list, mut lines) = ada.watch_conversations(ConversationQuery::default()).await.unwrap();
    let (window, mut thread_updates) = ada.conversation(thread).watch(Window::newest(50)).await.unwrap();
    let mut screen: Vector<ThreadMessage> = window.messages.into();
    let mut badge = ada.watch_total_unread();
    let before = badge.next().await.unwrap().unwrap();
    assert!(!list.is_empty());

    admin.conversation(adas(&admin).await).send("please confirm").await.unwrap();
    admin.trigger_message_sync().await.unwrap();
    ada.trigger_message_sync().await.unwrap();

    let confirm = |message: &ThreadMessage| message.content.as_deref() == Some("please confirm");
    while !screen.last().is_some_and(confirm) {
        apply(&mut screen, thread_updates.next().await.unwrap().unwrap().diffs);
    }
    assert_eq!(badge.next().await.unwrap().unwrap(), before + 1);
    let previewed = |one: &ConversationSummary| one.last_message_preview.as_deref() == Some("please confirm");
    while !list.iter().any(previewed) {
        apply(&mut list, lines.next().await.unwrap().unwrap());
    }
    ada.conversation(thread).mark_read(screen.last().unwrap().seq.unwrap()).await.unwrap();
    assert!(until(&mut badge, |unread| *unread <= before).await <= before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_tells_what_happens_to_it() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let first = write(&ada, 1).await[0];
    let mut outbox = ada.watch_outbox();
    assert!(matches!(outbox.next().await.unwrap().unwrap(),
        OutboxEvent::Waits(entry) if entry.message_id == Some(first) && matches!(entry.state, EntryState::Queued { .. })));
    ada.trigger_message_sync().await.unwrap();
    let left = until(&mut outbox, |event| matches!(event, OutboxEvent::Left(_))).await;
    assert!(matches!(left, OutboxEvent::Left(entry) if entry.message_id == Some(first)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_outlasts_a_pause() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let (_, mut screen) = ada.conversation(thread).watch(Window::newest(50)).await.unwrap();
    ada.pause().await.unwrap();
    ada.resume().await.unwrap();
    ada.conversation(thread).send("back again").await.unwrap();
    let diffs = screen.next().await.unwrap().unwrap().diffs;
    assert!(matches!(&diffs[..], [VectorDiff::PushBack { value }] if value.content.as_deref() == Some("back again")));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_their_client() {
    let site = Site::new().await;
    let (phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let (_, mut lines) = ada.watch_conversations(ConversationQuery::default()).await.unwrap();
    let (_, mut screen) = ada.conversation(thread).watch(Window::newest(50)).await.unwrap();
    drop(ada);
    assert!(lines.next().await.is_none() && screen.next().await.is_none(), "no stream keeps a client alive");

    let ada = phone.start().await;
    let (_, mut lines) = ada.watch_conversations(ConversationQuery::default()).await.unwrap();
    ada.close().await.unwrap();
    assert!(lines.next().await.is_none(), "a closed client shows nothing any more");
}

fn apply<T: Clone>(shown: &mut Vector<T>, diffs: Vec<VectorDiff<T>>) {
    diffs.into_iter().for_each(|diff| diff.apply(shown));
}
