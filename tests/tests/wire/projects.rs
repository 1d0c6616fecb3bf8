//! Projects of other people: their triggers write something else than was sent, and refuse in their own words.

use crate::given::{ADA, ADMIN, adas};
use fieldpost::{EntryState, MessageStatus, RefusalCode, Role, Window};
use fieldpost_devserver::DevServer;
use fieldpost_domain::{PersonId, Refusal};
use fieldpost_remote::reference::{DEMO_PASSWORD, Profile, Project, ReferenceServer, SubmittedMessage};
use fieldpost_tests::Phone;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// `new.content := replace(new.content, 'damn', '****')`, and a list of people who may not write.
#[derive(Clone, Default)]
struct Filter {
    suspended: Arc<AtomicBool>,
}

impl Project for Filter {
    fn stores(&self, message: &mut SubmittedMessage, _: PersonId) -> Result<(), Refusal> {
        if self.suspended.load(Ordering::SeqCst) {
            let detail = Some("You are suspended (P0001)".to_owned());
            return Err(Refusal { code: RefusalCode::Refused, detail });
        }
        message.content = message.content.take().map(|content| content.replace("damn", "****"));
        Ok(())
    }
}

async fn site(project: Filter) -> DevServer {
    let reference = ReferenceServer::builder().project(project).build();
    reference.add_demo();
    DevServer::builder().reference(reference).start().await.unwrap()
}

#[tokio::test]
async fn everybody_sees_what_a_trigger_of_the_project_made_of_a_message() {
    let server = site(Filter::default()).await;
    let phone = Phone::new(server.url(), server.anon_key());
    let ada = phone.first_start(ADA, DEMO_PASSWORD).await;
    let thread = adas(&ada).await;
    ada.conversation(thread).send("The damn lift is out").await.unwrap();
    ada.conversation(thread).send("Taking the stairs").await.unwrap();
    ada.trigger_message_sync().await.unwrap();
    let desk = Phone::new(server.url(), server.anon_key());
    let admin = desk.first_start(ADMIN, DEMO_PASSWORD).await;
    for device in [&ada, &admin] {
        let shown = device.conversation(thread).messages(Window::newest(2)).await.unwrap().messages;
        let texts: Vec<_> = shown.iter().filter_map(|message| message.content.as_deref()).collect();
        assert_eq!(texts, ["The **** lift is out", "Taking the stairs"]);
    }
    assert_eq!(ada.pending().await.unwrap().pending, 0);
}

#[tokio::test]
async fn a_refusal_of_the_project_waits_in_its_own_words_and_can_be_sent_again() {
    let project = Filter::default();
    let server = site(project.clone()).await;
    let phone = Phone::new(server.url(), server.anon_key());
    let ada = phone.first_start(ADA, DEMO_PASSWORD).await;
    let thread = adas(&ada).await;
    project.suspended.store(true, Ordering::SeqCst);
    let sent = ada.conversation(thread).send("Am I heard?").await.unwrap();
    ada.trigger_message_sync().await.unwrap();
    let waiting = sent.entry().await.unwrap().unwrap();
    let EntryState::Failed(refusal) = waiting.state else { panic!("a dead letter") };
    assert_eq!((&refusal.code, refusal.detail.as_deref()), (&RefusalCode::Refused, Some("You are suspended (P0001)")));

    project.suspended.store(false, Ordering::SeqCst);
    sent.edit("Am I heard now?").await.unwrap();
    ada.trigger_message_sync().await.unwrap();
    let shown = ada.conversation(thread).messages(Window::newest(1)).await.unwrap().messages.remove(0);
    assert_eq!((shown.content.as_deref(), shown.status), (Some("Am I heard now?"), MessageStatus::Sent));
}

