//! A person's decisions about mutations in the outbox (retry, edit, cancel), and mutations in flight.

use super::build::{
    ack, ada, at, conversation_id, direct, echo, iris, message_id, messages, mutation_id, new_direct, other_direct,
    own_message_id, wide,
};
use super::given::{
    answered, batch, bootstrapped, failure, loaded, loaded_thread, mutations, newest, outbox, pulled, pulled_messages,
    read, refused, send, sent, stored, summary, texts, thread,
};
use crate::{BootstrapReason, EntryState, NotPossible, OutboxEntry, StorageErrorKind, Store};
use fieldpost_domain::{
    Access, AccessChange, Changes, ConversationId, MessageContent, MutationId, PushOutcome, RefusalCode, RetryCode,
    Version,
};
use std::collections::HashSet;

/// One thread with one message of Ada, in which Iris has written `count` messages.
async fn waiting(store: &dyn Store, count: u64) -> ConversationId {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    for n in 1..=count {
        sent(store, n, id).await;
    }
    id
}

/// Messages 2 and 3 in a conversation that was opened offline with mutation 1, and whose open the server refused.
async fn open_refused(store: &dyn Store) -> ConversationId {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let id = store.open_direct(mutation_id(1), new_direct(1)).await.unwrap().id;
    sent(store, 2, id).await;
    sent(store, 3, id).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    id
}

fn text(text: &str) -> MessageContent {
    MessageContent::new(text).unwrap()
}

fn ids(entries: &[OutboxEntry]) -> Vec<MutationId> {
    entries.iter().map(|entry| entry.mutation_id).collect()
}

async fn states(store: &dyn Store) -> Vec<EntryState> {
    outbox(store).await.into_iter().map(|entry| entry.state).collect()
}

async fn sending(store: &dyn Store, n: u64) -> bool {
    store.message(own_message_id(n)).await.unwrap().unwrap().sending
}

const QUEUED: EntryState = EntryState::Queued { retries: 0, last_retry: None };

/// `next_batch`: a mutation is `Sending` until its result comes.
pub async fn a_mutation_in_a_batch_is_sending(store: &dyn Store) {
    let id = waiting(store, 2).await;
    assert!(!sending(store, 1).await);

    batch(store).await;

    assert_eq!(states(store).await, [EntryState::Sending, EntryState::Sending]);
    assert!(sending(store, 1).await && sending(store, 2).await);
    assert_eq!(store.counts().await.unwrap().pending, 2);
    stored(store, 1, ack(1, id, 2)).await;
    refused(store, 2, RefusalCode::Forbidden).await;
    assert!(!sending(store, 1).await && !sending(store, 2).await);
}

