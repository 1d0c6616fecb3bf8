//! The changes that commits report: everything that looks different, and little more.

use super::Device;
use super::build::{
    ada, at, conversation_id, cursor, direct, message, messages, mutation_id, other_direct, pull_page, read_to,
};
use super::given::{batch, loaded, loaded_thread, pulled, pulled_messages, read_up_to, sent};
use crate::{ChangeSet, Store, SyncMemory, Touched};
use fieldpost_domain::{Changes, ConversationId};

fn of(conversation: u64) -> ChangeSet {
    ChangeSet::of([conversation_id(conversation)])
}

async fn two_threads(store: &dyn Store) -> ConversationId {
    let mut changes = super::given::thread(direct(1, 2), messages(conversation_id(1), 1..=2, &ada()));
    changes.conversations.push(other_direct(2, 0));
    loaded(store, changes).await;
    conversation_id(1)
}

/// `Store::changes`: a send reports its conversation and the outbox, but no unread count.
pub async fn a_send_reports_its_conversation_and_the_outbox(store: &dyn Store) {
    let thread = two_threads(store).await;
    let mut changes = store.changes();

    sent(store, 1, thread).await;

    assert_eq!(changes.take(), of(1).and_outbox());
}

/// `Store::changes`: each receiver gets one report per commit.
pub async fn each_receiver_gets_every_commit(store: &dyn Store) {
    let thread = two_threads(store).await;
    let (mut early, mut late) = (store.changes(), store.changes());
    sent(store, 1, thread).await;
    assert_eq!(early.take(), of(1).and_outbox());
    sent(store, 2, conversation_id(2)).await;

    assert_eq!(early.next().await, Some(of(2).and_outbox()));
    let both = ChangeSet::of([conversation_id(1), conversation_id(2)]).and_outbox();
    assert_eq!(late.next().await, Some(both), "commits that wait are one answer");
}

/// `Store::changes`: rows of a page.
pub async fn a_page_reports_the_conversations_of_its_rows(store: &dyn Store) {
    let thread = two_threads(store).await;
    let mut changes = store.changes();

    pulled_messages(store, vec![message(thread, 3, &ada())]).await;

    assert_eq!(changes.take(), of(1).and_unread());
}

/// `Store::changes`: another person has read a message.
pub async fn a_receipt_reports_its_conversation(store: &dyn Store) {
    let thread = two_threads(store).await;
    let mut changes = store.changes();

    pulled(store, Changes { read_markers: vec![read_to(thread, &ada(), 2)], ..Changes::default() }).await;

    let heard = changes.take();
    assert!(heard.conversations.contains(thread) && !heard.conversations.contains(conversation_id(2)), "{heard:?}");
}

/// `Store::changes`: most passes bring nothing, so that no watcher reads again.
pub async fn a_commit_without_effect_reports_nothing(store: &dyn Store) {
    let thread = two_threads(store).await;
    let known = message(thread, 2, &ada());
    // First report what another process may have written.
    store.remember(&SyncMemory::default(), Some(at(1))).await.unwrap();
    let mut changes = store.changes();

    store.apply_pull(&cursor("0"), pull_page("1", Changes::default())).await.unwrap();
    store.remember(&SyncMemory::default(), Some(at(2))).await.unwrap();
    assert!(batch(store).await.is_empty());
    store.clear_session().await.unwrap();
    store
        .apply_pull(&cursor("9"), pull_page("10", Changes { messages: vec![known], ..Changes::default() }))
        .await
        .unwrap_err();

    assert!(changes.take().is_empty());
}

/// `Store::changes`: opening a thread.
pub async fn a_mark_reports_that_less_is_unread(store: &dyn Store) {
    let thread = two_threads(store).await;
    let mut changes = store.changes();

    read_up_to(store, 1, thread, 2).await;

    assert_eq!(changes.take(), of(1).and_unread().and_outbox());
}

