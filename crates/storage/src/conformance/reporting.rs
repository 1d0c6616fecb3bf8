//! Reports: what a person tells the admins about somebody else's message. It is queued like a change, and shows nothing.

use super::Device;
use super::build::{
    ada, at, conversation_id, cursor, direct, echo, message, message_id, mutation_id, own_message_id, pull_page, server,
};
use super::given::{
    acknowledged, answered, batch, failure, loaded_thread, mutations, newest, outbox, pulled, refused, sent,
};
use crate::{EntryState, NotPossible, StorageErrorKind, StorageResult, Store, ThreadMessage};
use fieldpost_domain::{
    Acknowledgement, Capability, Changes, ConversationId, DeleteMessage, Emoji, Intent, MessageId, Mutation,
    PushOutcome, React, RefusalCode, ReportMessage, ReportReason, RetryCode, ServerInfo, Version,
};

/// A direct thread with a message of Ada at 1 and one of Iris at 2; the device is that of Iris, an admin.
async fn given_thread(store: &dyn Store, server: ServerInfo) -> ConversationId {
    let one = conversation_id(1);
    let id = loaded_thread(store, direct(1, 2), vec![message(one, 1, &ada()), echo(1, one, 2)]).await;
    let page = fieldpost_domain::PullPage { server, ..pull_page("1", Changes::default()) };
    store.apply_pull(&cursor("0"), page).await.unwrap();
    id
}

fn hers() -> MessageId {
    message_id(conversation_id(1), 1)
}

/// Reports with mutation `n`.
async fn report(store: &dyn Store, n: u64, message: MessageId, note: &str) -> StorageResult<ThreadMessage> {
    // The store uses the conversation of the message instead.
    let report = ReportMessage::new(conversation_id(77), message, ReportReason::Harassment, note).unwrap();
    let mutation = Mutation { id: mutation_id(n), intent: Intent::ReportMessage(report) };
    store.change(mutation, at(600 + n)).await
}

async fn why_not(store: &dyn Store, n: u64, message: MessageId) -> StorageErrorKind {
    report(store, n, message, "").await.unwrap_err().kind()
}

/// `change`: a report is queued, and thread, message and list show what they showed.
pub async fn a_report_is_queued_and_changes_nothing_that_shows(store: &dyn Store) {
    let id = given_thread(store, server()).await;
    let before = (newest(store, id, 9).await, store.conversation(id).await.unwrap());
    let shown = report(store, 2, hers(), "rude").await.unwrap();
    assert_eq!((shown.id, shown.changing), (hers(), false));
    assert_eq!((newest(store, id, 9).await, store.conversation(id).await.unwrap()), before);
    let waiting = outbox(store).await;
    assert_eq!((waiting[0].target_id, waiting[0].conversation_id), (Some(hers()), id));
    assert_eq!(store.counts().await.unwrap().pending, 1, "the person waits for it");
    assert_eq!(batch(store).await, mutations([2]));
    acknowledged(store, 2, Acknowledgement::Bare).await;
    assert_eq!((outbox(store).await.len(), newest(store, id, 9).await), (0, before.0));
}

/// `change`: another report of the message takes the place of one that was never attempted, and follows one in flight.
pub async fn a_report_replaces_one_that_was_never_attempted(store: &dyn Store) {
    given_thread(store, server()).await;
    report(store, 2, hers(), "rude").await.unwrap();
    report(store, 3, hers(), "rude, and again").await.unwrap();
    assert_eq!(outbox(store).await.len(), 1);
    let next = store.next_batch(super::build::wide(), &Default::default()).await.unwrap();
    let Intent::ReportMessage(sent) = &next[0].intent else { panic!("a report: {next:?}") };
    assert_eq!((next[0].id, sent.note.as_ref().unwrap().as_str()), (mutation_id(3), "rude, and again"));
    report(store, 4, hers(), "rude").await.unwrap();
    assert_eq!(batch(store).await, mutations([3, 4]), "one in flight stays");
}

