//! Defects 5 to 8: how often a message left the phone, and what became of it.

use super::{Verdict, device::Device, direct_of, old::*, pass, phone_with_clock, same, site_with_clock};
use crate::given::*;
use chrono::TimeDelta;
use fieldpost_devserver::Endpoint;
use fieldpost_remote::reference::DEMO_PASSWORD;

/// How many requests so many messages, or so many conversations of a first load, took: fewer than there are of them.
fn fewer_requests_than_rows(requests: usize, rows: usize) -> Verdict {
    if requests < rows { Ok(()) } else { Err(format!("{requests} requests for {rows}")) }
}

#[tokio::test]
async fn defect_5_many_messages_and_many_conversations_take_few_requests() {
    const MANY: usize = 40;

    let (mut server, mut outbox) = (OldServer::default(), OldOutbox::default());
    let thread = server.open();
    (0..MANY).for_each(|number| _ = outbox.write(thread, &format!("note {number}"), 0));
    outbox.push(&mut server);
    let pushing = std::mem::take(&mut server.requests);
    (1..MANY).for_each(|_| _ = server.open());
    OldPhone::default().pull(&mut server);
    assert!(fewer_requests_than_rows(pushing, MANY).is_err());
    assert!(fewer_requests_than_rows(server.requests, MANY).is_err());

    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    write(&ada, MANY).await;
    site.server.requests().clear();
    ada.trigger_message_sync().await.unwrap();
    fewer_requests_than_rows(site.server.requests().log().len(), MANY).unwrap();
    let (email, phone) = (site.add_large_org(MANY, 3), site.phone());
    site.server.requests().clear();
    let client = phone.first_start(email, DEMO_PASSWORD).await;
    assert_eq!(client.conversations().await.unwrap().len(), MANY);
    fewer_requests_than_rows(site.server.requests().log().len(), MANY).unwrap();
}

fn stored_once(texts: &[String], text: &str) -> Verdict {
    same(&texts.iter().filter(|one| *one == text).count(), &1)
}

#[tokio::test]
async fn defect_6_two_attempts_at_the_same_time_store_one_message() {
    let text = "Two on the way";

    let (mut server, mut outbox) = (OldServer::default(), OldOutbox::default());
    let thread = server.open();
    let number = outbox.write(thread, text, 0);
    let message = &outbox.written[number].message;
    // The phone gave the first attempt up and repeats it, while the server is still at the first.
    let attempts = [OldAttempt::select(&mut server, message), OldAttempt::select(&mut server, message)];
    attempts.into_iter().for_each(|attempt| attempt.insert(&mut server));
    let texts: Vec<_> = server.messages.iter().map(|row| row.text.clone()).collect();
    assert!(stored_once(&texts, text).is_err());

    let site = Site::new().await;
    let ada = Device::of(&site, ADA).await;
    let thread = direct_of(&site, ADA);
    let message = ada.message(thread, text);
    let (one, two) = tokio::join!(ada.push(&message), ada.push(&message));
    assert_eq!((one, two), (true, true), "both attempts succeed");
    stored_once(&Device::texts(&site, thread), text).unwrap();
}

/// How often each message left the phone.
fn left_once(times: usize) -> Verdict {
    same(&times, &1)
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_7_two_pushes_at_once_send_each_message_once() {
    let (mut server, mut outbox) = (OldServer::default(), OldOutbox::default());
    let thread = server.open();
    outbox.write(thread, "note 0", 0);
    // A pull to refresh and the timer: the second begins before the first has marked anything.
    let pushes = [outbox.queued(), outbox.queued()];
    let times = pushes.iter().filter(|push| push.iter().any(|message| message.text == "note 0")).count();
    assert!(left_once(times).is_err());

    let site = Site::new().await;
    let (phone, ada) = site.client(ADA).await;
    let again = phone.start().await;
    let written = write(&ada, 1).await;
    site.server.requests().clear();
    // Two in one process, and a third in another one on the same file.
    let (one, two, three) =
        tokio::join!(ada.trigger_message_sync(), ada.trigger_message_sync(), again.trigger_message_sync());
    one.and(two).and(three).unwrap();
    assert_eq!(site.stored(adas(&ada).await, &written), [1]);
    left_once(site.server.requests().count(Endpoint::Push)).unwrap();
}

/// A refused message has been tried once, however many pushes follow; one that waited for days has been sent.
fn the_server_decides(attempts: usize, late_one_is_sent: bool) -> Verdict {
    same(&(attempts, late_one_is_sent), &(1, true))
}

#[tokio::test]
async fn defect_8_a_refused_message_is_tried_once_and_a_late_one_is_sent() {
    const PUSHES: usize = 5;
    const HOURS_WITHOUT_NETWORK: i64 = 25;

    let (mut server, mut outbox) = (OldServer::default(), OldOutbox::default());
    let (read_only, thread) = (server.open(), server.open());
    outbox.refused = Some(read_only);
    let (late, refused) = (outbox.write(thread, "late", 0), outbox.write(read_only, "may I?", 25 * 60));
    server.now = HOURS_WITHOUT_NETWORK * 60;
    (0..PUSHES).for_each(|_| outbox.push(&mut server));
    let is_sent = outbox.written[late].message.status == "sent";
    assert!(the_server_decides(1, is_sent).is_err());
    assert!(the_server_decides(outbox.written[refused].attempts, true).is_err());

    let (site, server_clock) = site_with_clock().await;
    let (_phone, ada, clock) = phone_with_clock(&site, ADA, 1).await;
    site.network.offline(true).await;
    let late = write(&ada, 1).await;
    assert!(ada.trigger_message_sync().await.is_err());
    pass(&[&server_clock, &clock], TimeDelta::hours(HOURS_WITHOUT_NETWORK));
    site.network.offline(false).await;
    ada.trigger_message_sync().await.unwrap();
    let is_sent = site.stored(adas(&ada).await, &late) == [1];
    ada.conversation(adas(&ada).await).send("no: may I?").await.unwrap();
    site.server.requests().clear();
    for _ in 0..PUSHES {
        ada.trigger_message_sync().await.unwrap();
    }
    the_server_decides(site.server.requests().count(Endpoint::Push), is_sent).unwrap();
}
