//! What an app is told while things happen.

use crate::given::*;
use fieldpost::{Delivery, EntryState, OutboxEvent, RefusalCode, Window};
use futures::{Stream, StreamExt};
use std::pin::Pin;

/// The first item of which this holds.
async fn until<T>(stream: &mut Pin<Box<impl Stream<Item = fieldpost::Result<T>>>>, holds: impl Fn(&T) -> bool) -> T {
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
    let notices = ada.conversations().await.unwrap().iter().find(|one| one.medic_id.is_none()).unwrap().id;
    let refused = ada.send(notices, "may I?").await.unwrap().id;
    ada.cancel(written[1]).await.unwrap();
    let (sent, gone, failed, synced) = tokio::join!(
        ada.delivered(written[0]),
        ada.delivered(written[1]),
        ada.delivered(refused),
        ada.trigger_message_sync()
    );
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
    let mut list = Box::pin(ada.watch_conversations());
    let mut screen = Box::pin(ada.watch_messages(thread, Window::newest(50)));
    let mut badge = Box::pin(ada.watch_total_unread());
    let before = badge.next().await.unwrap().unwrap();
    until(&mut list, |list| !list.is_empty()).await;

    admin.send(adas(&admin).await, "please confirm").await.unwrap();
    admin.trigger_message_sync().await.unwrap();
    ada.trigger_message_sync().await.unwrap();

    let last = |window: &fieldpost::ThreadWindow| window.messages.last().and_then(|message| message.content.clone());
    let seen = until(&mut screen, |window| last(window).as_deref() == Some("please confirm")).await;
    assert_eq!(badge.next().await.unwrap().unwrap(), before + 1);
    until(&mut list, |list| list.iter().any(|one| one.last_message_preview.as_deref() == Some("please confirm"))).await;
    ada.mark_read(thread, seen.last_seq().unwrap()).await.unwrap();
    assert!(until(&mut badge, |unread| *unread <= before).await <= before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_tells_what_happens_to_it() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let first = write(&ada, 1).await[0];
    let mut outbox = Box::pin(ada.watch_outbox());
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
    let mut screen = Box::pin(ada.watch_messages(thread, Window::newest(50)));
    let before = screen.next().await.unwrap().unwrap().messages.len();
    ada.pause().await.unwrap();
    ada.resume().await.unwrap();
    ada.send(thread, "back again").await.unwrap();
    assert_eq!(screen.next().await.unwrap().unwrap().messages.len(), before + 1);
}
