//! The push phase.

use crate::given::*;
use fieldpost_domain::{PushOutcome, Refusal, RefusalCode, RetryCode};
use fieldpost_remote::{PushRequest, RemoteErrorKind};
use fieldpost_storage::{SettleReport, SyncMemory};
use fieldpost_sync::machine::{Effect, Event, Pass};
use std::collections::HashSet;

#[test]
fn batches_are_pushed_until_the_outbox_is_empty_and_then_the_pass_follows() {
    let mut pass = pass();
    let batch = vec![mutation(1, 1), mutation(2, 2)];
    assert_eq!(pass.next(Event::Batch(batch.clone())), Effect::Push(PushRequest::of(batch)));
    let settle = pass.next(answer(vec![(1, acknowledged()), (2, acknowledged())]));
    assert!(matches!(settle, Effect::Settle(results) if results.len() == 2));
    assert!(matches!(pass.next(settled(2, 0)), Effect::ReadBatch { .. }));
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
    let pull = pass.next(state(following("c")));
    let outcome = finish(&mut pass, pull);
    assert!(outcome.error.is_none());
    assert_eq!((outcome.report.requests, outcome.report.pushed), (2, 2));
}

#[test]
fn a_batch_with_a_lost_response_is_resent_once() {
    let mut pass = pass();
    let batch = vec![mutation(1, 1)];
    assert_eq!(pass.next(Event::Batch(batch.clone())), Effect::Push(PushRequest::of(batch.clone())));
    let lost = || Event::Pushed(Err(error(RemoteErrorKind::Interrupted)));
    assert!(matches!(pass.next(lost()), Effect::ReadBatch { .. }), "reading it again counts the attempt");
    assert_eq!(pass.next(Event::Batch(batch.clone())), Effect::Push(PushRequest::of(batch)));
    let end = pass.next(lost());
    let outcome = failed(&mut pass, &end);
    assert!(outcome.error.is_some_and(|error| error.is_offline()));
    assert_eq!((outcome.report.requests, outcome.report.repeated), (2, 1));
}

#[test]
fn a_lane_answered_retry_is_held_and_the_others_go_on() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1), mutation(2, 2)]));
    let retry = PushOutcome::Retry(RetryCode::Conflict);
    let _ = pass.next(answer(vec![(1, retry), (2, acknowledged())]));
    match pass.next(settled(1, 1)) {
        Effect::ReadBatch { held, .. } => assert_eq!(held, HashSet::from([lane(1)])),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_oversized_batch_is_halved_until_the_faulty_mutation_is_alone() {
    let mut pass = pass();
    let too_large = || Event::Pushed(Err(error(RemoteErrorKind::TooLarge)));
    for (size, half) in [(6, 3), (3, 1)] {
        let _ = pass.next(Event::Batch((1..=size).map(|number| mutation(number, 1)).collect()));
        match after_withdrawal(pass.next(too_large()), &(1..=size).collect::<Vec<_>>()) {
            Effect::ReadBatch { limits, held } => assert_eq!((limits.rows, held.len()), (half, 0)),
            other => panic!("{other:?}"),
        }
    }
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    match after_withdrawal(pass.next(too_large()), &[1]) {
        Effect::Settle(results) => assert!(matches!(
            &results[0].outcome,
            PushOutcome::Rejected(Refusal { code: RefusalCode::ContentTooLong, .. })
        )),
        other => panic!("{other:?}"),
    }
    let after = pass.next(Event::Settled(SettleReport { failed: 1, ..SettleReport::default() }));
    assert!(matches!(after, Effect::ReadBatch { limits, .. } if limits.rows == 500), "back to the full size");
}

#[test]
fn a_mutation_that_fails_the_call_alone_holds_only_its_lane() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    match after_withdrawal(pass.next(Event::Pushed(Err(error(RemoteErrorKind::BadRequest)))), &[1]) {
        Effect::ReadBatch { held, .. } => assert_eq!(held, HashSet::from([lane(1)])),
        other => panic!("{other:?}"),
    }
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState, "the pass follows");
    let pull = pass.next(state(following("c")));
    assert!(finish(&mut pass, pull).error.is_some(), "the pass ends with the error");
}

