//! What is written while a pass follows is pushed beside it.

use crate::given::*;
use fieldpost_domain::{ConversationDigest, PushOutcome, RetryCode};
use fieldpost_remote::RemoteErrorKind;
use fieldpost_storage::{ApplyReport, BootstrapReason, StorageError, StorageErrorKind, SyncPosition};
use fieldpost_sync::{
    SyncError,
    machine::{Effect, Event, Pass},
};

/// A pass whose pull is under way.
fn pulling() -> Pass {
    let (pass, pull) = pass_at(following("c"));
    assert!(matches!(pull, Effect::Pull(_)));
    pass
}

/// Pushes one mutation beside the pass.
fn push_meanwhile(pass: &mut Pass, number: u128, outcome: PushOutcome) {
    assert!(matches!(pass.push_meanwhile(), Effect::ReadBatch { .. }));
    let batch = pass.next_meanwhile(Event::Batch(vec![mutation(number, number)]));
    assert!(matches!(batch, Some(Effect::Push(request)) if request.mutations.len() == 1 && request.cursor.is_none()));
    assert!(matches!(pass.next_meanwhile(answer(vec![(number, outcome)])), Some(Effect::Settle(_))));
    assert!(matches!(pass.next_meanwhile(settled(1, 0)), Some(Effect::ReadBatch { .. })));
    assert_eq!(pass.next_meanwhile(Event::Batch(vec![])), None, "and it is over");
}

#[test]
fn what_is_written_while_a_page_is_fetched_is_pushed_and_counted() {
    let mut pass = pulling();
    push_meanwhile(&mut pass, 1, acknowledged());

    let _ = pass.next(Event::Pulled(Ok(empty_page("d"))));
    let _ = pass.next(Event::PullApplied(applied()));
    assert!(is_success(&pass.next(Event::Missing(vec![]))));
    let report = outcome(pass.next(Event::Remembered)).report;
    assert_eq!((report.pushed, report.requests), (1, 2));
}

#[test]
fn a_lane_that_must_wait_is_passed_over_meanwhile_too() {
    let mut pass = pulling();
    push_meanwhile(&mut pass, 1, PushOutcome::Retry(RetryCode::Conflict));
    let Effect::ReadBatch { held, .. } = pass.push_meanwhile() else { panic!("it reads a batch") };
    assert_eq!(held, [lane(1)].into());
}

#[test]
fn a_push_that_fails_meanwhile_is_the_error_of_the_pass_which_goes_on() {
    for kind in [RemoteErrorKind::Unreachable, RemoteErrorKind::Unavailable] {
        let mut pass = pulling();
        let _ = pass.push_meanwhile();
        let _ = pass.next_meanwhile(Event::Batch(vec![mutation(1, 1), mutation(2, 2)]));
        let mut after = pass.next_meanwhile(Event::Pushed(Err(error(kind))));
        if let Some(Effect::Withdraw { then, .. }) = after {
            after = pass.after_meanwhile(*then);
        }
        assert_eq!(after, None, "{kind:?}");
        let _ = pass.next(Event::Pulled(Ok(empty_page("d"))));
        let _ = pass.next(Event::PullApplied(applied()));
        assert!(is_success(&pass.next(Event::Missing(vec![]))), "the pull itself went well");
        assert!(outcome(pass.next(Event::Remembered)).error.is_some(), "{kind:?}");
    }
}

#[test]
fn a_store_that_fails_meanwhile_is_the_error_of_the_pass() {
    let mut pass = pulling();
    let _ = pass.push_meanwhile();
    let full = StorageError::new(StorageErrorKind::Full, "next_batch");
    assert_eq!(pass.next_meanwhile(Event::StorageFailed(full)), None);
    let _ = pass.next(Event::Pulled(Ok(empty_page("d"))));
    let _ = pass.next(Event::PullApplied(applied()));
    let _ = pass.next(Event::Missing(vec![]));
    assert!(outcome(pass.next(Event::Remembered)).error.is_some());
}

#[test]
fn a_digest_of_the_moment_before_a_push_is_not_compared() {
    let mut pass = pulling();
    let _ = pass.next(Event::Pulled(Ok(empty_page("d"))));
    push_meanwhile(&mut pass, 1, acknowledged());
    let differs = || ApplyReport { digest_matches: Some(false), ..ApplyReport::default() };

    let again = pass.next(Event::PullApplied(differs()));

    assert!(matches!(&again, Effect::Pull(request) if request.cursor == at("d")), "{again:?}");
    let mut page = empty_page("e");
    page.digest = Some(ConversationDigest::of([]));
    let _ = pass.next(Event::Pulled(Ok(page)));
    let load = pass.next(Event::PullApplied(differs()));
    assert_eq!(load, Effect::BeginBootstrap(BootstrapReason::Reconcile), "a difference that stays is one");
}

#[test]
fn nothing_is_asked_of_a_pass_that_has_nothing_to_send() {
    let (mut pass, _) = pass_at(SyncPosition::Fresh);
    assert!(matches!(pass.push_meanwhile(), Effect::ReadBatch { .. }));
    assert_eq!(pass.next_meanwhile(Event::Batch(vec![])), None);
    assert!(matches!(pass.next(Event::BootstrapBegun), Effect::Bootstrap(_)));
}

/// Fails the push beside a pass with "slow down".
fn told_to_wait_meanwhile(pass: &mut Pass) {
    let _ = pass.push_meanwhile();
    let _ = pass.next_meanwhile(Event::Batch(vec![mutation(1, 1)]));
    let after = pass.next_meanwhile(Event::Pushed(Err(error(RemoteErrorKind::RateLimited))));
    let Some(Effect::Withdraw { then, .. }) = after else { panic!("nothing was sent: {after:?}") };
    assert_eq!(pass.after_meanwhile(*then), None);
}

#[test]
fn a_pass_makes_no_call_after_a_push_beside_it_was_told_to_wait_and_ends_with_that() {
    let mut pass = pulling();
    told_to_wait_meanwhile(&mut pass);
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", true))));
    assert!(matches!(pass.next(Event::PullApplied(applied())), Effect::Remember { .. }), "it does not pull again");
    let ended = outcome(pass.next(Event::Remembered));
    assert!(pass.result(ended.error.as_ref()).connection.is_some(), "the schedule waits");
}

#[test]
fn a_call_that_fails_beside_a_push_that_was_told_to_wait_shortens_no_wait() {
    let mut pass = pulling();
    told_to_wait_meanwhile(&mut pass);
    assert!(matches!(pass.next(Event::Pulled(Err(error(RemoteErrorKind::Unavailable)))), Effect::Remember { .. }));
    let ended = outcome(pass.next(Event::Remembered)).error;
    let kind = |error: &SyncError| if let SyncError::Remote(error) = error { Some(error.kind()) } else { None };
    assert_eq!(ended.as_ref().and_then(kind), Some(RemoteErrorKind::RateLimited));
}

#[test]
fn what_pushes_beside_a_pass_makes_no_call_after_the_pass_was_told_to_wait() {
    let mut pass = pulling();
    let _ = pass.push_meanwhile();
    assert!(matches!(pass.next(Event::Pulled(Err(error(RemoteErrorKind::RateLimited)))), Effect::Remember { .. }));
    let Some(Effect::Withdraw { then, .. }) = pass.next_meanwhile(Event::Batch(vec![mutation(1, 1)])) else {
        panic!("what was read is not sent")
    };
    assert_eq!(pass.after_meanwhile(*then), None);
}
