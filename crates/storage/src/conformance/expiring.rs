//! Messages whose ttl has passed. Message number `n` is written at `at(500 + n)`, an open at `at(401)`.

use super::build::{
    ada, at, composed, conversation_id, direct, echo, iris, messages, mutation_id, new_direct, own_message_id,
};
use super::given::{
    answered, batch, loaded, loaded_thread, mutations, outbox, pulled_messages, read, refused, send, sent, texts,
};
use crate::{EntryState, Store};
use fieldpost_domain::{Changes, ConversationId, MessageContent, PushOutcome, RefusalCode, RetryCode};

/// One thread with one message of Ada, in which Iris has written messages 1 to 3.
async fn three_waiting(store: &dyn Store) -> ConversationId {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    for n in 1..=3 {
        sent(store, n, id).await;
    }
    id
}

/// A conversation that was opened offline with mutation 1.
async fn opened(store: &dyn Store) -> ConversationId {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    store.open_direct(mutation_id(1), new_direct(1)).await.unwrap().id
}

/// The reasons of the dead letters in order; none for queued mutations.
async fn reasons(store: &dyn Store) -> Vec<Option<RefusalCode>> {
    let reason = |state| match state {
        EntryState::Failed(refusal) => Some(refusal.code),
        _ => None,
    };
    outbox(store).await.into_iter().map(|entry| reason(entry.state)).collect()
}

const EXPIRED: Option<RefusalCode> = Some(RefusalCode::Expired);

/// `expire`: only messages recorded before the time; the rest of the lane is sent.
pub async fn an_expired_message_becomes_a_dead_letter(store: &dyn Store) {
    let id = three_waiting(store).await;

    assert_eq!(store.expire(at(502)).await.unwrap(), 1, "a message of exactly that time stays");

    assert_eq!(reasons(store).await, [EXPIRED, None, None]);
    assert_eq!(texts(store, id).await, ["message 1", "own 1", "own 2", "own 3"], "the person still sees it");
    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!(shown.failure.map(|refusal| refusal.code), EXPIRED);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (2, 1));
    assert_eq!(batch(store).await, mutations([2, 3]));
}

/// `expire` of a message in flight: it stays until it certainly did not arrive.
pub async fn an_attempted_message_does_not_expire(store: &dyn Store) {
    three_waiting(store).await;
    batch(store).await;
    assert_eq!(store.expire(at(900)).await.unwrap(), 0);
    batch(store).await;
    store.withdraw(&mutations([1, 2, 3])).await.unwrap();
    assert_eq!(store.expire(at(900)).await.unwrap(), 0, "one attempt is still in flight");
    store.withdraw(&mutations([2])).await.unwrap();
    assert_eq!(store.expire(at(900)).await.unwrap(), 1);
    assert_eq!(reasons(store).await, [None, EXPIRED, None]);
}

/// `expire` after "retry": the attempt has ended.
pub async fn a_message_answered_retry_may_expire(store: &dyn Store) {
    three_waiting(store).await;
    answered(store, 1, PushOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!(store.expire(at(502)).await.unwrap(), 1);
    assert_eq!(reasons(store).await, [EXPIRED, None, None]);
}

/// `expire` of a message with a remote echo: nothing is left to send.
pub async fn an_echoed_message_does_not_expire(store: &dyn Store) {
    let id = three_waiting(store).await;
    pulled_messages(store, vec![echo(1, id, 2)]).await;
    assert_eq!(store.expire(at(503)).await.unwrap(), 1);
    assert_eq!(reasons(store).await, [None, EXPIRED, None]);
}

/// `retry` of an expired message: its ttl starts again.
pub async fn a_retried_message_has_its_full_ttl_again(store: &dyn Store) {
    three_waiting(store).await;
    store.expire(at(502)).await.unwrap();

    let entry = store.retry(mutation_id(1), at(900)).await.unwrap();

    assert_eq!((entry.state, entry.recorded_at), (EntryState::Queued { retries: 0, last_retry: None }, at(900)));
    assert_eq!(store.expire(at(900)).await.unwrap(), 2, "the others");
    assert_eq!(batch(store).await, mutations([1]));
    store.withdraw(&mutations([1])).await.unwrap();
    assert_eq!(store.expire(at(901)).await.unwrap(), 1);
}

/// `edit` and `cancel` of an expired message: like any dead letter.
pub async fn an_expired_message_can_be_edited_and_cancelled(store: &dyn Store) {
    let id = three_waiting(store).await;
    store.expire(at(503)).await.unwrap();
    store.edit(mutation_id(1), MessageContent::new("still true").unwrap(), at(900)).await.unwrap();
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(store.expire(at(503)).await.unwrap(), 0);
    assert_eq!(batch(store).await, mutations([3, 1]));
    assert_eq!(texts(store, id).await, ["message 1", "own 3", "still true"]);
}

/// `expire` of a dead letter: its reason stays.
pub async fn a_dead_letter_keeps_its_reason(store: &dyn Store) {
    three_waiting(store).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    assert_eq!(store.expire(at(900)).await.unwrap(), 2);
    assert_eq!(reasons(store).await, [Some(RefusalCode::Forbidden), EXPIRED, EXPIRED]);
}

/// `expire` of a read mark: only messages expire.
pub async fn read_marks_do_not_expire(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    read(store, 1, id).await;
    assert_eq!(store.expire(at(9_000)).await.unwrap(), 0);
    assert_eq!(batch(store).await, mutations([1]));
}

/// `expire` of an open: it stays as long as a message of its lane is queued.
pub async fn an_open_waits_for_the_messages_behind_it(store: &dyn Store) {
    let id = opened(store).await;
    assert_eq!(store.expire(at(900)).await.unwrap(), 0, "nothing is written in it");
    sent(store, 2, id).await;
    sent(store, 3, id).await;
    assert_eq!(store.expire(at(503)).await.unwrap(), 1);
    assert_eq!(reasons(store).await, [None, EXPIRED, None]);
}

/// `expire` of the last message of an open: both become dead letters, and so do later messages until they are retried.
pub async fn an_open_expires_with_the_last_of_its_messages(store: &dyn Store) {
    let id = opened(store).await;
    sent(store, 2, id).await;

    assert_eq!(store.expire(at(503)).await.unwrap(), 2);

    assert_eq!(reasons(store).await, [EXPIRED, EXPIRED]);
    let later = send(store, 3, composed(3, id)).await;
    assert_eq!(later.failure.map(|refusal| refusal.code), Some(RefusalCode::OpenRefused));
    store.retry(mutation_id(2), at(900)).await.unwrap();
    assert_eq!(store.expire(at(900)).await.unwrap(), 0);
    assert_eq!(batch(store).await, mutations([1, 2, 3]));
}

/// `expire` of an open in flight: neither it nor the messages sent with it.
pub async fn an_open_in_flight_does_not_expire(store: &dyn Store) {
    let id = opened(store).await;
    batch(store).await;
    sent(store, 2, id).await;
    assert_eq!(store.expire(at(900)).await.unwrap(), 1, "the message has not left");
    assert_eq!(reasons(store).await, [None, EXPIRED]);
}
