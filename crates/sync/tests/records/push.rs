//! The push phase as a table.

use crate::given::*;
use fieldpost_domain::{
    RetryCode, ServerLimits,
    records::{
        Fields, Priority, RecordMutation, RecordOperation, RecordOutcome, RecordRefusal, RecordRefusalCode,
        RecordResult,
    },
};
use fieldpost_remote::RemoteErrorKind::{self, *};
use fieldpost_storage::{
    ReducedSize, StorageError, StorageErrorKind,
    records::{RecordMemory, RecordSettleReport},
};
use fieldpost_sync::{
    SyncError,
    machine::records::{Lane, RecordEffect, RecordEvent, RecordPass},
};
use std::time::Duration;

/// A pass whose batch has failed as a whole, with what it does.
fn after_failure(size: u128, kind: RemoteErrorKind) -> (RecordPass, RecordEffect) {
    let mut pass = pass_of_others();
    assert!(matches!(pass.next(RecordEvent::Batch(normal(0..size))), RecordEffect::Push(_)));
    let effect = pass.next(RecordEvent::Pushed(Err(failed(kind))));
    (pass, effect)
}

#[test]
fn immediate_changes_are_sent_first_then_all_others_until_nothing_is_due() {
    let mut pass = pass(Lane::Full);
    let urgent = vec![change(1, Priority::Immediate)];
    assert_eq!(pass.next(RecordEvent::Batch(urgent.clone())), RecordEffect::Push(urgent));
    assert_eq!(pass.next(answer(vec![won(1)])), RecordEffect::Settle(vec![won(1)]));
    assert_eq!(reads(&pass.next(all_won(1))).1, Priority::Immediate);
    assert_eq!(reads(&pass.next(RecordEvent::Batch(vec![]))).1, Priority::Low);
    assert_eq!(pass.next(RecordEvent::Batch(normal(2..4))), RecordEffect::Push(normal(2..4)));
    let _ = pass.next(answer(vec![won(2), won(3)]));
    assert_eq!(reads(&pass.next(all_won(2))).1, Priority::Low);
    assert_eq!(pass.next(RecordEvent::Batch(vec![])), RecordEffect::ReadState);
}

#[test]
fn an_immediate_change_never_travels_with_others() {
    let mut pass = pass_of_others();
    let mixed = [vec![change(1, Priority::Immediate)], normal(2..5), vec![change(5, Priority::Immediate)]].concat();
    let (left, then) = withdraws(pass.next(RecordEvent::Batch(mixed)));
    assert_eq!(left, [id(2), id(3), id(4)]);
    let alone = vec![change(1, Priority::Immediate), change(5, Priority::Immediate)];
    assert_eq!(then, RecordEffect::Push(alone));
    assert_eq!(pass.next(answer(vec![won(1), won(5)])), RecordEffect::Settle(vec![won(1), won(5)]));
}

/// Given a batch in which one record refers to another that is created before it, when the server can apply the first
/// create later only and so refuses the second, then both wait, and what follows; what refers to nothing is refused.
#[test]
fn what_refers_to_a_create_that_waits_waits_with_it() {
    let refused = |number| {
        let refusal = RecordRefusal { code: RecordRefusalCode::Refused, detail: Some("no such row (23503)".into()) };
        result(number, RecordOutcome::Refused(refusal))
    };
    let retry = |number, code| result(number, RecordOutcome::Retry(code));
    let place = change(1, Priority::Normal);
    let visit = RecordMutation {
        fields: Fields::new().with("place", place.record_id.to_string()),
        ..change(2, Priority::Normal)
    };
    let note = RecordMutation {
        record_id: visit.record_id,
        operation: RecordOperation::Update,
        ..change(3, Priority::Normal)
    };
    let other = change(4, Priority::Normal);
    let mut pass = pass_of_others();
    assert!(matches!(pass.next(RecordEvent::Batch(vec![place, visit, note, other])), RecordEffect::Push(_)));
    let results = vec![retry(1, RetryCode::Busy), refused(2), refused(3), refused(4)];
    let settled =
        vec![retry(1, RetryCode::Busy), retry(2, RetryCode::AfterRetry), retry(3, RetryCode::AfterRetry), refused(4)];
    assert_eq!(pass.next(answer(results)), RecordEffect::Settle(settled));
}