#[tokio::test]
async fn a_conversation_is_opened_in_the_org_of_its_medic() {
    let reference = ReferenceServer::new();
    let (here, there) = (reference.add_org("Here"), reference.add_org("There"));
    let profile = |name| Profile { first_name: name, last_name: "Test", email: name, password: DEMO_PASSWORD };
    let robin = reference.add_admin(here, profile("robin"));
    reference.add_member(robin, there, Role::OrgAdmin, "Robin", "There");
    let medics = [reference.add_medic(here, profile("ada")), reference.add_medic(there, profile("ben"))];
    let server = DevServer::builder().reference(reference.clone()).start().await.unwrap();
    let phone = Phone::new(server.url(), server.anon_key());
    let client = phone.first_start("robin", DEMO_PASSWORD).await;
    for (medic, org) in medics.iter().zip([here, there]) {
        let opened = client.open_direct(medic.medic_id).await.unwrap();
        assert_eq!(opened.summary().await.unwrap().unwrap().org_id, org);
        opened.send("Hello").await.unwrap();
    }
    client.trigger_message_sync().await.unwrap();
    let pending = client.pending().await.unwrap();
    assert_eq!((pending.pending, pending.failed), (0, 0), "neither is not_found");
}

#[tokio::test]
async fn a_medic_without_an_account_who_is_renamed_is_renamed_on_the_devices_that_know_her() {
    let reference = ReferenceServer::demo();
    let admin = reference.person_with(ADMIN).unwrap();
    let org = reference.member(admin).unwrap().org_id;
    let medic = reference.add_medic_without_account(org, "Kim", "Novak");
    let thread = reference.open_direct(org, medic, admin);
    let server = DevServer::builder().reference(reference.clone()).start().await.unwrap();
    let phone = Phone::new(server.url(), server.anon_key());
    let client = phone.first_start(ADMIN, DEMO_PASSWORD).await;
    let name = async || client.conversation(thread).summary().await.unwrap().unwrap().participant_name;
    assert_eq!(name().await, "Kim Novak");
    reference.rename_medic(medic, "Kim", "Basin");
    client.trigger_message_sync().await.unwrap();
    assert_eq!(name().await, "Kim Basin");
}

#[tokio::test]
async fn an_old_server_is_served_and_the_doctor_says_which_sql_it_has() {
    let reference = ReferenceServer::builder().of_the_first_sql().build();
    reference.add_demo();
    let server = DevServer::builder().reference(reference).start().await.unwrap();
    let phone = Phone::new(server.url(), server.anon_key());
    let client = phone.first_start(ADA, DEMO_PASSWORD).await;
    client.trigger_message_sync().await.unwrap();
    let said = |diagnosis: fieldpost::Diagnosis| -> Vec<String> {
        assert_eq!(diagnosis.sql_version(), Some(1));
        diagnosis.findings.iter().map(ToString::to_string).collect()
    };
    let expected = ["SQL 1, this client wants 2: run `fieldpost sql export`"];
    assert_eq!(said(client.diagnose().await.unwrap()), expected);
    client.close().await.unwrap();
    let again = phone.start().await;
    assert_eq!(said(again.diagnose_offline().await.unwrap()), expected, "the file remembers");
}

#[tokio::test]
async fn a_new_server_says_which_sql_it_has_and_nothing_is_wrong_with_it() {
    let server = site(Filter::default()).await;
    let phone = Phone::new(server.url(), server.anon_key());
    let client = phone.first_start(ADA, DEMO_PASSWORD).await;
    let diagnosis = client.diagnose().await.unwrap();
    assert_eq!((diagnosis.sql_version(), diagnosis.findings.len()), (Some(fieldpost::SQL_VERSION), 0));
    let capabilities = diagnosis.sync.server.unwrap().capabilities;
    assert!(capabilities.iter().map(|one| one.as_str()).eq([
        "set_digest",
        "ranges",
        "edit_message",
        "delete_message",
        "mentions_count",
        "reactions",
        "reports",
        "mark_delivered",
        "conversation_settings",
        "page_bytes",
        "search_server",
        "records",
        "live",
        "quiet_push"
    ]));
}