/// `settle`: "retry" ends the attempt.
pub async fn a_retry_result_ends_an_attempt(store: &dyn Store) {
    waiting(store, 1).await;
    batch(store).await;
    answered(store, 1, PushOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!(states(store).await, [EntryState::Queued { retries: 1, last_retry: Some(RetryCode::Busy) }]);
}

/// `withdraw`: the attempt leaves no trace.
pub async fn a_withdrawn_mutation_is_queued_again(store: &dyn Store) {
    waiting(store, 2).await;
    let left = batch(store).await;
    store.withdraw(&left[..1]).await.unwrap();
    assert_eq!(states(store).await, [QUEUED, EntryState::Sending]);
    store.withdraw(&[mutation_id(99)]).await.unwrap();
}

/// A later attempt that was withdrawn or answered "retry" does not settle an attempt with a lost response: the server
/// may still apply that one.
pub async fn a_lost_response_keeps_the_mutation_in_flight_until_a_result(store: &dyn Store) {
    let id = waiting(store, 1).await;
    let lost = batch(store).await;
    assert_eq!(batch(store).await, lost);
    store.withdraw(&lost).await.unwrap();
    assert_eq!(states(store).await, [EntryState::Sending]);

    batch(store).await;
    answered(store, 1, PushOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!(states(store).await, [EntryState::Sending]);

    stored(store, 1, ack(1, id, 2)).await;
    assert!(outbox(store).await.is_empty());
}

/// `edit`: a queued message keeps its place in the outbox and in its thread.
pub async fn an_edited_message_keeps_its_place(store: &dyn Store) {
    let id = waiting(store, 2).await;

    let entry = store.edit(mutation_id(1), text("better"), at(900)).await.unwrap();

    assert_eq!((entry.content.as_deref(), entry.state), (Some("better"), QUEUED));
    assert_eq!(texts(store, id).await, ["message 1", "better", "own 2"]);
    let next = store.next_batch(wide(), &HashSet::new()).await.unwrap();
    assert_eq!(next[0].intent.wire_size(), 512 + "\"better\"".len());
    let fieldpost_domain::Intent::SendMessage(message) = &next[0].intent else { panic!("no message") };
    assert_eq!((message.content.as_str(), message.composed_at), ("better", at(501)));
    assert_eq!(ids(&outbox(store).await), mutations([1, 2]));
}

/// `edit`: the list shows the new text, and batches count its new size.
pub async fn an_edit_of_a_queued_message_shows_everywhere(store: &dyn Store) {
    let id = waiting(store, 1).await;
    let long = "x".repeat(3000);
    store.edit(mutation_id(1), text(&long), at(900)).await.unwrap();
    sent(store, 2, id).await;
    let limits = crate::BatchLimits { rows: 10, bytes: 3600 };
    assert_eq!(store.next_batch(limits, &HashSet::new()).await.unwrap().len(), 1);
    store.withdraw(&mutations([1])).await.unwrap();
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(summary(store, id).await.last_message_preview.map(|preview| preview.starts_with("xxx")), Some(true));
}

/// `edit`, `cancel`: refused while the server may have the mutation.
pub async fn edit_and_cancel_fail_while_the_outcome_is_unknown(store: &dyn Store) {
    let id = waiting(store, 1).await;
    batch(store).await;

    let edited = store.edit(mutation_id(1), text("too late"), at(900)).await.unwrap_err();
    let cancelled = store.cancel(mutation_id(1)).await.unwrap_err();

    assert_eq!(edited.kind(), StorageErrorKind::OutcomeUnknown);
    assert_eq!(cancelled.kind(), StorageErrorKind::OutcomeUnknown);
    assert_eq!(texts(store, id).await, ["message 1", "own 1"]);
    store.withdraw(&mutations([1])).await.unwrap();
    store.edit(mutation_id(1), text("in time"), at(900)).await.unwrap();
    assert_eq!(texts(store, id).await, ["message 1", "in time"]);
}

/// `retry` of a queued mutation: nothing changes.
pub async fn retry_of_a_queued_mutation_changes_nothing(store: &dyn Store) {
    waiting(store, 2).await;
    assert_eq!(store.retry(mutation_id(1), at(900)).await.unwrap().state, QUEUED);
    assert_eq!(ids(&outbox(store).await), mutations([1, 2]));
    batch(store).await;
    assert_eq!(store.retry(mutation_id(1), at(900)).await.unwrap().state, EntryState::Sending);
}

/// `retry` of a dead letter: it moves to the end of the outbox.
pub async fn a_retried_dead_letter_goes_to_the_end(store: &dyn Store) {
    let id = waiting(store, 3).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    answered(store, 2, PushOutcome::Retry(RetryCode::Busy)).await;

    let entry = store.retry(mutation_id(1), at(900)).await.unwrap();

    assert_eq!((entry.mutation_id, entry.state, entry.message_id), (mutation_id(1), QUEUED, Some(own_message_id(1))));
    assert_eq!(batch(store).await, mutations([2, 3, 1]));
    assert_eq!(texts(store, id).await, ["message 1", "own 2", "own 3", "own 1"]);
    let shown = newest(store, id, 10).await.messages;
    assert_eq!(shown.last().map(|message| (message.id, message.failure.clone())), Some((own_message_id(1), None)));
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own 1"));
    assert_eq!(store.counts().await.unwrap().failed, 0);
}

/// `edit` of a dead letter: it is sent again with the new text.
pub async fn an_edited_dead_letter_is_sent_again(store: &dyn Store) {
    let id = waiting(store, 2).await;
    refused(store, 1, RefusalCode::ContentTooLong).await;

    store.edit(mutation_id(1), text("shorter"), at(900)).await.unwrap();

    assert_eq!(batch(store).await, mutations([2, 1]));
    assert_eq!(texts(store, id).await, ["message 1", "own 2", "shorter"]);
}

/// A response was lost, and then the person lost access. The refusal of the second attempt does not say whether the
/// first one arrived. If it did, the server would take a new text with this id for the old one.
pub async fn a_refusal_said_unseen_keeps_an_earlier_outcome_unknown(store: &dyn Store) {
    for (n, code) in [(1, RefusalCode::Forbidden), (2, RefusalCode::NotFound), (3, RefusalCode::IdTaken)] {
        let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
        sent(store, n, id).await;
        batch(store).await;
        batch(store).await;
        refused(store, n, code.clone()).await;

        let edited = store.edit(mutation_id(n), text("better"), at(900)).await.map_err(|error| error.kind());

        let expected = if code.is_said_unseen() { Err(StorageErrorKind::OutcomeUnknown) } else { Ok(QUEUED) };
        assert_eq!(edited.map(|entry| entry.state), expected, "{code}");
        assert_eq!(failure(&outbox(store).await[0]).is_some(), code.is_said_unseen(), "it is a dead letter");
        if code.is_said_unseen() {
            assert_eq!(store.retry(mutation_id(n), at(901)).await.unwrap().state, EntryState::Sending);
            refused(store, n, code).await;
        }
        store.cancel(mutation_id(n)).await.unwrap();
    }
}

/// The page may be of a pull, a bootstrap or history.
pub async fn a_dead_letter_whose_message_arrives_leaves(store: &dyn Store) {
    let id = waiting(store, 4).await;
    for n in 1..=4 {
        refused(store, n, RefusalCode::ContentTooLong).await;
    }
    let echoed = |n| echo(n, id, 1 + n);
    pulled_messages(store, vec![echoed(1)]).await;
    assert_eq!(ids(&outbox(store).await), mutations([2, 3, 4]));
    assert_eq!(store.counts().await.unwrap().failed, 3);
    let rows = vec![echoed(1), echoed(2)];
    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 3), rows)).await;
    assert_eq!(ids(&outbox(store).await), mutations([3, 4]));
    pulled_messages(store, vec![message_of_another(id, 3)]).await;
    assert_eq!(ids(&outbox(store).await), mutations([3, 4]), "another person's message with that id does not count");
}