/// Given a response that was lost, when the repeated call is certainly not carried out, or `retry` answers it, then the
/// first one may have been: nothing is withdrawn, so nobody changes or cancels it meanwhile.
#[test]
fn what_a_lost_call_may_have_done_is_not_withdrawn_by_the_next() {
    let after_a_loss = || {
        let mut pass = pass_of_others();
        let _ = pass.next(RecordEvent::Batch(normal(1..3)));
        assert!(matches!(pass.next(RecordEvent::Pushed(Err(failed(Interrupted)))), RecordEffect::Push(_)), "once more");
        pass
    };
    let effect = after_a_loss().next(RecordEvent::Pushed(Err(failed(RateLimited))));
    assert_eq!(postpones(effect).0, [id(1), id(2)]);
    let effect = after_a_loss().next(RecordEvent::NotCalled(SyncError::SignedOut));
    assert_eq!(postpones(effect).0, [id(1), id(2)]);
    let mut pass = after_a_loss();
    let retry = result(1, RecordOutcome::Retry(RetryCode::Busy));
    assert_eq!(pass.next(answer(vec![retry, won(2)])), RecordEffect::Settle(vec![won(2)]));
    assert_eq!(postpones(pass.next(all_won(1))).0, [id(1)]);
}

#[test]
fn the_immediate_lane_sends_and_does_nothing_else() {
    let mut pass = pass(Lane::Immediate);
    let _ = pass.next(RecordEvent::Batch(vec![change(1, Priority::Immediate)]));
    let _ = pass.next(answer(vec![won(1)]));
    assert_eq!(reads(&pass.next(all_won(1))).1, Priority::Immediate);
    let effect = pass.next(RecordEvent::Batch(vec![]));
    let outcome = end(&mut pass, effect);
    assert_eq!((outcome.report.won, outcome.report.requests, outcome.error.is_none()), (1, 1, true));
}

#[test]
fn five_hundred_changes_are_one_call() {
    let mut pass = pass_of_others();
    assert_eq!(reads(&pass.next(all_won(0))).0, 500);
    assert!(matches!(pass.next(RecordEvent::Batch(normal(0..500))), RecordEffect::Push(all) if all.len() == 500));
    let _ = pass.next(answer((0..500).map(won).collect()));
    let _ = pass.next(all_won(500));
    assert_eq!(pass.next(RecordEvent::Batch(vec![])), RecordEffect::ReadState);
}

#[test]
fn each_change_is_settled_by_its_own_result() {
    let mut pass = pass_of_others();
    let _ = pass.next(RecordEvent::Batch(normal(1..4)));
    let results = vec![won(1), result(2, RecordOutcome::Missing), result(3, RecordOutcome::Retry(RetryCode::Busy))];
    assert_eq!(pass.next(answer(results.clone())), RecordEffect::Settle(results));
    let report = RecordSettleReport { won: 1, missing: 1, retrying: 1, ..RecordSettleReport::default() };
    assert_eq!(reads(&pass.next(RecordEvent::Settled(report))).1, Priority::Low, "the others go on");
    let _ = pass.next(RecordEvent::Batch(vec![]));
    let _ = pass.next(state(None));
    let effect = pass.next(RecordEvent::NotCalled(SyncError::SignedOut));
    let report = end(&mut pass, effect).report;
    assert_eq!((report.won, report.missing, report.retrying), (1, 1, 1));
}

#[test]
fn a_change_that_the_answer_leaves_out_is_postponed_and_one_that_it_makes_up_is_ignored() {
    let mut pass = pass_of_others();
    let _ = pass.next(RecordEvent::Batch(normal(1..3)));
    let effect = pass.next(answer(vec![won(2), won(2), won(9)]));
    assert_eq!(effect, RecordEffect::Settle(vec![won(2)]));
    let (left, then) = postpones(pass.next(all_won(1)));
    assert_eq!(left, [id(1)]);
    assert_eq!(reads(&then).1, Priority::Low);
}

#[test]
fn a_lost_response_is_asked_for_again_with_the_same_changes_and_then_they_wait() {
    let (mut pass, effect) = after_failure(3, Interrupted);
    assert_eq!(effect, RecordEffect::Push(normal(0..3)));
    let effect = pass.next(RecordEvent::Pushed(Err(failed(Interrupted))));
    // It saves the smaller size first.
    assert_eq!(effect, RecordEffect::Remember { succeeded: false });
    let (left, then) = postpones(pass.next(RecordEvent::Remembered));
    assert_eq!(left, ids(&normal(0..3)));
    let outcome = end(&mut pass, then);
    assert_eq!((kind(&outcome), outcome.report.repeated), (Some(Interrupted), 1));
}

#[test]
fn what_certainly_did_not_arrive_waits_for_nothing_and_ends_the_pass() {
    for kind_of_failure in [Unreachable, Unauthorized, WrongApiKey, RateLimited, ClientTooOld, NotFieldpost] {
        let (mut pass, effect) = after_failure(3, kind_of_failure);
        let (left, then) = withdraws(effect);
        assert_eq!(left, ids(&normal(0..3)), "{kind_of_failure:?}");
        assert_eq!(kind(&end(&mut pass, then)), Some(kind_of_failure));
    }
}

