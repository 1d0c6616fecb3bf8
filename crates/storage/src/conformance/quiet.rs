//! Quiet pushes: the results and the new position, in one write.

use super::Device;
use super::build::{
    ack, ada, conversation_id, cursor, direct, iris, messages, mutation_id, new_direct, pull_page, read_to,
};
use super::given::{batch, loaded, loaded_thread, newest, outbox, pulled_messages, read_up_to, sent, seqs};
use crate::{BootstrapReason, SettleReport, Store, SyncPosition};
use fieldpost_domain::{Acknowledgement, Changes, ConversationId, PullPage, PushOutcome, PushResult, RetryCode};

/// A thread with two messages, loaded up to the cursor `0`, and two own messages in flight.
async fn two_in_flight(store: &dyn Store) -> ConversationId {
    let thread = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    sent(store, 1, thread).await;
    sent(store, 2, thread).await;
    batch(store).await;
    thread
}

fn stored(n: u64, thread: ConversationId) -> PushResult {
    let outcome = PushOutcome::Acknowledged(Acknowledgement::Sent(ack(n, thread, 2 + n)));
    PushResult { mutation_id: mutation_id(n), outcome }
}

async fn settled(store: &dyn Store, results: Vec<PushResult>, from: &str) -> SettleReport {
    store.settle_quiet(results, &cursor(from), &cursor("after")).await.unwrap()
}

async fn position(store: &dyn Store) -> SyncPosition {
    store.sync_state().await.unwrap().position
}

fn following(text: &str) -> SyncPosition {
    SyncPosition::Following(cursor(text))
}

/// The messages are sent, and the next pull continues behind them.
pub async fn a_quiet_push_settles_and_moves_in_one_write(store: &dyn Store) {
    let thread = two_in_flight(store).await;

    let report = settled(store, vec![stored(1, thread), stored(2, thread)], "0").await;

    assert_eq!(report, SettleReport { acknowledged: 2, moved: true, ..SettleReport::default() });
    assert_eq!(position(store).await, following("after"));
    assert_eq!(seqs(&newest(store, thread, 10).await), [1, 2, 3, 4]);
    assert!(outbox(store).await.is_empty());
    store.apply_pull(&cursor("after"), pull_page("later", Changes::default())).await.unwrap();
}

/// Another process has applied a page meanwhile, or a bootstrap has begun: only the results count.
pub async fn a_quiet_push_moves_no_other_position(store: &dyn Store) {
    let thread = two_in_flight(store).await;
    pulled_messages(store, messages(thread, 3..=3, &ada())).await;
    let here = position(store).await;

    let late = PushResult {
        outcome: PushOutcome::Acknowledged(Acknowledgement::Sent(ack(1, thread, 4))),
        ..stored(1, thread)
    };
    let report = settled(store, vec![late], "0").await;

    assert_eq!((report.acknowledged, report.moved), (1, false));
    assert_eq!(position(store).await, here);
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    let last = PushResult {
        outcome: PushOutcome::Acknowledged(Acknowledgement::Sent(ack(2, thread, 5))),
        ..stored(2, thread)
    };
    assert!(!settled(store, vec![last], "0").await.moved);
    assert!(matches!(position(store).await, SyncPosition::Bootstrapping { after: None, .. }));
}

/// The rest of a run of pages is still to come.
pub async fn a_quiet_push_moves_no_open_run(store: &dyn Store) {
    let thread = two_in_flight(store).await;
    let page = PullPage { more: true, ..pull_page("middle", Changes::default()) };
    store.apply_pull(&cursor("0"), page).await.unwrap();

    let report = settled(store, vec![stored(1, thread)], "middle").await;

    assert_eq!((report.acknowledged, report.moved), (1, false));
    let state = store.sync_state().await.unwrap();
    assert_eq!((state.position, state.run_open), (following("middle"), true));
}

/// A result that was not recorded, or is none yet, is to be pulled.
pub async fn a_quiet_push_moves_only_with_all_results(store: &dyn Store) {
    let thread = two_in_flight(store).await;
    let retry = PushResult { outcome: PushOutcome::Retry(RetryCode::Conflict), ..stored(2, thread) };
    let unknown = stored(9, thread);
    for results in [vec![stored(1, thread), retry], vec![unknown]] {
        assert!(!settled(store, results, "0").await.moved);
        assert_eq!(position(store).await, following("0"));
    }
    assert_eq!(outbox(store).await.len(), 1, "what was acknowledged has left all the same");
}

/// The server calls the conversation something else: its row is to be pulled.
pub async fn a_quiet_push_moves_not_with_a_canonical_id(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let local = store.open_direct(mutation_id(8), new_direct(5)).await.unwrap().id;
    sent(store, 1, local).await;
    let elsewhere = PushOutcome::Acknowledged(Acknowledgement::Sent(ack(1, conversation_id(6), 1)));

    let report = settled(store, vec![PushResult { mutation_id: mutation_id(1), outcome: elsewhere }], "0").await;

    assert_eq!((report.rekeyed.len(), report.moved), (1, false));
    assert_eq!(position(store).await, following("0"));
}

/// Both are there after a restart, or neither.
pub async fn a_quiet_push_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    loaded(&*store, Changes::default()).await;
    let thread = two_in_flight(&*store).await;
    let from = position(&*store).await;
    let SyncPosition::Following(from) = from else { panic!("it follows, and is at {from:?}") };
    assert!(settled(&*store, vec![stored(1, thread), stored(2, thread)], from.as_str()).await.moved);
    drop(store);

    let store = device.open().await;

    assert_eq!(position(&*store).await, following("after"));
    assert!(outbox(&*store).await.is_empty());
}

/// What is unread behind a mark may need the server's count, which comes with a pull.
pub async fn a_quiet_mark_moves_only_where_nothing_is_unread(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 5), messages(conversation_id(1), 4..=5, &ada())).await;
    for (n, read_seq, moves) in [(1, 4, false), (2, 5, true)] {
        read_up_to(store, n, thread, read_seq).await;
        batch(store).await;
        let mark = Acknowledgement::Marked(read_to(thread, &iris(), read_seq));
        let result = PushResult { mutation_id: mutation_id(n), outcome: PushOutcome::Acknowledged(mark) };
        let report = settled(store, vec![result], "0").await;
        assert_eq!((report.moved, report.unknown), (moves, 0), "read up to {read_seq}");
    }
    assert_eq!(position(store).await, following("after"));
}