#[test]
fn push_errors_that_pulling_would_share_end_the_pass() {
    for kind in [
        RemoteErrorKind::Unreachable,
        RemoteErrorKind::Unauthorized,
        RemoteErrorKind::WrongApiKey,
        RemoteErrorKind::RateLimited,
        RemoteErrorKind::ClientTooOld,
        RemoteErrorKind::NotFieldpost,
    ] {
        let mut pass = pass();
        let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
        let end = pass.next(Event::Pushed(Err(error(kind))));
        let outcome = outcome(after_withdrawal(after_saving(&mut pass, &end), &[1]));
        assert!(outcome.error.is_some(), "{kind:?}");
    }
}

#[test]
fn the_pass_follows_after_an_error_of_push_alone() {
    for kind in [RemoteErrorKind::Unavailable, RemoteErrorKind::Malformed, RemoteErrorKind::Other] {
        let mut pass = pass();
        let _ = pass.next(Event::Batch(vec![mutation(1, 1), mutation(2, 2)]));
        assert_eq!(pass.next(Event::Pushed(Err(error(kind)))), Effect::ReadState, "{kind:?}");
        let pull = pass.next(state(following("c")));
        assert!(finish(&mut pass, pull).error.is_some(), "{kind:?}");
    }
}

#[test]
fn results_that_settle_nothing_end_the_push_phase() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    let _ = pass.next(answer(vec![(1, acknowledged())]));
    let unknown = || Event::Settled(SettleReport { unknown: 1, ..SettleReport::default() });
    assert!(matches!(pass.next(unknown()), Effect::ReadBatch { .. }), "one loss is tolerated");
    assert!(matches!(pass.next(unknown()), Effect::ReadBatch { .. }));
    assert_eq!(pass.next(unknown()), Effect::ReadState);
}

#[test]
fn a_batch_that_times_out_is_smaller_in_the_next_pass_and_the_pass_follows() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch((1..=400).map(|number| mutation(number, number)).collect()));
    assert_eq!(
        pass.next(Event::Pushed(Err(error(RemoteErrorKind::TimedOut)))),
        Effect::ReadState,
        "no immediate repeat"
    );
    let mut next = Pass::new();
    assert!(
        matches!(after_recall(&mut next, unwritten_memory(&pass)), Effect::ReadBatch { limits, .. } if limits.rows == 200)
    );
    let _ = next.next(Event::Batch(vec![mutation(1, 1)]));
    let _ = next.next(answer(vec![(1, acknowledged())]));
    assert!(
        matches!(next.next(settled(1, 0)), Effect::ReadBatch { limits, .. } if limits.rows == 400),
        "and grows back"
    );
}

#[test]
fn a_lane_that_failed_alone_is_tried_last_by_the_next_pass() {
    let unavailable = || Event::Pushed(Err(error(RemoteErrorKind::Unavailable)));
    let mut first = pass();
    let _ = first.next(Event::Batch(vec![mutation(1, 1)]));
    assert!(matches!(first.next(unavailable()), Effect::ReadBatch { held, .. } if held == HashSet::from([lane(1)])));

    let mut second = Pass::new();
    assert!(
        matches!(after_recall(&mut second, unwritten_memory(&first)), Effect::ReadBatch { held, .. } if held == HashSet::from([lane(1)]))
    );
    let _ = second.next(Event::Batch(vec![mutation(2, 2)]));
    let _ = second.next(answer(vec![(2, acknowledged())]));
    let _ = second.next(settled(1, 0));
    let last = second.next(Event::Batch(vec![]));
    assert!(matches!(&last, Effect::ReadBatch { held, limits } if held.is_empty() && limits.rows == 1), "{last:?}");
    let _ = second.next(Event::Batch(vec![mutation(1, 1)]));
    let _ = second.next(answer(vec![(1, acknowledged())]));
    assert!(unwritten_memory(&second).suspects.is_empty(), "no suspect after a success");
}

