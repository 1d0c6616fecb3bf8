//! Conversations that leave the device and come back.

use super::build::{
    ack, ada, broadcast, conversation_id, conversation_tombstone, direct, echo, iris, message, message_id, messages,
    mutation_id, new_direct, own_message_id, read_to, seq,
};
use super::given::{
    acknowledged, batch, bootstrapped, failure, history, loaded, loaded_thread, mutations, newest, outbox, pulled,
    pulled_messages, read, refused, sent, seqs, stored, texts, thread, unread,
};
use crate::{BootstrapReason, MissingRange, StorageErrorKind, Store, Window};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Changes, Conversation, ConversationId, Intent, MarkRead, RefusalCode,
    Version,
};
use std::collections::HashSet;

fn access(access: Access, version: u64) -> Changes {
    let change = AccessChange { conversation_id: conversation_id(1), access, version: Version::new(version) };
    Changes { access: vec![change], ..Changes::default() }
}

fn revoked(version: u64) -> Changes {
    access(Access::Revoke, version)
}

fn granted(version: u64, rows: Changes) -> Changes {
    Changes { access: access(Access::Grant, version).access, ..rows }
}

fn whole() -> Changes {
    thread(direct(1, 3), messages(conversation_id(1), 1..=3, &ada()))
}

async fn three(store: &dyn Store) -> ConversationId {
    loaded(store, whole()).await;
    conversation_id(1)
}

async fn is_here(store: &dyn Store, conversation: ConversationId) -> bool {
    store.conversation(conversation).await.unwrap().is_some()
}

/// `Replica::apply_pull`: a revocation removes the conversation, its messages and markers.
pub async fn a_revoked_conversation_leaves_the_device(store: &dyn Store) {
    let id = three(store).await;
    pulled(store, Changes { read_markers: vec![read_to(id, &iris(), 3)], ..Changes::default() }).await;

    let report = pulled(store, revoked(1)).await;

    assert_eq!((report.applied, report.purged), (1, vec![id]));
    assert!(!is_here(store, id).await);
    assert_eq!(store.message(message_id(id, 1)).await.unwrap(), None);
    let error = store.messages(id, Window::newest(10)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
    assert!(store.conversations(10).await.unwrap().is_empty());
    assert_eq!(store.total_unread().await.unwrap(), 0);

    pulled(store, granted(2, whole())).await;
    assert_eq!(super::given::unread(store, id).await, 3, "the marker had gone with the rest");
}

/// The queued mutations of the lane become dead letters, and the author still sees their messages.
pub async fn unsent_messages_of_a_revoked_conversation_become_dead_letters(store: &dyn Store) {
    let id = three(store).await;
    pulled(store, Changes { conversations: vec![broadcast(2, 0)], ..Changes::default() }).await;
    sent(store, 1, id).await;
    read(store, 2, id).await;
    sent(store, 3, conversation_id(2)).await;

    pulled(store, revoked(1)).await;

    let entries = outbox(store).await;
    assert_eq!(entries.iter().map(failure).collect::<Vec<_>>(), [Some(&RefusalCode::AccessLost), None]);
    assert_eq!((entries[0].content.as_deref(), entries[0].conversation_id), (Some("own 1"), id));
    assert_eq!(batch(store).await, mutations([3]), "other lanes go on");
    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!(shown.failure.map(|refusal| refusal.code), Some(RefusalCode::AccessLost));
    assert_eq!(shown.content.as_deref(), Some("own 1"));
}

/// The server has the message and only the response was missing, so it is no dead letter.
pub async fn an_echoed_message_of_a_revoked_conversation_leaves_the_outbox(store: &dyn Store) {
    let id = three(store).await;
    sent(store, 1, id).await;
    pulled_messages(store, vec![echo(1, id, 4)]).await;

    pulled(store, revoked(1)).await;

    assert!(outbox(store).await.is_empty());
    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);
}

/// A revocation does not overwrite the reason of an earlier dead letter.
pub async fn an_earlier_dead_letter_keeps_its_reason(store: &dyn Store) {
    let id = three(store).await;
    sent(store, 1, id).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    pulled(store, revoked(1)).await;
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::Forbidden));
}

/// Access was lost during the push, after the server had stored the message.
pub async fn an_answer_after_the_revocation_settles_the_dead_letter(store: &dyn Store) {
    let id = three(store).await;
    sent(store, 1, id).await;
    pulled(store, revoked(1)).await;

    assert_eq!(stored(store, 1, ack(1, id, 4)).await.acknowledged, 1);

    assert!(outbox(store).await.is_empty());
    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None, "the message has left the device");
    assert!(!is_here(store, id).await);
}

