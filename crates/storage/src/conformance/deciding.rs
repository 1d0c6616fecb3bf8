//! What a person decides about what waits: send it again, send something else, take it back; and what is on its way.

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

/// One thread with one message of Ada's, in which Iris has written so many.
async fn waiting(store: &dyn Store, count: u64) -> ConversationId {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    for n in 1..=count {
        sent(store, n, id).await;
    }
    id
}

/// Messages 2 and 3 in a conversation that was opened offline with mutation 1, which the server refused.
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

/// `next_batch`: what left for the server says so until there is an answer.
pub async fn what_left_for_the_server_is_sending(store: &dyn Store) {
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

/// `settle`: "not now" is an answer.
pub async fn not_now_ends_an_attempt(store: &dyn Store) {
    waiting(store, 1).await;
    batch(store).await;
    answered(store, 1, PushOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!(states(store).await, [EntryState::Queued { retries: 1, last_retry: Some(RetryCode::Busy) }]);
}

/// `withdraw`: an attempt that never arrived leaves nothing behind.
pub async fn what_never_arrived_is_queued_as_before(store: &dyn Store) {
    waiting(store, 2).await;
    let left = batch(store).await;
    store.withdraw(&left[..1]).await.unwrap();
    assert_eq!(states(store).await, [QUEUED, EntryState::Sending]);
    store.withdraw(&[mutation_id(99)]).await.unwrap();
}

/// A lost answer is not found again by a later attempt that never arrived, nor by one that was put off: the server may be
/// about to carry out the first.
pub async fn a_lost_answer_stays_lost_until_the_server_has_decided(store: &dyn Store) {
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

/// `edit`: a queued message keeps its place, in the outbox and in its thread.
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

/// `edit`: the newest message of a conversation is the edited one, and a batch is filled by its new size.
pub async fn an_edit_shows_everywhere(store: &dyn Store) {
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

/// `edit`, `cancel`: refused while nobody knows whether the server has it.
pub async fn nothing_is_decided_while_the_outcome_is_unknown(store: &dyn Store) {
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

/// `retry` of what waits already: nothing happens.
pub async fn retrying_what_is_queued_changes_nothing(store: &dyn Store) {
    waiting(store, 2).await;
    assert_eq!(store.retry(mutation_id(1), at(900)).await.unwrap().state, QUEUED);
    assert_eq!(ids(&outbox(store).await), mutations([1, 2]));
    batch(store).await;
    assert_eq!(store.retry(mutation_id(1), at(900)).await.unwrap().state, EntryState::Sending);
}

/// `retry` of a dead letter: order is judged from the end of the outbox.
pub async fn a_dead_letter_is_sent_again_from_the_end(store: &dyn Store) {
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

/// `edit` of a dead letter: it is sent again, with the new text.
pub async fn an_edited_dead_letter_is_sent_again(store: &dyn Store) {
    let id = waiting(store, 2).await;
    refused(store, 1, RefusalCode::ContentTooLong).await;

    store.edit(mutation_id(1), text("shorter"), at(900)).await.unwrap();

    assert_eq!(batch(store).await, mutations([2, 1]));
    assert_eq!(texts(store, id).await, ["message 1", "own 2", "shorter"]);
}

/// An answer was lost, then the person lost sight of the conversation: that nothing more may be sent there does not say that
/// nothing arrived. Under the same id another text would be taken for the one that did.
pub async fn a_refusal_said_unseen_leaves_open_whether_an_earlier_attempt_arrived(store: &dyn Store) {
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

/// Whichever page brings the message: by a pull, a first load or a look back.
pub async fn what_has_arrived_is_no_dead_letter_any_more(store: &dyn Store) {
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
    assert_eq!(ids(&outbox(store).await), mutations([3, 4]), "somebody else's under that id is not it");
}

/// Ada's, under the id that Iris' message has here.
fn message_of_another(id: ConversationId, n: u64) -> fieldpost_domain::Message {
    fieldpost_domain::Message { sender_id: ada().id, ..echo(n, id, 1 + n) }
}

/// `retry` of a refused open, or of anything that parked with it: all of it goes, the open first.
pub async fn a_refused_open_is_tried_again_with_all_that_waits_in_it(store: &dyn Store) {
    let id = open_refused(store).await;
    let entry = store.retry(mutation_id(3), at(900)).await.unwrap();
    assert_eq!((entry.mutation_id, entry.state), (mutation_id(3), QUEUED));
    assert_eq!(batch(store).await, mutations([1, 2, 3]));
    assert_eq!(texts(store, id).await, ["own 2", "own 3"]);
    assert!(send(store, 4, super::build::composed(4, id)).await.failure.is_none(), "the open may yet succeed");
}

/// `retry` of a refused open: what was refused elsewhere is another matter.
pub async fn trying_one_conversation_again_leaves_other_dead_letters_alone(store: &dyn Store) {
    open_refused(store).await;
    pulled(store, Changes { conversations: vec![other_direct(5, 0)], ..Changes::default() }).await;
    sent(store, 4, conversation_id(5)).await;
    refused(store, 4, RefusalCode::ContentTooLong).await;

    store.retry(mutation_id(1), at(20)).await.unwrap();

    assert_eq!(batch(store).await, mutations([1, 2, 3]));
    let elsewhere = store.entry_of(own_message_id(4)).await.unwrap().unwrap();
    assert_eq!(failure(&elsewhere), Some(&RefusalCode::ContentTooLong));
}

/// `retry`: the place at the end is for good, even when the message comes back from the server and is lost there again.
pub async fn what_is_tried_again_and_then_lost_by_the_server_keeps_its_new_place(store: &dyn Store) {
    let id = waiting(store, 2).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    store.retry(mutation_id(1), at(20)).await.unwrap();
    pulled_messages(store, vec![echo(1, id, 2)]).await;
    assert_eq!(texts(store, id).await, ["message 1", "own 1", "own 2"]);

    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 1), messages(id, 1..=1, &ada()))).await;

    assert_eq!(texts(store, id).await, ["message 1", "own 2", "own 1"]);
    assert_eq!(batch(store).await, mutations([2, 1]));
}

/// `retry` of what the server lost: it is sent under its old id.
pub async fn what_the_server_lost_is_sent_again_under_its_id(store: &dyn Store) {
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

/// `retry`, `edit`: not where the conversation has left the device; the dead letter stays, and can be taken back.
pub async fn what_has_no_conversation_can_only_be_taken_back(store: &dyn Store) {
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

/// `edit`: only messages have a text.
pub async fn only_a_message_can_be_edited(store: &dyn Store) {
    open_refused(store).await;
    let error = store.edit(mutation_id(1), text("x"), at(900)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::NoMessage));
}

/// `cancel`: the message leaves with its mutation, and what follows goes on.
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

/// `cancel` of what the server has nevertheless: its row stays.
pub async fn cancelling_never_takes_what_the_server_has(store: &dyn Store) {
    let id = waiting(store, 1).await;
    pulled_messages(store, vec![echo(1, id, 2)]).await;
    store.cancel(mutation_id(1)).await.unwrap();
    assert_eq!(texts(store, id).await, ["message 1", "own 1"]);
    assert!(outbox(store).await.is_empty());
}

/// `cancel` of an open: the conversation goes, with all that waits in it.
pub async fn a_cancelled_open_takes_its_conversation_along(store: &dyn Store) {
    let id = open_refused(store).await;
    let left = store.cancel(mutation_id(1)).await.unwrap();
    assert_eq!(ids(&left), mutations([1, 2, 3]));
    assert_eq!(store.conversation(id).await.unwrap(), None);
    assert_eq!(store.message(own_message_id(2)).await.unwrap(), None);
    assert!(outbox(store).await.is_empty());
}

/// `cancel` of one message of a refused conversation: that one alone.
pub async fn one_message_of_a_refused_conversation_can_be_taken_back(store: &dyn Store) {
    let id = open_refused(store).await;
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(texts(store, id).await, ["own 3"]);
    assert_eq!(ids(&outbox(store).await), mutations([1, 3]));
}

/// `cancel` of an open that is on its way, or of one with a message on its way: not yet.
pub async fn an_open_on_its_way_cannot_be_cancelled(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let id = store.open_direct(mutation_id(1), new_direct(1)).await.unwrap().id;
    sent(store, 2, id).await;
    batch(store).await;
    store.withdraw(&mutations([1])).await.unwrap();

    let error = store.cancel(mutation_id(1)).await.unwrap_err();

    assert_eq!(error.kind(), StorageErrorKind::OutcomeUnknown);
    assert_eq!(texts(store, id).await, ["own 2"]);
}

/// Without the mark the person's other devices would go on showing as unread what this one shows as read.
pub async fn what_was_read_stays_read(store: &dyn Store) {
    let id = waiting(store, 0).await;
    read(store, 1, id).await;
    let error = store.cancel(mutation_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::AlreadyRead));
    assert_eq!(batch(store).await, mutations([1]));
}

/// All of them: what is not in the outbox cannot be decided about.
pub async fn what_is_not_waiting_is_not_found(store: &dyn Store) {
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

/// `entry_of`: by the message that it sends.
pub async fn an_entry_is_found_by_its_message(store: &dyn Store) {
    let id = waiting(store, 2).await;
    read(store, 7, id).await;
    let entry = store.entry_of(own_message_id(2)).await.unwrap().unwrap();
    assert_eq!((entry.mutation_id, entry.message_id), (mutation_id(2), Some(own_message_id(2))));
    assert_eq!(store.entry_of(message_id(id, 1)).await.unwrap(), None);
}