#[test]
fn a_server_that_refuses_every_call_is_not_called_for_every_lane() {
    let mut pass = pass();
    let mut calls = 0;
    let mut effect = pass.next(Event::Batch((1..=64).map(|number| mutation(number, number)).collect()));
    loop {
        effect = match effect {
            Effect::Push(_) => {
                calls += 1;
                pass.next(Event::Pushed(Err(error(RemoteErrorKind::BadRequest))))
            }
            Effect::ReadBatch { limits, held } => {
                let free = (1..=64).filter(|number| !held.contains(&lane(*number)));
                pass.next(Event::Batch(
                    free.take(limits.rows as usize).map(|number| mutation(number, number)).collect(),
                ))
            }
            Effect::Withdraw { then, .. } => *then,
            _ => break,
        };
    }
    assert_eq!(effect, Effect::ReadState);
    assert!(calls < 30, "{calls} calls");
}

#[test]
fn a_push_limit_of_zero_still_sends_one_mutation() {
    let limits = fieldpost_domain::ServerLimits { push_rows: 0, ..Default::default() };
    let memory = SyncMemory { limits, ..memory() };
    assert!(matches!(after_recall(&mut Pass::new(), memory), Effect::ReadBatch { limits, .. } if limits.rows == 1));
}

#[test]
fn a_missing_session_ends_the_pass_and_withdraws_the_batch() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    let end = pass.next(Event::SessionFailed(fieldpost_sync::SyncError::SignedOut));
    let outcome = outcome(after_withdrawal(after_saving(&mut pass, &end), &[1]));
    assert!(matches!(outcome.error, Some(fieldpost_sync::SyncError::SignedOut)));
}

#[test]
fn a_batch_that_may_have_been_applied_is_not_withdrawn() {
    for kind in [
        RemoteErrorKind::Interrupted,
        RemoteErrorKind::TimedOut,
        RemoteErrorKind::Unavailable,
        RemoteErrorKind::Malformed,
        RemoteErrorKind::Other,
    ] {
        let mut pass = pass();
        let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
        let effect = pass.next(Event::Pushed(Err(error(kind))));
        assert!(!matches!(effect, Effect::Withdraw { .. }), "{kind:?}");
    }
}

#[test]
fn a_session_error_while_following_withdraws_nothing() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    let _ = pass.next(Event::Pushed(Err(error(RemoteErrorKind::TimedOut))));
    let _ = pass.next(state(following("c")));
    let end = pass.next(Event::SessionFailed(fieldpost_sync::SyncError::SignedOut));
    assert!(failed(&mut pass, &end).error.is_some());
}

#[test]
fn a_lane_in_backoff_is_skipped_for_the_whole_pass() {
    let held = HashSet::from([lane(1)]);
    let suspects = SyncMemory { suspects: [lane(1), lane(2)].into(), ..memory() };
    let mut pass = Pass::new().holding(held.clone());
    assert!(
        matches!(after_recall(&mut pass, suspects), Effect::ReadBatch { held, .. } if held == HashSet::from([lane(1), lane(2)]))
    );
    let last = pass.next(Event::Batch(vec![]));
    assert!(matches!(last, Effect::ReadBatch { held: now, .. } if now == held), "the other suspect is tried");
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
    assert_eq!(unwritten_memory(&pass).suspects, [lane(1)].into(), "the skipped one stays a suspect");
    assert_eq!(pass.result(None).held, held);
}

#[test]
fn a_refusal_causes_no_backoff_and_a_retry_backs_off_its_lane() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1), mutation(2, 2), mutation(3, 3)]));
    let refused = PushOutcome::Rejected(Refusal { code: RefusalCode::Forbidden, detail: None });
    let retry = PushOutcome::Retry(RetryCode::Busy);
    let _ = pass.next(answer(vec![(1, refused), (2, retry), (3, acknowledged())]));
    let result = pass.result(None);
    assert_eq!(result.waiting, [lane(2)].into());
    assert_eq!(result.moved, [lane(1), lane(3)].into());
    assert!(result.connection.is_none());
}

