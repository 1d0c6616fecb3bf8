//! Defects 9, 10 and 12: names, ids and previews.

use super::{Verdict, old, old::*, same};
use crate::given::*;
use fieldpost::Client;
use fieldpost_remote::reference::{DEMO_PASSWORD, Profile};
use fieldpost_tests::thread;

/// The demo's two medics, as an admin's list names them.
fn named(names: &[String]) -> Verdict {
    let mut names = names.to_vec();
    names.sort();
    same(&names, &["Ada Moss", "Ben Okafor"].map(str::to_owned).to_vec())
}

#[tokio::test]
async fn defect_9_an_admin_sees_the_medics_names() {
    let roster =
        [OldMedic { id: 1, user_id: 11, name: "Ada Moss" }, OldMedic { id: 2, user_id: 12, name: "Ben Okafor" }];
    assert!(named(&conversation_names(&roster, &roster.each_ref().map(|medic| medic.id))).is_err());

    let site = Site::new().await;
    let (_phone, admin) = site.client(ADMIN).await;
    let direct = admin.conversations().await.unwrap().into_iter().filter(|one| one.medic_id.is_some());
    named(&direct.map(|one| one.participant_name).collect::<Vec<_>>()).unwrap();
}

/// A conversation shows its messages and counts the one that is unread.
fn welcomed(texts: &[String], unread: u64) -> Verdict {
    same(&(texts.to_vec(), unread), &(vec!["Welcome".to_owned()], 1))
}

#[tokio::test]
async fn defect_10_a_conversation_opened_offline_shows_what_arrives_under_the_servers_id() {
    let old = OldThreads { local_id: 1, pulled: vec![(501, "Welcome")] };
    assert!(welcomed(&old.thread(), 1).is_err());
    assert!(welcomed(&["Welcome".to_owned()], old.unread()).is_err());

    let site = Site::new().await;
    let (_phone, cleo) = newcomer(&site).await;
    let me = cleo.me().await.unwrap().unwrap();
    let medic = me.medic_id.unwrap();
    // She opens her conversation; meanwhile the admin opens the same one, which gets another id, and writes.
    let opened = cleo.open_direct(medic).await.unwrap();
    let admin = site.reference.person_with(ADMIN).unwrap();
    let on_server = site.reference.open_direct(me.org_id, medic, admin);
    site.reference.insert_message(on_server, admin, "Welcome").unwrap();
    assert_ne!(opened.id(), on_server);

    cleo.trigger_message_sync().await.unwrap();
    for id in [opened.id(), on_server] {
        let texts: Vec<_> = thread(&cleo, id).await.into_iter().filter_map(|row| row.2).collect();
        let summary = cleo.conversation(id).summary().await.unwrap().unwrap();
        welcomed(&texts, summary.unread).unwrap();
    }
}

/// A medic whose conversation nobody has opened yet.
async fn newcomer(site: &Site) -> (fieldpost_tests::Phone, Client) {
    let email = "cleo@fieldpost.test";
    let admin = site.reference.person_with(ADMIN).unwrap();
    let org = site.reference.member(admin).unwrap().org_id;
    site.reference.add_medic(org, Profile { first_name: "Cleo", last_name: "Park", email, password: DEMO_PASSWORD });
    site.client(email).await
}

/// A preview ends with a whole character.
fn whole(preview: &[u16], expected: &str) -> Verdict {
    same(&String::from_utf16(preview).map_err(|_| "half a character"), &Ok(expected.to_owned()))
}

#[tokio::test]
async fn defect_12_a_preview_ends_with_a_whole_character() {
    // A helmet at the limit, and a family of several code points across it.
    for (before, character) in [("x".repeat(99), "\u{1FA96}\u{FE0F}"), ("x".repeat(98), "👩\u{200D}👩\u{200D}👧")]
    {
        let text = format!("{before}{character} and more");
        assert!(whole(&old::preview(&text), &before).is_err());

        let site = Site::new().await;
        let (_phone, ada) = site.client(ADA).await;
        let (_other, admin) = site.client(ADMIN).await;
        let conversation = ada.conversation(adas(&ada).await);
        conversation.send(&text).await.unwrap();
        ada.trigger_message_sync().await.unwrap();
        admin.trigger_message_sync().await.unwrap();
        for client in [&ada, &admin] {
            let summary = client.conversation(conversation.id()).summary().await.unwrap().unwrap();
            let preview = summary.last_message_preview.unwrap();
            whole(&preview.encode_utf16().collect::<Vec<_>>(), &before).unwrap();
        }
    }
}