/// A message of Ada, with the id of Iris' message.
fn message_of_another(id: ConversationId, n: u64) -> fieldpost_domain::Message {
    fieldpost_domain::Message { sender_id: ada().id, ..echo(n, id, 1 + n) }
}

/// `retry` of a refused open, or of a mutation in its lane: the whole lane is queued again, the open first.
pub async fn retry_of_a_refused_open_queues_its_whole_lane(store: &dyn Store) {
    let id = open_refused(store).await;
    let entry = store.retry(mutation_id(3), at(900)).await.unwrap();
    assert_eq!((entry.mutation_id, entry.state), (mutation_id(3), QUEUED));
    assert_eq!(batch(store).await, mutations([1, 2, 3]));
    assert_eq!(texts(store, id).await, ["own 2", "own 3"]);
    assert!(send(store, 4, super::build::composed(4, id)).await.failure.is_none(), "the open may yet succeed");
}

/// `retry` of a refused open: dead letters of other conversations stay.
pub async fn retry_of_a_refused_open_leaves_other_dead_letters(store: &dyn Store) {
    open_refused(store).await;
    pulled(store, Changes { conversations: vec![other_direct(5, 0)], ..Changes::default() }).await;
    sent(store, 4, conversation_id(5)).await;
    refused(store, 4, RefusalCode::ContentTooLong).await;

    store.retry(mutation_id(1), at(20)).await.unwrap();

    assert_eq!(batch(store).await, mutations([1, 2, 3]));
    let elsewhere = store.entry_of(own_message_id(4)).await.unwrap().unwrap();
    assert_eq!(failure(&elsewhere), Some(&RefusalCode::ContentTooLong));
}

/// `retry`: the message keeps its place at the end, even if the server stores it and then loses it.
pub async fn a_retried_message_lost_by_the_server_keeps_its_new_place(store: &dyn Store) {
    let id = waiting(store, 2).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    store.retry(mutation_id(1), at(20)).await.unwrap();
    pulled_messages(store, vec![echo(1, id, 2)]).await;
    assert_eq!(texts(store, id).await, ["message 1", "own 1", "own 2"]);

    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 1), messages(id, 1..=1, &ada()))).await;

    assert_eq!(texts(store, id).await, ["message 1", "own 2", "own 1"]);
    assert_eq!(batch(store).await, mutations([2, 1]));
}

/// `retry` of a message that the server lost: it keeps its id.
pub async fn retry_of_a_lost_message_keeps_its_id(store: &dyn Store) {
    let one = waiting(store, 1).await;
    stored(store, 1, ack(1, one, 2)).await;
    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 1), messages(one, 1..=1, &ada()))).await;
    let lost = store.entry_of(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!(failure(&lost), Some(&RefusalCode::LostByServer));

    store.retry(lost.mutation_id, at(900)).await.unwrap();

    let next = store.next_batch(wide(), &HashSet::new()).await.unwrap();
    let fieldpost_domain::Intent::SendMessage(message) = &next[0].intent else { panic!("no message") };
    assert_eq!((next.len(), message.id, message.content.as_str()), (1, own_message_id(1), "own 1"));
}