/// `change`: nobody reports their own message, sent or not; nor one that is deleted, or that is not here.
pub async fn ones_own_message_is_not_reported(store: &dyn Store) {
    let id = given_thread(store, server()).await;
    sent(store, 5, id).await;
    for own in [own_message_id(1), own_message_id(5)] {
        assert_eq!(why_not(store, 6, own).await, StorageErrorKind::NotApplicable(NotPossible::Own));
    }
    assert_eq!(why_not(store, 7, message_id(id, 9)).await, StorageErrorKind::NotFound);
    let gone = fieldpost_domain::Message { version: Version::new(9), ..super::build::deleted(message(id, 1, &ada())) };
    pulled(store, Changes { messages: vec![gone], ..Changes::default() }).await;
    assert_eq!(why_not(store, 8, hers()).await, StorageErrorKind::NotApplicable(NotPossible::Deleted));
    assert_eq!(outbox(store).await.len(), 1, "the message alone");
}

/// A report is not sent to a server without the capability, and it delays no other mutation.
pub async fn a_report_waits_for_the_servers_capability(store: &dyn Store) {
    let id = given_thread(store, ServerInfo { sql_version: Some(1), ..ServerInfo::default() }).await;
    report(store, 2, hers(), "rude").await.unwrap();
    sent(store, 5, id).await;
    assert_eq!(batch(store).await, mutations([5]));
    answered(store, 5, PushOutcome::Acknowledged(Acknowledgement::Bare)).await;
    assert_eq!(outbox(store).await[0].state, EntryState::NeedsServer(Capability::Reports));
    store.apply_pull(&cursor("1"), pull_page("2", Changes::default())).await.unwrap();
    assert_eq!(batch(store).await, mutations([2]));
}

/// A refused report is a dead letter, which the person can send again or cancel.
pub async fn a_refused_report_is_a_dead_letter(store: &dyn Store) {
    given_thread(store, server()).await;
    report(store, 2, hers(), "rude").await.unwrap();
    batch(store).await;
    answered(store, 2, PushOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!(batch(store).await, mutations([2]), "a retry is none");
    refused(store, 2, RefusalCode::NotFound).await;
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::NotFound));
    assert_eq!(store.changes_of(hers()).await.unwrap().len(), 1, "it is found by its message");
    store.retry(mutation_id(2), at(800)).await.unwrap();
    assert_eq!(batch(store).await, mutations([2]));
    refused(store, 2, RefusalCode::Refused).await;
    store.cancel(mutation_id(2)).await.unwrap();
    assert!(outbox(store).await.is_empty());
}

/// `change`: an admin who reports a message and deletes it does both. The deletion replaces other changes.
pub async fn a_deletion_leaves_a_queued_report(store: &dyn Store) {
    let id = given_thread(store, server()).await;
    let emoji = Emoji::new("👎").unwrap();
    let reaction = React { conversation_id: id, message_id: hers(), emoji, removed: false };
    store.change(Mutation { id: mutation_id(2), intent: Intent::React(reaction) }, at(602)).await.unwrap();
    report(store, 3, hers(), "rude").await.unwrap();
    let deletion = DeleteMessage { conversation_id: id, message_id: hers(), deleted_at: at(604) };
    store.change(Mutation { id: mutation_id(4), intent: Intent::DeleteMessage(deletion) }, at(604)).await.unwrap();
    let waiting: Vec<_> = outbox(store).await.iter().map(|entry| entry.mutation_id).collect();
    assert_eq!(waiting, mutations([3, 4]));
}

/// A report survives a restart, with what the person said.
pub async fn a_report_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    given_thread(&*store, server()).await;
    let note = "rude \"and\" again\n\u{1f620}";
    report(&*store, 2, hers(), note).await.unwrap();
    store.close().await.unwrap();
    drop(store);

    let store = device.open().await;

    let next = store.next_batch(super::build::wide(), &Default::default()).await.unwrap();
    let expected = ReportMessage::new(conversation_id(1), hers(), ReportReason::Harassment, note).unwrap();
    assert_eq!(next[0].intent, Intent::ReportMessage(expected));
}