/// The store remembers the revocation: late responses do not bring the conversation back.
pub async fn late_rows_of_a_revoked_conversation_are_ignored(store: &dyn Store) {
    let id = three(store).await;
    pulled(store, revoked(3)).await;

    let late = Conversation { version: Version::new(50), ..direct(1, 3) };
    let read_markers = vec![read_to(id, &iris(), 1)];
    let report = pulled(store, Changes { read_markers, ..thread(late, messages(id, 1..=3, &ada())) }).await;
    super::given::history(store, id, 1, 3, messages(id, 1..=3, &ada())).await;

    assert_eq!((report.applied, report.unreadable, report.new_messages), (0, 0, 0));
    assert!(!is_here(store, id).await);
    assert_eq!(store.sync_state().await.unwrap().unreadable_rows, 0, "nothing of it is kept aside either");
    assert_eq!(pulled(store, revoked(3)).await.stale, 1);
    assert_eq!(pulled(store, granted(2, whole())).await.applied, 0, "an older grant says nothing");
    assert!(!is_here(store, id).await);
}

/// A newer grant brings the conversation back; its row is in the same page.
pub async fn a_newer_grant_brings_the_conversation_back(store: &dyn Store) {
    let id = three(store).await;
    pulled(store, revoked(3)).await;

    let report = pulled(store, granted(4, whole())).await;

    assert_eq!(report.unreadable, 0);
    assert_eq!(seqs(&newest(store, id, 10).await), [1, 2, 3]);
}

/// A pull brings only the messages of a granted conversation that have changed since the cursor. The others are fetched
/// as history.
pub async fn a_granted_conversation_is_missing_its_older_messages(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let id = conversation_id(1);
    pulled(store, granted(1, thread(direct(1, 4), vec![message(id, 1, &ada()), message(id, 3, &ada())]))).await;
    let missing = store.missing_ranges(10).await.unwrap();
    assert_eq!(missing, vec![MissingRange { conversation_id: id, before: None, newest: super::build::seq(4) }]);

    history(store, id, 3, 4, messages(id, 3..=4, &ada())).await;
    assert_eq!(seqs(&newest(store, id, 10).await), vec![3, 4]);
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
}

/// A grant without messages: they are fetched as history.
pub async fn a_granted_conversation_is_missing_its_messages(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let rows = Changes { conversations: vec![direct(1, 40)], ..Changes::default() };
    pulled(store, granted(1, rows)).await;
    let missing = store.missing_ranges(10).await.unwrap();
    assert_eq!(
        missing,
        [crate::MissingRange { conversation_id: conversation_id(1), before: None, newest: super::build::seq(40) }]
    );
}

/// A read mark that was refused without access is queued again after a grant, unless another device has read as far.
pub async fn a_read_mark_is_queued_again_when_access_returns(store: &dyn Store) {
    let one = loaded_thread(store, direct(1, 3), messages(conversation_id(1), 1..=3, &ada())).await;
    let back = |read, version| {
        let grant = AccessChange { conversation_id: one, access: Access::Grant, version: Version::new(version) };
        let read_markers = vec![read_to(one, &iris(), read)];
        Changes { access: vec![grant], conversations: vec![direct(1, 3)], read_markers, ..Changes::default() }
    };
    read(store, 1, one).await;
    refused(store, 1, RefusalCode::NotFound).await;
    assert!(outbox(store).await.is_empty());

    assert_eq!(pulled(store, back(3, 1)).await.marked_again, 0, "another device has read as far");
    assert_eq!(pulled(store, back(2, 2)).await.marked_again, 1);
    let queued = store.next_batch(super::build::wide(), &HashSet::new()).await.unwrap();
    assert_eq!(queued[0].intent, Intent::MarkRead(MarkRead { conversation_id: one, read_seq: seq(3) }));
    assert_eq!(pulled(store, back(2, 3)).await.marked_again, 0, "one waits");
}

/// The same when a bootstrap makes the conversation visible again.
pub async fn a_read_mark_is_queued_again_after_a_bootstrap(store: &dyn Store) {
    let rows = || messages(conversation_id(1), 1..=3, &ada());
    let one = loaded_thread(store, direct(1, 3), rows()).await;
    read(store, 1, one).await;
    refused(store, 1, RefusalCode::NotFound).await;
    let report = bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 3), rows())).await;
    assert_eq!((report.marked_again, outbox(store).await.len(), unread(store, one).await), (1, 1, 0));
}

