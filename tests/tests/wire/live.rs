//! Live hints of an app, over real sockets and files. The timer runs once an hour, so that only a hint can be the reason for what
//! is here at once.

use crate::given::*;
use fieldpost::{Client, ConversationId, Error, LiveStatus, Rhythm, Window};
use fieldpost_remote::reference::DEMO_PASSWORD;
use fieldpost_tests::Phone;
use std::time::Duration;

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

fn hourly() -> Rhythm {
    Rhythm { foreground: Duration::from_secs(3600), ..Rhythm::default() }
}

/// Ada's app, started and live; with records if asked for.
async fn ada(site: &Site, records: bool) -> (Phone, Client) {
    let phone = Phone::new(site.server.url(), site.server.anon_key());
    let builder = phone.builder().rhythm(hourly()).typing();
    let client = if records { builder.clinical() } else { builder }.open().await.unwrap();
    client.sign_in(ADA, DEMO_PASSWORD).await.unwrap();
    client.start().await;
    is_live(&client).await;
    (phone, client)
}

async fn live_admin(site: &Site) -> (Phone, Client) {
    let phone = Phone::new(site.server.url(), site.server.anon_key());
    let client = phone.builder().rhythm(hourly()).typing().open().await.unwrap();
    client.sign_in(ADMIN, DEMO_PASSWORD).await.unwrap();
    client.start().await;
    is_live(&client).await;
    (phone, client)
}

async fn is_live(client: &Client) {
    let mut status = client.status();
    let live = status.wait_for(|status| status.live == LiveStatus::Live);
    tokio::time::timeout(PATIENCE, live).await.unwrap().unwrap();
}

/// Waits until a message is on the device.
async fn arrives(client: &Client, conversation: ConversationId, text: &str) {
    let (_, mut updates) = client.conversation(conversation).watch(Window::newest(10)).await.unwrap();
    let here = async {
        loop {
            let shown = client.conversation(conversation).messages(Window::newest(10)).await.unwrap().messages;
            if shown.iter().any(|message| message.content.as_deref() == Some(text)) {
                return;
            }
            updates.next().await.unwrap().unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, here).await.unwrap();
}

async fn admin_writes(site: &Site, text: &str) -> ConversationId {
    let (_phone, admin) = site.client(ADMIN).await;
    let thread = adas(&admin).await;
    admin.conversation(thread).send(text).await.unwrap();
    admin.sync().await.unwrap();
    thread
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_writes_is_at_the_observer_at_once() {
    let site = Site::new().await;
    let (_phone, ada) = ada(&site, false).await;
    let thread = admin_writes(&site, "Which gate?").await;
    arrives(&ada, thread, "Which gate?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_with_records_is_live_too() {
    let site = Site::new().await;
    let (_phone, ada) = ada(&site, true).await;
    let thread = admin_writes(&site, "Which gate?").await;
    arrives(&ada, thread, "Which gate?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_the_server_it_is_live_again_and_has_what_it_missed() {
    let site = Site::new().await;
    let (_phone, ada) = ada(&site, false).await;
    let thread = adas(&ada).await;
    let site = site.restarted().await;
    let writer = site.reference.person_with(ADMIN).unwrap();
    site.reference.insert_messages(thread, writer, &["While it was down".to_owned()]);
    arrives(&ada, thread, "While it was down").await;
    is_live(&ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_wants_no_live_hints_opens_no_connection() {
    let site = Site::new().await;
    let phone = Phone::new(site.server.url(), site.server.anon_key());
    let client = phone.builder().without_live().open().await.unwrap();
    client.sign_in(ADA, DEMO_PASSWORD).await.unwrap();
    client.start().await;
    let mut status = client.status();
    let synced = status.wait_for(|status| status.last_success_at.is_some());
    assert_eq!(tokio::time::timeout(PATIENCE, synced).await.unwrap().unwrap().live, LiveStatus::Off);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_is_shown_to_the_others_and_not_to_herself() {
    let site = Site::new().await;
    let (_phone, ada) = ada(&site, false).await;
    let (_other, admin) = live_admin(&site).await;
    let thread = adas(&ada).await;
    let mut at_the_admin = admin.conversation(thread).watch_typing().unwrap();
    let mut at_ada = ada.conversation(thread).watch_typing().unwrap();
    let writes = async {
        loop {
            ada.conversation(thread).set_typing().unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let shown = tokio::select! {
        shown = tokio::time::timeout(PATIENCE, at_the_admin.next()) => shown.expect("it is shown").unwrap().unwrap(),
        () = writes => unreachable!(),
        own = at_ada.next() => panic!("she is shown to herself: {own:?}"),
    };
    assert_eq!(shown.iter().map(|one| one.first_name.as_str()).collect::<Vec<_>>(), ["Ada"]);
    let over = tokio::time::timeout(PATIENCE, at_the_admin.next()).await.expect("it ends by itself");
    assert!(over.unwrap().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_has_not_switched_typing_on_is_told_so() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let conversation = ada.conversation(adas(&ada).await);
    assert!(matches!(conversation.set_typing(), Err(Error::Configuration(_))));
    assert!(matches!(conversation.watch_typing(), Err(Error::Configuration(_))));
}
