//! Defects 1, 2 and 4: messages that a phone missed when it pulled.

use super::{Verdict, direct_of, old::*, pass, phone_with_clock, same, site_with_clock};
use crate::{given::*, interruptions::sync_until};
use chrono::TimeDelta;
use fieldpost::{Client, ConversationId};
use fieldpost_devserver::Endpoint;
use fieldpost_domain::ServerLimits;
use fieldpost_remote::reference::DEMO_PASSWORD;
use fieldpost_tests::thread;

/// The texts that Ada's conversation shows on a device, without the three of the demo.
async fn shown(client: &Client, adas: ConversationId) -> Vec<String> {
    thread(client, adas).await.into_iter().skip(3).filter_map(|row| row.2).collect()
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
    let (thread, admin) = (direct_of(&site, ADA), site.reference.person_with(ADMIN).unwrap());
    for text in written {
        pass(&[&server_clock, &clock], TimeDelta::minutes(1));
        site.reference.insert_message(thread, admin, text).unwrap();
        ada.trigger_message_sync().await.unwrap();
    }
    all_arrived(&shown(&ada, thread).await, &written).unwrap();
}

fn nothing_is_missing(found: usize, expected: usize) -> Verdict {
    same(&found, &expected)
}

#[tokio::test]
async fn defect_2_a_phone_that_was_away_gets_more_than_one_page() {
    // While the phone is away: one more of each than a page of the old app.
    const CONVERSATIONS: usize = 201;
    const MESSAGES: usize = 501;
    let notes: Vec<_> = (0..MESSAGES).map(|number| format!("note {number}")).collect();

    let (mut server, mut phone) = (OldServer::default(), OldPhone::default());
    phone.pull(&mut server);
    server.now += 1;
    (0..CONVERSATIONS).for_each(|_| _ = server.open());
    notes.iter().for_each(|note| _ = server.write(0, note));
    for _ in 0..3 {
        server.now += 1;
        phone.pull(&mut server);
    }
    assert!(nothing_is_missing(phone.conversations.len(), CONVERSATIONS).is_err());
    assert!(nothing_is_missing(phone.texts().len(), MESSAGES).is_err());

    let site = Site::new().await;
    let (_phone, admin) = site.client(ADMIN).await;
    let (me, before) = (admin.me().await.unwrap().unwrap(), admin.conversations().await.unwrap().len());
    for number in 0..CONVERSATIONS {
        let medic = site.reference.add_medic_without_account(me.org_id, "Medic", &number.to_string());
        site.reference.open_direct(me.org_id, medic, me.id);
    }
    let ada = site.reference.person_with(ADA).unwrap();
    site.reference.insert_messages(direct_of(&site, ADA), ada, &notes);
    admin.trigger_message_sync().await.unwrap();
    nothing_is_missing(admin.conversations().await.unwrap().len() - before, CONVERSATIONS).unwrap();
    nothing_is_missing(shown(&admin, direct_of(&site, ADA)).await.len(), MESSAGES).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_4_a_first_load_that_fails_in_the_middle_skips_no_conversation() {
    const EACH: usize = 3;
    const CONVERSATIONS: usize = 40;

    let (mut server, mut phone) = (OldServer::default(), OldPhone::default());
    for _ in 0..CONVERSATIONS {
        let thread = server.open();
        (0..EACH).for_each(|_| _ = server.write(thread, "note"));
    }
    server.failing = Some(CONVERSATIONS / 2);
    phone.pull(&mut server);
    server.failing = None;
    server.now += 1;
    phone.pull(&mut server);
    assert!(nothing_is_missing(phone.texts().len(), CONVERSATIONS * EACH).is_err());

    let small = ServerLimits { page_rows: 20, ..ServerLimits::PROTOCOL };
    let site = Site::with_limits(small).await;
    let (email, phone) = (site.add_large_org(CONVERSATIONS, EACH), site.phone());
    let client = phone.start().await;
    client.sign_in(email, DEMO_PASSWORD).await.unwrap();
    assert!(sync_until(&client, &site, Endpoint::Bootstrap, 4).await.is_err());
    site.network.offline(false).await;
    client.trigger_message_sync().await.unwrap();
    let mut messages = 0;
    for conversation in client.conversations().await.unwrap() {
        messages += thread(&client, conversation.id).await.len();
    }
    nothing_is_missing(messages, CONVERSATIONS * EACH).unwrap();
}
