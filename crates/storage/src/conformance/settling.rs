//! Recording the results of a batch.

use super::build::{
    ack, ada, at, conversation_id, direct, echo, message, messages, mutation_id, other_direct, own_message_id, read_to,
    seq, tombstone,
};
use super::given::{
    acknowledged, answered, batch, bootstrapped, failure, loaded, loaded_thread, mutations, newest, outbox, pulled,
    pulled_messages, read, refused, sent, seqs, stored, summary, texts, unread,
};
use crate::{BootstrapReason, EntryState, Older, SettleReport, Store};
use fieldpost_domain::{
    Acknowledgement, Changes, ConversationId, Covered, Message, MessageStatus, PushOutcome, PushResult, Refusal,
    RefusalCode, RetryCode, SeqRange, Version,
};

async fn one_queued(store: &dyn Store) -> ConversationId {
    let thread = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    sent(store, 1, thread).await;
    thread
}

/// Acknowledged: `sent`, with the server's seq and time, under the same id.
pub async fn a_stored_message_keeps_its_id_and_gets_its_place(store: &dyn Store) {
    let thread = one_queued(store).await;

    let report = stored(store, 1, ack(1, thread, 3)).await;

    assert_eq!(report, SettleReport { acknowledged: 1, ..SettleReport::default() });
    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!(shown.status, MessageStatus::Sent);
    assert_eq!((shown.seq, shown.created_at, shown.composed_at), (Some(seq(3)), at(103), Some(at(501))));
    assert_eq!(shown.content.as_deref(), Some("own 1"));
    assert!(shown.mine);
    assert_eq!(seqs(&newest(store, thread, 10).await), [1, 2, 3]);
    assert!(outbox(store).await.is_empty());
    let shown = summary(store, thread).await;
    assert_eq!((shown.last_seq, shown.last_message_at), (seq(3), Some(at(103))));
    assert_eq!(shown.last_message_preview.as_deref(), Some("own 1"));
}

/// The server saw another message first: the acknowledged one moves behind it.
pub async fn the_servers_order_is_the_threads_order(store: &dyn Store) {
    let thread = one_queued(store).await;
    sent(store, 2, thread).await;
    pulled_messages(store, messages(thread, 3..=3, &ada())).await;

    stored(store, 1, ack(1, thread, 4)).await;

    assert_eq!(texts(store, thread).await, ["message 1", "message 2", "message 3", "own 1", "own 2"]);
}

/// Acknowledged for an earlier attempt: the result has the current row.
pub async fn a_duplicate_is_a_success_with_the_row_as_it_is_now(store: &dyn Store) {
    let thread = one_queued(store).await;
    let row = Message { status: MessageStatus::Read, version: Version::new(4), ..echo(1, thread, 3) };

    let report = acknowledged(store, 1, Acknowledgement::Stored(Box::new(row))).await;

    assert_eq!(report.acknowledged, 1);
    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!((shown.status, shown.seq), (MessageStatus::Read, Some(seq(3))));
    assert!(outbox(store).await.is_empty());
    assert_eq!(texts(store, thread).await.len(), 3);
}

/// An older app version had sent the message under its key, and the server had assigned another id.
pub async fn a_message_that_the_server_has_under_another_id_is_shown_once(store: &dyn Store) {
    let thread = one_queued(store).await;
    let row = Message { id: own_message_id(77), ..echo(1, thread, 3) };

    acknowledged(store, 1, Acknowledgement::Stored(Box::new(row))).await;

    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);
    assert_eq!(store.message(own_message_id(77)).await.unwrap().unwrap().seq, Some(seq(3)));
    assert!(outbox(store).await.is_empty());
    assert_eq!(texts(store, thread).await.len(), 3);
}

/// The same, but it has been deleted since: nothing of it stays.
pub async fn a_message_deleted_under_another_id_leaves(store: &dyn Store) {
    let thread = one_queued(store).await;
    let gone = tombstone(own_message_id(77), thread, 3, 5);
    acknowledged(store, 1, Acknowledgement::Deleted(gone)).await;
    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);
    assert_eq!(texts(store, thread).await.len(), 2);
    assert!(outbox(store).await.is_empty());
}

/// Acknowledged and deleted since: the message leaves, and its seq stays known.
pub async fn a_message_deleted_since_leaves_and_its_seq_stays_taken(store: &dyn Store) {
    let thread = one_queued(store).await;

    let gone = tombstone(own_message_id(1), thread, 3, 5);
    let report = acknowledged(store, 1, Acknowledgement::Deleted(gone)).await;
    pulled_messages(store, messages(thread, 4..=4, &ada())).await;

    assert_eq!(report.acknowledged, 1);
    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);
    assert!(outbox(store).await.is_empty());
    assert_eq!(seqs(&newest(store, thread, 10).await), [1, 2, 4], "nothing is missing at 3");
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
}

