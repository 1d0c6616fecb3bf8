//! What has waited too long to be sent. Message number `n` is written at `at(500 + n)`, an open at `at(401)`.

use super::build::{
    ada, at, composed, conversation_id, direct, echo, iris, messages, mutation_id, new_direct, own_message_id,
};
use super::given::{
    answered, batch, loaded, loaded_thread, mutations, outbox, pulled_messages, read, refused, send, sent, texts,
};
use crate::{EntryState, Store};
use fieldpost_domain::{Changes, ConversationId, MessageContent, PushOutcome, RefusalCode, RetryCode};

/// One thread with one message of Ada's, in which Iris has written messages 1 to 3.
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

/// Why each entry is a dead letter, in order; none for those that wait.
async fn reasons(store: &dyn Store) -> Vec<Option<RefusalCode>> {
    let reason = |state| match state {
        EntryState::Failed(refusal) => Some(refusal.code),
        _ => None,
    };
    outbox(store).await.into_iter().map(|entry| reason(entry.state)).collect()
}

const EXPIRED: Option<RefusalCode> = Some(RefusalCode::Expired);

/// `expire`: what was written before the moment, and nothing else; the rest of the lane goes on.
pub async fn what_has_waited_too_long_becomes_a_dead_letter(store: &dyn Store) {
    let id = three_waiting(store).await;

    assert_eq!(store.expire(at(502)).await.unwrap(), 1, "what was written at that very moment stays");

    assert_eq!(reasons(store).await, [EXPIRED, None, None]);
    assert_eq!(texts(store, id).await, ["message 1", "own 1", "own 2", "own 3"], "the person still sees it");
    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!(shown.failure.map(|refusal| refusal.code), EXPIRED);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (2, 1));
    assert_eq!(batch(store).await, mutations([2, 3]));
}

/// `expire` of what left for the server: not before it is certain that it has not arrived.
pub async fn what_may_have_reached_the_server_never_expires(store: &dyn Store) {
    three_waiting(store).await;
    batch(store).await;
    assert_eq!(store.expire(at(900)).await.unwrap(), 0);
    batch(store).await;
    store.withdraw(&mutations([1, 2, 3])).await.unwrap();
    assert_eq!(store.expire(at(900)).await.unwrap(), 0, "one attempt is still in_flight");
    store.withdraw(&mutations([2])).await.unwrap();
    assert_eq!(store.expire(at(900)).await.unwrap(), 1);
    assert_eq!(reasons(store).await, [None, EXPIRED, None]);
}

/// `expire` after "not now": that was an answer.
pub async fn what_the_server_wants_later_may_expire_meanwhile(store: &dyn Store) {
    three_waiting(store).await;
    answered(store, 1, PushOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!(store.expire(at(502)).await.unwrap(), 1);
    assert_eq!(reasons(store).await, [EXPIRED, None, None]);
}

/// `expire` of a message whose remote echo is here: there is nothing left to send.
pub async fn what_the_server_has_does_not_expire(store: &dyn Store) {
    let id = three_waiting(store).await;
    pulled_messages(store, vec![echo(1, id, 2)]).await;
    assert_eq!(store.expire(at(503)).await.unwrap(), 1);
    assert_eq!(reasons(store).await, [None, EXPIRED, None]);
}

/// `retry` of an expired message: its time begins anew.
pub async fn an_expired_message_sent_again_has_waited_anew(store: &dyn Store) {
    three_waiting(store).await;
    store.expire(at(502)).await.unwrap();

    let entry = store.retry(mutation_id(1), at(900)).await.unwrap();

    assert_eq!((entry.state, entry.recorded_at), (EntryState::Queued { retries: 0, last_retry: None }, at(900)));
    assert_eq!(store.expire(at(900)).await.unwrap(), 2, "the others");
    assert_eq!(batch(store).await, mutations([1]));
    store.withdraw(&mutations([1])).await.unwrap();
    assert_eq!(store.expire(at(901)).await.unwrap(), 1);
}

/// `edit` and `cancel` of an expired message: as of any dead letter.
pub async fn an_expired_message_can_be_changed_and_taken_back(store: &dyn Store) {
    let id = three_waiting(store).await;
    store.expire(at(503)).await.unwrap();
    store.edit(mutation_id(1), MessageContent::new("still true").unwrap(), at(900)).await.unwrap();
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(store.expire(at(503)).await.unwrap(), 0);
    assert_eq!(batch(store).await, mutations([3, 1]));
    assert_eq!(texts(store, id).await, ["message 1", "own 3", "still true"]);
}

/// `expire` of what was refused: it is parked already, and why is not forgotten.
pub async fn a_dead_letter_keeps_its_reason(store: &dyn Store) {
    three_waiting(store).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    assert_eq!(store.expire(at(900)).await.unwrap(), 2);
    assert_eq!(reasons(store).await, [Some(RefusalCode::Forbidden), EXPIRED, EXPIRED]);
}

/// `expire` of a read mark: it is no message, and what was read was read.
pub async fn read_marks_do_not_expire(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    read(store, 1, id).await;
    assert_eq!(store.expire(at(9_000)).await.unwrap(), 0);
    assert_eq!(batch(store).await, mutations([1]));
}

/// `expire` of an open: it is no message, and goes as long as one behind it may.
pub async fn an_open_waits_for_the_messages_behind_it(store: &dyn Store) {
    let id = opened(store).await;
    assert_eq!(store.expire(at(900)).await.unwrap(), 0, "nothing is written in it");
    sent(store, 2, id).await;
    sent(store, 3, id).await;
    assert_eq!(store.expire(at(503)).await.unwrap(), 1);
    assert_eq!(reasons(store).await, [None, EXPIRED, None]);
}

/// `expire` of the last message behind an open: both park, and what is written then parks with them until they are sent again.
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

/// `expire` of an open that may have reached the server: neither it nor what left with it.
pub async fn an_open_on_its_way_does_not_expire(store: &dyn Store) {
    let id = opened(store).await;
    batch(store).await;
    sent(store, 2, id).await;
    assert_eq!(store.expire(at(900)).await.unwrap(), 1, "the message has not left");
    assert_eq!(reasons(store).await, [None, EXPIRED]);
}