#[test]
fn without_a_session_nothing_is_sent() {
    let mut pass = pass_of_others();
    let _ = pass.next(RecordEvent::Batch(normal(0..2)));
    let (left, then) = withdraws(pass.next(RecordEvent::NotCalled(SyncError::SignedOut)));
    assert_eq!(left, ids(&normal(0..2)));
    assert!(matches!(end(&mut pass, then).error, Some(SyncError::SignedOut)));
}

#[test]
fn a_batch_that_is_too_much_is_halved_at_once_and_the_size_is_kept() {
    for kind_of_failure in [TooLarge, Oversized, StatementTimeout] {
        let (mut pass, effect) = after_failure(400, kind_of_failure);
        let (left, then) = withdraws(effect);
        assert_eq!((left.len(), reads(&then).0), (400, 200), "{kind_of_failure:?}");
        let _ = pass.next(RecordEvent::Batch(normal(0..200)));
        let _ = pass.next(answer((0..200).map(won).collect()));
        let (rows, _) = reads(&pass.next(all_won(200)));
        assert!(rows > 200 && rows < 400, "it grows back towards what was refused: {rows}");
        let memory = pass.learn(RecordMemory::default());
        assert_eq!((memory.push_size.rows, memory.push_size.refused), (Some(rows), Some(400)));
    }
}

#[test]
fn the_next_pass_starts_with_the_size_that_gets_through() {
    let small =
        RecordMemory { push_size: ReducedSize { rows: Some(7), ..ReducedSize::default() }, ..Default::default() };
    let mut pass = RecordPass::new(Lane::Full);
    assert_eq!(reads(&pass.next(RecordEvent::Recalled(small))).0, 7);
}

#[test]
fn a_single_change_that_is_too_large_is_refused_and_the_others_go_on() {
    for kind_of_failure in [TooLarge, Oversized] {
        let (mut pass, effect) = after_failure(1, kind_of_failure);
        let RecordEffect::Settle(results) = effect else { panic!("{effect:?}") };
        let [only] = results.as_slice() else { panic!("{results:?}") };
        assert!(matches!(&only.outcome, RecordOutcome::Refused(why) if why.code == RecordRefusalCode::TooLarge));
        let report = RecordSettleReport { failed: 1, ..RecordSettleReport::default() };
        assert_eq!(reads(&pass.next(RecordEvent::Settled(report))).1, Priority::Low);
    }
}

#[test]
fn a_request_that_the_server_cannot_read_is_narrowed_down_to_the_faulty_change_which_waits() {
    let (mut pass, effect) = after_failure(4, BadRequest);
    let (_, then) = withdraws(effect);
    assert_eq!(reads(&then).0, 2);
    let _ = pass.next(RecordEvent::Batch(normal(0..2)));
    let (_, then) = withdraws(pass.next(RecordEvent::Pushed(Err(failed(BadRequest)))));
    assert_eq!(reads(&then).0, 1);
    let _ = pass.next(RecordEvent::Batch(normal(0..1)));
    let (left, then) = postpones(pass.next(RecordEvent::Pushed(Err(failed(BadRequest)))));
    assert_eq!((left, reads(&then).0), (vec![id(0)], 500));
}

#[test]
fn a_failing_push_still_pulls_and_the_pass_ends_with_its_error() {
    for kind_of_failure in [Unavailable, Malformed, TimedOut, Other] {
        let (mut pass, effect) = after_failure(8, kind_of_failure);
        let (left, then) = postpones(effect);
        assert_eq!((left.len(), then), (8, RecordEffect::ReadState), "{kind_of_failure:?}");
        let _ = pulls(pass.next(state(Some("c"))));
        let _ = pass.next(RecordEvent::Pulled(Ok(page("d", false, 1))));
        let _ = pass.next(RecordEvent::Applied(Default::default()));
        let effect = pass.next(RecordEvent::Audit(vec![]));
        let outcome = end(&mut pass, effect);
        assert_eq!((kind(&outcome), outcome.report.pages), (Some(kind_of_failure), 1));
        assert!(pass.result(outcome.error.as_ref()).connection.is_some(), "the server is to blame");
    }
}

#[test]
fn a_change_that_fails_a_call_alone_waits_and_only_it() {
    let (mut pass, effect) = after_failure(1, Unavailable);
    let (left, then) = postpones(effect);
    assert_eq!((left, reads(&then).1), (vec![id(0)], Priority::Low));
    let _ = pass.next(RecordEvent::Batch(normal(1..2)));
    let _ = pass.next(answer(vec![won(1)]));
    let _ = pass.next(all_won(1));
    let _ = pass.next(RecordEvent::Batch(vec![]));
    let _ = pass.next(RecordEvent::State { cursor: None, tables: vec![] });
    let effect = pass.next(RecordEvent::Audit(vec![]));
    let outcome = end(&mut pass, effect);
    assert_eq!(kind(&outcome), Some(Unavailable));
    assert!(pass.result(outcome.error.as_ref()).connection.is_none(), "the change waits on its own");
}