/// `retry`, `edit`: not possible when the conversation has left the device. The dead letter stays and can be cancelled.
pub async fn a_dead_letter_without_its_conversation_can_only_be_cancelled(store: &dyn Store) {
    let id = waiting(store, 1).await;
    let revoked = AccessChange { conversation_id: id, access: Access::Revoke, version: Version::new(9) };
    pulled(store, Changes { access: vec![revoked], ..Changes::default() }).await;

    let error = store.retry(mutation_id(1), at(900)).await.unwrap_err();

    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::ConversationGone));
    assert_eq!(
        store.edit(mutation_id(1), text("x"), at(900)).await.unwrap_err().kind(),
        StorageErrorKind::NotApplicable(NotPossible::ConversationGone)
    );
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::AccessLost));
    let left = store.cancel(mutation_id(1)).await.unwrap();
    assert_eq!(left[0].content.as_deref(), Some("own 1"));
    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);
}

/// `edit`: only messages have text.
pub async fn only_a_message_can_be_edited(store: &dyn Store) {
    open_refused(store).await;
    let error = store.edit(mutation_id(1), text("x"), at(900)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::NoMessage));
}

/// `cancel`: the message leaves with its mutation, and later mutations are sent.
pub async fn a_cancelled_message_leaves(store: &dyn Store) {
    let id = waiting(store, 3).await;
    refused(store, 3, RefusalCode::Forbidden).await;

    let left = store.cancel(mutation_id(1)).await.unwrap();
    store.cancel(mutation_id(3)).await.unwrap();

    assert_eq!(left.iter().map(|entry| entry.content.as_deref()).collect::<Vec<_>>(), [Some("own 1")]);
    assert_eq!(texts(store, id).await, ["message 1", "own 2"]);
    assert_eq!(batch(store).await, mutations([2]));
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own 2"));
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (1, 0));
}

/// `cancel` of a message that the server has: its row stays.
pub async fn cancel_keeps_a_message_that_the_server_has(store: &dyn Store) {
    let id = waiting(store, 1).await;
    pulled_messages(store, vec![echo(1, id, 2)]).await;
    store.cancel(mutation_id(1)).await.unwrap();
    assert_eq!(texts(store, id).await, ["message 1", "own 1"]);
    assert!(outbox(store).await.is_empty());
}

/// `cancel` of an open: the conversation and its mutations leave.
pub async fn cancel_of_an_open_removes_its_conversation(store: &dyn Store) {
    let id = open_refused(store).await;
    let left = store.cancel(mutation_id(1)).await.unwrap();
    assert_eq!(ids(&left), mutations([1, 2, 3]));
    assert_eq!(store.conversation(id).await.unwrap(), None);
    assert_eq!(store.message(own_message_id(2)).await.unwrap(), None);
    assert!(outbox(store).await.is_empty());
}

/// `cancel` of one message in a refused conversation: only that message leaves.
pub async fn one_message_of_a_refused_conversation_can_be_cancelled(store: &dyn Store) {
    let id = open_refused(store).await;
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(texts(store, id).await, ["own 3"]);
    assert_eq!(ids(&outbox(store).await), mutations([1, 3]));
}

/// `cancel` of an open in flight, or with a message in flight: not possible yet.
pub async fn an_open_in_flight_cannot_be_cancelled(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let id = store.open_direct(mutation_id(1), new_direct(1)).await.unwrap().id;
    sent(store, 2, id).await;
    batch(store).await;
    store.withdraw(&mutations([1])).await.unwrap();

    let error = store.cancel(mutation_id(1)).await.unwrap_err();

    assert_eq!(error.kind(), StorageErrorKind::OutcomeUnknown);
    assert_eq!(texts(store, id).await, ["own 2"]);
}

/// Without the mark, the person's other devices would still show as unread what was read here.
pub async fn a_read_mark_cannot_be_cancelled(store: &dyn Store) {
    let id = waiting(store, 0).await;
    read(store, 1, id).await;
    let error = store.cancel(mutation_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::AlreadyRead));
    assert_eq!(batch(store).await, mutations([1]));
}

/// Every decision: a mutation that is not in the outbox is not found.
pub async fn a_mutation_outside_the_outbox_is_not_found(store: &dyn Store) {
    let id = waiting(store, 1).await;
    stored(store, 1, ack(1, id, 2)).await;
    for error in [
        store.retry(mutation_id(1), at(900)).await.unwrap_err(),
        store.edit(mutation_id(1), text("x"), at(900)).await.unwrap_err(),
        store.cancel(mutation_id(1)).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StorageErrorKind::NotFound);
    }
    assert_eq!(store.entry_of(own_message_id(1)).await.unwrap(), None);
}

/// `entry_of`: the entry that sends a message.
pub async fn an_entry_is_found_by_its_message(store: &dyn Store) {
    let id = waiting(store, 2).await;
    read(store, 7, id).await;
    let entry = store.entry_of(own_message_id(2)).await.unwrap().unwrap();
    assert_eq!((entry.mutation_id, entry.message_id), (mutation_id(2), Some(own_message_id(2))));
    assert_eq!(store.entry_of(message_id(id, 1)).await.unwrap(), None);
}
