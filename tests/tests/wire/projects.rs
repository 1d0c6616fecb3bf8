//! Projects of other people: their triggers write something else than was sent, and refuse in their own words.

use crate::given::{ADA, ADMIN, adas};
use fieldpost::{EntryState, MessageStatus, RefusalCode, Window};
use fieldpost_devserver::DevServer;
use fieldpost_domain::{PersonId, Refusal};
use fieldpost_remote::reference::{DEMO_PASSWORD, Project, ReferenceServer, SubmittedMessage};
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
    ada.send(thread, "The damn lift is out").await.unwrap();
    ada.send(thread, "Taking the stairs").await.unwrap();
    ada.trigger_message_sync().await.unwrap();
    let desk = Phone::new(server.url(), server.anon_key());
    let admin = desk.first_start(ADMIN, DEMO_PASSWORD).await;
    for device in [&ada, &admin] {
        let shown = device.messages(thread, Window::newest(2)).await.unwrap().messages;
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
    let sent = ada.send(thread, "Am I heard?").await.unwrap();
    ada.trigger_message_sync().await.unwrap();
    let waiting = ada.waiting(sent.id).await.unwrap().unwrap();
    let EntryState::Failed(refusal) = waiting.state else { panic!("a dead letter") };
    assert_eq!((&refusal.code, refusal.detail.as_deref()), (&RefusalCode::Refused, Some("You are suspended (P0001)")));

    project.suspended.store(false, Ordering::SeqCst);
    ada.edit(sent.id, "Am I heard now?").await.unwrap();
    ada.trigger_message_sync().await.unwrap();
    let shown = ada.messages(thread, Window::newest(1)).await.unwrap().messages.remove(0);
    assert_eq!((shown.content.as_deref(), shown.status), (Some("Am I heard now?"), MessageStatus::Sent));
}