/// `Store::changes`: names are in every line of the list.
pub async fn a_changed_name_reports_every_conversation(store: &dyn Store) {
    two_threads(store).await;
    let mut changes = store.changes();
    let version = fieldpost_domain::Version::new(ada().version.get() + 1);
    let renamed = fieldpost_domain::Person { first_name: "Augusta".to_owned(), version, ..ada() };

    pulled(store, Changes { people: vec![renamed], ..Changes::default() }).await;

    assert_eq!(changes.take().conversations, Touched::All);
}

/// `Store::changes`: a failed call changes nothing.
pub async fn a_failed_call_reports_nothing(store: &dyn Store) {
    two_threads(store).await;
    store.remember(&SyncMemory::default(), Some(at(1))).await.unwrap();
    let mut changes = store.changes();

    store.send(mutation_id(1), super::build::composed(1, conversation_id(9)).into()).await.unwrap_err();
    store.retry(mutation_id(5), at(3)).await.unwrap_err();

    assert!(changes.take().is_empty());
}

/// `Store::changes`: commits of another process are reported with the next commit here.
pub async fn the_commits_of_others_are_reported_with_the_next_one_here(device: &dyn Device) {
    let (here, there) = (device.open().await, device.open().await);
    let thread = two_threads(&*here).await;
    here.remember(&SyncMemory::default(), Some(at(1))).await.unwrap();
    let mut changes = here.changes();

    sent(&*there, 1, conversation_id(2)).await;
    assert!(changes.take().is_empty(), "not read yet");
    sent(&*here, 2, thread).await;

    let heard = changes.take();
    assert!(heard.conversations.contains(conversation_id(2)) && heard.conversations.contains(thread), "{heard:?}");
    sent(&*here, 3, thread).await;
    assert_eq!(changes.take(), of(1).and_outbox(), "once");
}

/// `Turns::try_turn`: most passes write nothing, but commits of another process are reported anyway.
pub async fn the_commits_of_others_are_reported_when_a_pass_begins(device: &dyn Device) {
    let (here, there) = (device.open().await, device.open().await);
    two_threads(&*here).await;
    here.remember(&SyncMemory::default(), Some(at(1))).await.unwrap();
    let mut changes = here.changes();
    drop(here.try_turn().await.unwrap());
    assert!(changes.take().is_empty(), "there were none");
    sent(&*there, 1, conversation_id(2)).await;

    drop(here.try_turn().await.unwrap());

    assert!(changes.take().conversations.contains(conversation_id(2)));
    drop(here.try_turn().await.unwrap());
    assert!(changes.take().is_empty(), "once");
}

/// `Store::look_again`: the app comes to the foreground.
pub async fn the_commits_of_others_are_reported_by_look_again(device: &dyn Device) {
    let (here, there) = (device.open().await, device.open().await);
    two_threads(&*here).await;
    let mut changes = here.changes();
    sent(&*there, 1, conversation_id(2)).await;
    here.look_again();
    assert!(changes.take().conversations.contains(conversation_id(2)));
}

/// `Store::resume`: an extension may have written meanwhile.
pub async fn the_commits_of_others_are_reported_after_a_pause(device: &dyn Device) {
    let (here, there) = (device.open().await, device.open().await);
    two_threads(&*here).await;
    let mut changes = here.changes();
    here.pause().await.unwrap();
    sent(&*there, 1, conversation_id(2)).await;
    assert!(changes.take().is_empty());
    here.resume().await.unwrap();
    assert!(changes.take().conversations.contains(conversation_id(2)));
}

/// `Store::close`: there are no more commits.
pub async fn changes_end_when_the_store_is_closed(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    let mut changes = store.changes();
    sent(store, 1, thread).await;
    store.close().await.unwrap();
    assert_eq!(changes.next().await, Some(of(1).and_outbox()));
    assert_eq!(changes.next().await, None);
    assert_eq!(store.changes().next().await, None);
}