#[test]
fn a_server_that_fails_every_change_is_not_called_for_each() {
    let (mut pass, effect) = after_failure(1, Unavailable);
    let (_, mut next) = postpones(effect);
    let mut calls = 1;
    while matches!(next, RecordEffect::ReadBatch { .. }) {
        let _ = pass.next(RecordEvent::Batch(normal(calls..calls + 1)));
        calls += 1;
        next = postpones(pass.next(RecordEvent::Pushed(Err(failed(Unavailable))))).1;
    }
    assert_eq!((calls, next), (3, RecordEffect::ReadState));
}

#[test]
fn a_server_that_answers_retry_to_all_is_not_asked_for_the_whole_queue() {
    let mut pass = pass_of_others();
    let retrying = || RecordEvent::Settled(RecordSettleReport { retrying: 1, ..RecordSettleReport::default() });
    let mut next = pass.next(RecordEvent::Batch(normal(0..1)));
    let mut calls = 0;
    while matches!(next, RecordEffect::Push(_)) {
        calls += 1;
        let _ = pass.next(answer(vec![result(0, RecordOutcome::Retry(RetryCode::Busy))]));
        next = pass.next(retrying());
        if matches!(next, RecordEffect::ReadBatch { .. }) {
            next = pass.next(RecordEvent::Batch(normal(0..1)));
        }
    }
    assert_eq!((calls, next), (3, RecordEffect::ReadState));
}

#[test]
fn a_slow_line_gets_smaller_batches() {
    let mut pass = pass_of_others();
    let _ = pass.next(RecordEvent::Batch(normal(0..500)));
    let mut slow = push_answer((0..500).map(won).collect());
    slow.took = Duration::from_secs(100);
    let _ = pass.next(RecordEvent::Pushed(Ok(slow)));
    let RecordEffect::ReadBatch { limits, .. } = pass.next(all_won(500)) else { panic!() };
    assert!(limits.bytes < ServerLimits::default().push_bytes / 4, "{}", limits.bytes);
}

#[test]
fn the_limits_of_the_server_are_kept() {
    let mut pass = pass_of_others();
    let _ = pass.next(RecordEvent::Batch(normal(0..1)));
    let mut small = push_answer(vec![won(0)]);
    small.limits.push_rows = 50;
    let _ = pass.next(RecordEvent::Pushed(Ok(small)));
    assert_eq!(reads(&pass.next(all_won(1))).0, 50);
}

#[test]
fn a_store_that_fails_ends_the_pass_with_its_error() {
    let mut pass = pass_of_others();
    let full = StorageError::new(StorageErrorKind::Full, "next_records");
    let effect = pass.next(RecordEvent::StorageFailed(full));
    let outcome = end(&mut pass, effect);
    assert!(matches!(outcome.error, Some(SyncError::Storage(error)) if error.kind() == StorageErrorKind::Full));
}

#[test]
fn both_lanes_save_what_they_have_learned_without_undoing_the_other() {
    let mut pass = pass(Lane::Immediate);
    let _ = pass.next(RecordEvent::Batch(vec![change(1, Priority::Immediate), change(2, Priority::Immediate)]));
    let (_, then) = withdraws(pass.next(RecordEvent::Pushed(Err(failed(TooLarge)))));
    assert_eq!(reads(&then).0, 1);
    let meanwhile = RecordMemory {
        page_size: ReducedSize { rows: Some(9), ..ReducedSize::default() },
        run_open: true,
        lost: 4,
        ..RecordMemory::default()
    };
    let kept = pass.learn(meanwhile);
    assert_eq!((kept.page_size.rows, kept.run_open, kept.lost, kept.push_size.rows), (Some(9), true, 4, Some(1)));
}

/// The server's table has no such column: the value stays on this device, which somebody should know for longer than a pass.
#[test]
fn fields_that_the_server_leaves_out_are_counted_for_ever() {
    let mut pass = pass_of_others();
    let _ = pass.next(RecordEvent::Batch(normal(0..3)));
    let ignoring = |number| RecordResult { ignored: vec!["venue".into(), "mood".into()], ..won(number) };
    let _ = pass.next(answer(vec![ignoring(0), won(1), ignoring(2)]));
    let kept = RecordMemory { ignored: 5, ..RecordMemory::default() };
    assert_eq!(pass.learn(kept).ignored, 7);
    assert_eq!(pass.learn(RecordMemory { ignored: 7, ..kept }).ignored, 9, "another lane has counted two more");
}