/// Messages that could not be sent appear again together with their conversation.
pub async fn dead_letters_return_to_their_thread_after_a_grant(store: &dyn Store) {
    let id = three(store).await;
    sent(store, 1, id).await;
    pulled(store, revoked(1)).await;
    pulled(store, granted(2, whole())).await;
    assert_eq!(texts(store, id).await, ["message 1", "message 2", "message 3", "own 1"]);
    assert!(batch(store).await.is_empty(), "only a person decides to send it again");
}

/// One page contains both the grant and the later revocation.
pub async fn a_revocation_wins_over_an_older_grant_of_the_same_page(store: &dyn Store) {
    let id = three(store).await;
    let mut changes = granted(5, whole());
    changes.access.extend(revoked(6).access);
    let report = pulled(store, changes).await;
    assert_eq!(report.purged, [id]);
    assert!(!is_here(store, id).await);
}

/// A revocation of a conversation that is not stored is remembered too.
pub async fn a_revocation_of_an_unknown_conversation_is_remembered(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let report = pulled(store, revoked(1)).await;
    assert_eq!((report.applied, report.purged.len()), (1, 0));
    pulled(store, whole()).await;
    assert!(!is_here(store, conversation_id(1)).await);
}

/// A conversation that was opened offline turns out to be a revoked one.
pub async fn an_open_that_leads_to_a_revoked_conversation_leaves_dead_letters(store: &dyn Store) {
    three(store).await;
    pulled(store, revoked(1)).await;
    store.open_direct(mutation_id(1), new_direct(9)).await.unwrap();
    sent(store, 2, conversation_id(9)).await;

    acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(1, 3)))).await;

    assert!(store.conversations(10).await.unwrap().is_empty());
    assert_eq!(outbox(store).await.iter().map(failure).collect::<Vec<_>>(), [Some(&RefusalCode::AccessLost)]);
}

/// The tombstone of a conversation removes everything of it.
pub async fn a_deleted_conversation_leaves_and_does_not_come_back(store: &dyn Store) {
    let id = three(store).await;
    sent(store, 1, id).await;
    read(store, 2, id).await;
    let tombstones = vec![conversation_tombstone(id, 9)];

    let report = pulled(store, Changes { tombstones, ..Changes::default() }).await;

    assert_eq!((report.applied, report.purged), (1, vec![id]));
    assert!(!is_here(store, id).await);
    assert_eq!(store.message(message_id(id, 1)).await.unwrap(), None);
    let entries = outbox(store).await;
    assert_eq!(entries.iter().map(failure).collect::<Vec<_>>(), [Some(&RefusalCode::ConversationDeleted)]);
    assert_eq!(store.message(own_message_id(1)).await.unwrap().unwrap().content.as_deref(), Some("own 1"));

    let late = Conversation { version: Version::new(8), ..direct(1, 3) };
    let report = pulled(store, thread(late, messages(id, 1..=3, &ada()))).await;
    assert_eq!((report.applied, report.unreadable), (0, 0));
    assert!(!is_here(store, id).await);
}

/// A tombstone that is older than the conversation's row changes nothing.
pub async fn an_older_tombstone_of_a_conversation_is_ignored(store: &dyn Store) {
    let row = Conversation { version: Version::new(9), ..direct(1, 1) };
    let id = loaded_thread(store, row, vec![message(conversation_id(1), 1, &ada())]).await;
    let tombstones = vec![conversation_tombstone(id, 8)];
    let report = pulled(store, Changes { tombstones, ..Changes::default() }).await;
    assert_eq!((report.stale, report.purged.len()), (1, 0));
    assert!(is_here(store, id).await);
}

/// Rows of other conversations stay.
pub async fn a_revocation_touches_no_other_conversation(store: &dyn Store) {
    three(store).await;
    let other = conversation_id(2);
    let conversations = vec![broadcast(2, 2)];
    pulled(store, Changes { conversations, messages: messages(other, 1..=2, &ada()), ..Changes::default() }).await;
    pulled(store, revoked(1)).await;
    assert_eq!(seqs(&newest(store, other, 10).await), [1, 2]);
    assert_eq!(store.total_unread().await.unwrap(), 2);
}
