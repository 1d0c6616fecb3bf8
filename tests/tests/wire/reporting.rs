//! Reporting messages to the admins, over real sockets and files.

use crate::given::*;
use fieldpost::{
    Capability, Client, EntryState, Error, MessageId, MessageReport, NotPossible, ReportError, ReportId, ReportQuery,
    ReportReason, Window,
};
use fieldpost_devserver::{DevServer, Endpoint, Fault};
use fieldpost_remote::reference::{DEMO_PASSWORD, ReferenceServer};
use fieldpost_tests::Phone;

/// A message of the admin's in Ada's conversation, which both phones have.
async fn said(admin: &Client, ada: &Client) -> MessageId {
    let sent = admin.conversation(adas(admin).await).send("Get lost").await.unwrap();
    admin.sync().await.unwrap();
    ada.sync().await.unwrap();
    sent.id()
}

async fn report(client: &Client, message: MessageId, note: &str) -> Result<(), Error> {
    let conversation = client.conversation(adas(client).await);
    conversation.report(message, ReportReason::Harassment, note).await.map(drop)
}

async fn open(admin: &Client) -> Vec<MessageReport> {
    admin.reports(&ReportQuery::open()).await.unwrap().reports
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_made_offline_survives_a_restart_and_the_admins_deal_with_it() {
    let site = Site::new().await;
    let ((phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let message = said(&admin, &ada).await;
    site.network.offline(true).await;
    let before = ada.conversation(adas(&ada).await).messages(Window::newest(9)).await.unwrap();

    report(&ada, message, "twice today").await.unwrap();

    ada.close().await.unwrap();
    let ada = phone.start().await;
    assert_eq!(ada.conversation(adas(&ada).await).messages(Window::newest(9)).await.unwrap(), before);
    assert_eq!(ada.changes_of(message).await.unwrap().len(), 1);
    assert!(matches!(admin.reports(&ReportQuery::open()).await, Err(Error::Offline(_))));
    site.network.offline(false).await;
    ada.sync().await.unwrap();
    admin.conversation(adas(&admin).await).delete(message).await.unwrap();
    admin.sync().await.unwrap();
    let page = admin.reports(&ReportQuery::open()).await.unwrap();
    let report = &page.reports[0];
    assert_eq!((report.note.as_deref(), report.content.as_deref()), (Some("twice today"), Some("Get lost")));
    assert_eq!(page.name_of(report.reporter_id).as_deref(), Some("Ada Moss"));

    assert!(admin.resolve_report(report.id).await.unwrap().resolved_at.is_some());
    assert!(open(&admin).await.is_empty());
    assert_eq!(admin.reports(&ReportQuery::all().limit(5)).await.unwrap().reports.len(), 1);
    let nobodys = ReportId::from_uuid(uuid::Uuid::from_u128(7));
    assert!(matches!(admin.resolve_report(nobodys).await, Err(Error::NoSuchReport)));
    assert!(matches!(ada.reports(&ReportQuery::open()).await, Err(Error::NotAllowed)));
    assert!(matches!(ada.resolve_report(report.id).await, Err(Error::NotAllowed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_whose_answer_was_lost_counts_once_and_opens_nothing_again() {
    let site = Site::new().await;
    let ((_phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let message = said(&admin, &ada).await;
    report(&ada, message, "").await.unwrap();
    site.network.order(Endpoint::Push, 2, Fault::LoseAnswer);
    ada.sync().await.unwrap_err();
    let one = open(&admin).await.remove(0);
    admin.resolve_report(one.id).await.unwrap();
    ada.sync().await.unwrap();
    assert!(ada.changes_of(message).await.unwrap().is_empty() && open(&admin).await.is_empty());

    report(&ada, message, "again").await.unwrap();
    ada.sync().await.unwrap();
    let again = open(&admin).await;
    assert_eq!((again.len(), again[0].id, again[0].note.as_deref()), (1, one.id, Some("again")));
}

#[tokio::test]
async fn a_report_waits_for_a_server_that_takes_them_and_odd_words_are_refused_here() {
    let older = ReferenceServer::builder().without(&Capability::Reports).build();
    older.add_demo();
    let server = DevServer::builder().reference(older.clone()).start().await.unwrap();
    let (phone, other) = (Phone::new(server.url(), server.anon_key()), Phone::new(server.url(), server.anon_key()));
    let ada = phone.first_start(ADA, DEMO_PASSWORD).await;
    let admin = other.first_start(ADMIN, DEMO_PASSWORD).await;
    let message = said(&admin, &ada).await;
    report(&ada, message, "twice today").await.unwrap();
    ada.sync().await.unwrap();
    let waiting = ada.changes_of(message).await.unwrap();
    assert_eq!(waiting[0].state, EntryState::NeedsServer(Capability::Reports));
    assert!(matches!(admin.reports(&ReportQuery::open()).await, Err(Error::NeedsServer(Capability::Reports))));

    let thread = ada.conversation(adas(&ada).await);
    let long = thread.report(message, ReportReason::Spam, &"x".repeat(1001)).await;
    assert!(matches!(long, Err(Error::InvalidReport(ReportError::NoteTooLong { characters: 1001 }))));
    let odd = thread.report(message, ReportReason::from("two words"), "").await;
    assert!(matches!(odd, Err(Error::InvalidReport(ReportError::Reason))));
    let own = thread.send("Hall A").await.unwrap().id();
    assert!(matches!(report(&ada, own, "").await, Err(Error::NotPossible(NotPossible::Own))));
    let nobodys = MessageId::from_uuid(uuid::Uuid::from_u128(7));
    assert!(matches!(report(&ada, nobodys, "").await, Err(Error::NotFound)));
}