/// An acknowledged mark: the server's marker applies, but never moves back.
pub async fn an_acknowledged_mark_leaves_the_outbox(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    read(store, 1, thread).await;

    let lower = read_to(thread, &super::build::iris(), 1);
    let report = acknowledged(store, 1, Acknowledgement::Marked(lower)).await;

    assert_eq!(report.acknowledged, 1);
    assert!(outbox(store).await.is_empty());
    assert_eq!(unread(store, thread).await, 0);
}

/// An acknowledgement without a row.
pub async fn a_bare_acknowledgement_is_enough_to_leave_the_outbox(store: &dyn Store) {
    let thread = one_queued(store).await;

    assert_eq!(acknowledged(store, 1, Acknowledgement::Bare).await.acknowledged, 1);

    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!((shown.status, shown.seq), (MessageStatus::Sent, None));
    assert!(outbox(store).await.is_empty());
    pulled_messages(store, vec![echo(1, thread, 3)]).await;
    assert_eq!(seqs(&newest(store, thread, 10).await), [1, 2, 3]);
}

/// Rejected: a dead letter that its author sees.
pub async fn a_refused_message_becomes_a_dead_letter(store: &dyn Store) {
    let thread = one_queued(store).await;
    let refusal = Refusal { code: RefusalCode::Forbidden, detail: Some("medics only read here".to_owned()) };

    let report = answered(store, 1, PushOutcome::Rejected(refusal.clone())).await;

    assert_eq!(report, SettleReport { failed: 1, ..SettleReport::default() });
    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!((&shown.status, shown.failure.as_ref()), (&MessageStatus::Queued, Some(&refusal)));
    assert_eq!(newest(store, thread, 10).await.messages.last(), Some(&shown));
    assert_eq!(outbox(store).await[0].state, EntryState::Failed(refusal));
    assert!(batch(store).await.is_empty());
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (0, 1));
}

/// Rejected: the lane goes on, and the dead letter keeps its place.
pub async fn a_dead_letter_does_not_park_what_follows(store: &dyn Store) {
    let thread = one_queued(store).await;
    sent(store, 2, thread).await;

    refused(store, 1, RefusalCode::NotTrimmed).await;

    assert_eq!(batch(store).await, mutations([2]));
    assert_eq!(texts(store, thread).await[2..], ["own 1", "own 2"]);
}

/// Rejected: a refused mark leaves, and the local marker stays.
pub async fn a_refused_mark_leaves_and_the_marker_stays(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    read(store, 1, thread).await;

    let report = refused(store, 1, RefusalCode::NotFound).await;

    assert_eq!((report.failed, report.acknowledged), (0, 1));
    assert!(outbox(store).await.is_empty());
    assert_eq!(unread(store, thread).await, 0);
}

/// Rejected, but the remote echo is stored: the server has the message, so nothing is lost.
pub async fn a_refusal_after_the_remote_echo_makes_no_dead_letter(store: &dyn Store) {
    let thread = one_queued(store).await;
    pulled_messages(store, vec![echo(1, thread, 3)]).await;

    let report = refused(store, 1, RefusalCode::Forbidden).await;

    assert_eq!((report.failed, report.acknowledged), (0, 1));
    assert!(outbox(store).await.is_empty());
    assert_eq!(store.message(own_message_id(1)).await.unwrap().unwrap().status, MessageStatus::Sent);
}

/// Retry: the mutation keeps its place, and the result is counted.
pub async fn a_retry_result_keeps_the_place_and_is_counted(store: &dyn Store) {
    let thread = one_queued(store).await;
    sent(store, 2, thread).await;

    answered(store, 1, PushOutcome::Retry(RetryCode::Conflict)).await;
    let newer = RetryCode::Unknown("cold_start".to_owned());
    let report = answered(store, 1, PushOutcome::Retry(newer.clone())).await;

    assert_eq!(report, SettleReport { retrying: 1, ..SettleReport::default() });
    assert_eq!(outbox(store).await[0].state, EntryState::Queued { retries: 2, last_retry: Some(newer) });
    assert_eq!(batch(store).await, mutations([1, 2]));
    assert_eq!(store.message(own_message_id(1)).await.unwrap().unwrap().failure, None);
}

