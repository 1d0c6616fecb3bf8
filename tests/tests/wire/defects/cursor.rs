//! Defects 1, 2 and 4: messages that a phone missed when it pulled.

use super::{Verdict, old::*, pass, phone_with_clock, same, site_with_clock};
use crate::{given::*, interruptions::sync_until};
use chrono::TimeDelta;
use fieldpost::Client;
use fieldpost_devserver::Endpoint;
use fieldpost_domain::ServerLimits;
use fieldpost_remote::reference::DEMO_PASSWORD;
use fieldpost_tests::thread;

/// The texts that Ada's conversation shows on a device, without those of the demo.
async fn shown(client: &Client) -> Vec<String> {
    thread(client, adas(client).await).await.into_iter().skip(3).filter_map(|row| row.2).collect()
}

/// Every message that was written is shown, once and in order.
fn all_arrived(shown: &[String], written: &[&str]) -> Verdict {
    same(&shown.iter().map(String::as_str).collect::<Vec<_>>(), &written.to_vec())
}

#[tokio::test]
async fn defect_1_a_phone_whose_clock_is_ahead_misses_no_message() {
    const AHEAD: i64 = 10;
    let written = ["Crane 2 stops", "Come to the east gate"];

    let (mut server, mut phone) = (OldServer::default(), OldPhone::with_clock_ahead(AHEAD));
    let thread = server.open();
    for text in written {
        server.now += 1;
        server.write(thread, text);
        phone.pull(&mut server);
    }
    server.now += 60;
    phone.pull(&mut server);
    assert!(all_arrived(&phone.texts(), &written).is_err());

    let (site, server_clock) = site_with_clock().await;
    let (_phone, ada, clock) = phone_with_clock(&site, ADA, 1).await;
    clock.advance(TimeDelta::minutes(AHEAD));
    let (thread, admin) = (adas(&ada).await, site.reference.person_with(ADMIN).unwrap());
    for text in written {
        pass(&[&server_clock, &clock], TimeDelta::minutes(1));
        site.reference.insert_message(thread, admin, text).unwrap();
        ada.trigger_message_sync().await.unwrap();
    }
    all_arrived(&shown(&ada).await, &written).unwrap();
}

/// Messages and conversations that are on a phone.
type Counted = (usize, usize);

fn nothing_is_missing(counted: Counted, expected: Counted) -> Verdict {
    same(&counted, &expected)
}

#[tokio::test]
async fn defect_2_a_phone_that_was_away_gets_more_than_one_page() {
    // While the phone is away: one conversation and one message more than a page of the old app.
    const MISSED: Counted = (501, 201);

    let (mut server, mut phone) = (OldServer::default(), OldPhone::default());
    phone.pull(&mut server);
    server.now += 1;
    let first = (0..MISSED.1).map(|_| server.open()).min().unwrap();
    (0..MISSED.0).for_each(|number| _ = server.write(first, &format!("note {number}")));
    for _ in 0..3 {
        server.now += 1;
        phone.pull(&mut server);
    }
    assert!(nothing_is_missing((phone.texts().len(), phone.conversations.len()), MISSED).is_err());

    let site = Site::new().await;
    let (_phone, admin) = site.client(ADMIN).await;
    let before = admin.conversations().await.unwrap().len();
    let me = admin.me().await.unwrap().unwrap();
    for number in 0..MISSED.1 {
        let medic = site.reference.add_medic_without_account(me.org_id, "Medic", &number.to_string());
        site.reference.open_direct(me.org_id, medic, me.id);
    }
    let notes: Vec<_> = (0..MISSED.0).map(|number| format!("note {number}")).collect();
    let ada = site.reference.person_with(ADA).unwrap();
    let thread = site.reference.messages_of(adas_on(&site)).len();
    site.reference.insert_messages(adas_on(&site), ada, &notes);
    admin.trigger_message_sync().await.unwrap();
    let texts = fieldpost_tests::thread(&admin, adas_on(&site)).await.len() - thread;
    nothing_is_missing((texts, admin.conversations().await.unwrap().len() - before), MISSED).unwrap();
}

/// Ada's conversation, which she is the first to have in the demo.
fn adas_on(site: &Site) -> fieldpost::ConversationId {
    let ada = site.reference.person_with(ADA).unwrap();
    site.reference.conversations_of(ada).into_iter().find(|one| one.medic_id.is_some()).unwrap().id
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_4_a_first_load_that_fails_in_the_middle_skips_no_conversation() {
    const EACH: usize = 3;
    const ALL: Counted = (40 * EACH, 40);

    let (mut server, mut phone) = (OldServer::default(), OldPhone::default());
    for _ in 0..ALL.1 {
        let thread = server.open();
        (0..EACH).for_each(|number| _ = server.write(thread, &format!("Message {number}")));
    }
    server.failing = Some(20);
    phone.pull(&mut server);
    server.failing = None;
    server.now += 1;
    phone.pull(&mut server);
    assert!(nothing_is_missing((phone.texts().len(), phone.conversations.len()), ALL).is_err());

    let small = ServerLimits { page_rows: 20, ..ServerLimits::PROTOCOL };
    let site = Site::with_limits(small).await;
    let (email, phone) = (site.add_large_org(ALL.1, EACH), site.phone());
    let client = phone.start().await;
    client.sign_in(email, DEMO_PASSWORD).await.unwrap();
    assert!(sync_until(&client, &site, Endpoint::Bootstrap, 4).await.is_err());
    site.network.offline(false).await;
    client.trigger_message_sync().await.unwrap();
    let conversations = client.conversations().await.unwrap();
    let mut messages = 0;
    for conversation in &conversations {
        messages += thread(&client, conversation.id).await.len();
    }
    nothing_is_missing((messages, conversations.len()), ALL).unwrap();
}