/// The result of a pass in which `lanes` lanes failed a whole call alone, and which then pulled.
fn result_of_failing_alone(lanes: u128) -> fieldpost_sync::machine::PassResult {
    let mut pass = pass();
    let mut effect = Effect::ReadState;
    for number in 1..=lanes {
        let _ = pass.next(Event::Batch(vec![mutation(number, number)]));
        effect = pass.next(Event::Pushed(Err(error(RemoteErrorKind::Unavailable))));
    }
    if matches!(effect, Effect::ReadBatch { .. }) {
        effect = pass.next(Event::Batch(vec![]));
    }
    assert_eq!(effect, Effect::ReadState);
    let pull = pass.next(state(following("c")));
    let outcome = finish(&mut pass, pull);
    pass.result(outcome.error.as_ref())
}

#[test]
fn a_lane_that_fails_alone_backs_off_and_the_connection_does_not() {
    let result = result_of_failing_alone(2);
    assert_eq!(result.waiting, [lane(1), lane(2)].into());
    assert!(result.connection.is_none(), "{:?}", result.connection);
    assert!(result_of_failing_alone(3).connection.is_some(), "three are the server's fault");
}

#[test]
fn a_batch_that_fails_as_a_whole_backs_off_the_connection() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1), mutation(2, 2)]));
    let _ = pass.next(Event::Pushed(Err(error(RemoteErrorKind::Unavailable))));
    let pull = pass.next(state(following("c")));
    let outcome = finish(&mut pass, pull);
    let result = pass.result(outcome.error.as_ref());
    assert!(result.connection.is_some() && result.waiting.is_empty());
}

#[test]
fn three_batches_with_unknown_mutations_end_the_push_phase() {
    let after = |report: SettleReport| {
        let mut pass = pass();
        let mut last = Effect::ReadState;
        for _ in 0..3 {
            let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
            last = pass.next(Event::Settled(report.clone()));
        }
        last
    };
    for progress in [
        SettleReport { acknowledged: 1, ..SettleReport::default() },
        SettleReport { failed: 1, ..SettleReport::default() },
        SettleReport { retrying: 1, ..SettleReport::default() },
    ] {
        assert!(matches!(after(progress.clone()), Effect::ReadBatch { .. }), "{progress:?}");
    }
    assert_eq!(after(SettleReport { unknown: 1, ..SettleReport::default() }), Effect::ReadState);
}

#[test]
fn a_batch_that_a_gateway_refuses_is_halved_and_a_single_mutation_holds_only_its_lane() {
    let mut pass = pass();
    let too_large = || Event::Pushed(Err(error(RemoteErrorKind::Oversized)));
    for (size, half) in [(4, 2), (2, 1)] {
        let _ = pass.next(Event::Batch((1..=size).map(|number| mutation(number, number)).collect()));
        match after_withdrawal(pass.next(too_large()), &(1..=size).collect::<Vec<_>>()) {
            Effect::ReadBatch { limits, .. } => assert_eq!(limits.rows, half),
            other => panic!("{other:?}"),
        }
    }
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    match after_withdrawal(pass.next(too_large()), &[1]) {
        Effect::ReadBatch { held, .. } => {
            assert_eq!(held, HashSet::from([lane(1)]), "no dead letter, and the others go on")
        }
        other => panic!("{other:?}"),
    }
    let _ = pass.next(Event::Batch(vec![mutation(2, 2), mutation(3, 3)]));
    let _ = pass.next(answer(vec![(2, acknowledged()), (3, acknowledged())]));
    let _ = pass.next(settled(2, 0));
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
    let pull = pass.next(state(following("c")));
    let end = finish(&mut pass, pull);
    assert!(end.error.is_some_and(|error| error.to_string().contains("too large")), "and the error names it");
    assert_eq!((end.report.oversized, end.report.pushed), (1, 2));
}