/// Results for mutations that are no longer in the outbox change nothing.
pub async fn a_repeated_result_is_unknown(store: &dyn Store) {
    let thread = one_queued(store).await;
    stored(store, 1, ack(1, thread, 3)).await;

    let again = stored(store, 1, ack(1, thread, 7)).await;
    let stranger = refused(store, 99, RefusalCode::Forbidden).await;

    let unknown = SettleReport { unknown: 1, ..SettleReport::default() };
    assert_eq!((again, stranger), (unknown.clone(), unknown));
    assert_eq!(seqs(&newest(store, thread, 10).await), [1, 2, 3]);
}

/// One batch with results of every kind; one failing lane delays no other.
pub async fn the_answers_of_a_batch_are_recorded_together(store: &dyn Store) {
    let conversations = vec![direct(1, 0), other_direct(2, 0), other_direct(3, 0)];
    loaded(store, Changes { conversations, ..Changes::default() }).await;
    for n in 1..=3 {
        sent(store, n, conversation_id(n)).await;
    }
    let refusal = Refusal { code: RefusalCode::ConversationDeleted, detail: None };
    let outcomes = [
        PushOutcome::Rejected(refusal),
        PushOutcome::Acknowledged(Acknowledgement::Sent(ack(2, conversation_id(2), 1))),
        PushOutcome::Retry(RetryCode::Busy),
    ];
    let results = outcomes.into_iter().zip(1..);
    let results = results.map(|(outcome, n)| PushResult { mutation_id: mutation_id(n), outcome }).collect();

    let report = store.settle(results).await.unwrap();

    assert_eq!((report.failed, report.acknowledged, report.retrying, report.unknown), (1, 1, 1, 0));
    assert_eq!(batch(store).await, mutations([3]));
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::ConversationDeleted));
}

/// The remote echo comes before the result: the row is the server's, and the mutation stays until its result.
pub async fn a_remote_echo_before_the_answer_is_not_doubled(store: &dyn Store) {
    let thread = one_queued(store).await;

    let report = pulled_messages(store, vec![Message { version: Version::new(2), ..echo(1, thread, 3) }]).await;

    assert_eq!((report.applied, report.new_messages), (1, 0), "an own message is not new");
    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!((shown.status, shown.seq), (MessageStatus::Sent, Some(seq(3))));
    assert_eq!(batch(store).await, mutations([1]));
    assert_eq!(stored(store, 1, ack(1, thread, 3)).await.acknowledged, 1);
    assert_eq!(seqs(&newest(store, thread, 10).await), [1, 2, 3]);
    assert!(outbox(store).await.is_empty());
}

/// A tombstone comes before the result: the result does not bring the message back.
pub async fn a_late_answer_does_not_resurrect_a_deleted_message(store: &dyn Store) {
    let thread = one_queued(store).await;
    let tombstones = vec![tombstone(own_message_id(1), thread, 3, 2)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);

    assert_eq!(stored(store, 1, ack(1, thread, 3)).await.acknowledged, 1);

    assert_eq!(store.message(own_message_id(1)).await.unwrap(), None);
    assert!(outbox(store).await.is_empty());
}

/// A refusal code that this version does not know is kept.
pub async fn a_refusal_of_a_newer_server_survives(store: &dyn Store) {
    one_queued(store).await;
    refused(store, 1, RefusalCode::Unknown("quarantined".to_owned())).await;
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::Unknown("quarantined".to_owned())));
}

/// No results change nothing.
pub async fn no_answers_change_nothing(store: &dyn Store) {
    one_queued(store).await;
    assert_eq!(store.settle(vec![]).await.unwrap(), SettleReport::default());
    assert_eq!(batch(store).await, mutations([1]));
}

/// Retry: a dead letter stays one; only a person retries it.
pub async fn a_retry_result_does_not_revive_a_dead_letter(store: &dyn Store) {
    one_queued(store).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    let report = answered(store, 1, PushOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!(report, SettleReport::default());
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::Forbidden));
}

/// `settle`: the server had the message all the time, below what a bootstrap has brought since. It leaves the device until
/// history brings it, with whatever belongs to it.
pub async fn a_message_acknowledged_below_the_range_comes_with_history(store: &dyn Store) {
    let one = conversation_id(1);
    let thread = loaded_thread(store, direct(1, 1), messages(one, 1..=1, &ada())).await;
    sent(store, 1, thread).await;
    let above = Changes {
        conversations: vec![direct(1, 3)],
        messages: vec![message(one, 3, &ada())],
        covered: vec![Covered { conversation_id: one, range: SeqRange { from: seq(3), to: seq(3) } }],
        ..Changes::default()
    };
    bootstrapped(store, BootstrapReason::Epoch, above).await;

    stored(store, 1, ack(1, thread, 2)).await;

    let window = newest(store, thread, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![3], Older::OnServer(seq(3))));
    assert!(outbox(store).await.is_empty());
}
