//! The follow phase.

use crate::given::*;
use fieldpost_domain::{Continuation, PullPage, Transfer};
use fieldpost_remote::{ExpiredReason, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, BootstrapReason, StorageError, StorageErrorKind, SyncPosition};
use fieldpost_sync::{
    Progress,
    machine::{Effect, Event},
};
use std::time::Duration;

#[test]
fn a_sync_with_nothing_new_is_one_request() {
    let (mut pass, pull) = pass_at(following("c"));
    assert!(matches!(&pull, Effect::Pull(request) if request.cursor == at("c")));
    let outcome = finish(&mut pass, pull);
    assert_eq!(outcome.report.requests, 1);
    assert!(outcome.error.is_none());
}

#[test]
fn a_fresh_store_is_bootstrapped_page_by_page_and_then_pulled() {
    let (mut pass, first) = pass_after_first_screen();
    assert!(matches!(first, Effect::Bootstrap(request) if request.after.is_none()));
    let apply = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some("rest")))));
    assert!(matches!(apply, Effect::ApplyBootstrap { after: None, .. }));
    assert_eq!(pass.progress(), Some(Progress { done: 0, total: Some(3) }));
    let second = pass.next(Event::BootstrapApplied(applied()));
    assert!(matches!(second, Effect::Bootstrap(request) if request.after == Some(Continuation::new("rest"))));
    let apply = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
    assert!(matches!(apply, Effect::ApplyBootstrap { after: Some(_), .. }));
    let pull = pass.next(Event::BootstrapApplied(applied()));
    assert!(matches!(&pull, Effect::Pull(request) if request.cursor == at("from bootstrap")));
    assert_eq!(pass.progress(), None);
    let outcome = finish(&mut pass, pull);
    assert!(outcome.error.is_none());
    assert_eq!(outcome.report.bootstraps, 1);
}

#[test]
fn an_interrupted_bootstrap_continues_at_its_position() {
    let after = Some(Continuation::new("rest"));
    let (pass, effect) = pass_at(SyncPosition::Bootstrapping { after: after.clone(), done: 2, total: Some(3) });
    assert!(matches!(effect, Effect::Bootstrap(request) if request.after == after));
    assert_eq!(pass.progress(), Some(Progress { done: 2, total: Some(3) }));
}

#[test]
fn bootstrap_progress_counts_conversations_and_continues_after_an_interruption() {
    let (mut pass, _) =
        pass_at(SyncPosition::Bootstrapping { after: Some(Continuation::new("more")), done: 2, total: Some(3) });
    let mut page = bootstrap_page(Some("rest"));
    page.changes.conversations = vec![conversation(7)];
    let _ = pass.next(Event::Bootstrapped(Ok(page)));
    assert_eq!(pass.progress(), Some(Progress { done: 3, total: Some(3) }));
}

#[test]
fn the_report_sums_up_all_pages() {
    let (mut pass, _) = pass_at(following("c"));
    let applied = || ApplyReport { applied: 5, new_messages: 3, unreadable: 2, ..ApplyReport::default() };
    for (cursor, more) in [("d", true), ("e", true)] {
        let _ = pass.next(Event::Pulled(Ok(pull_page(cursor, more))));
        let _ = pass.next(Event::PullApplied(applied()));
    }
    let full = pass.next(Event::StorageFailed(StorageError::new(StorageErrorKind::Full, "test")));
    let report = failed(&mut pass, &full).report;
    assert_eq!((report.pages, report.rows, report.new_messages, report.unreadable), (2, 10, 6, 4));
}

#[test]
fn outcomes_with_the_same_error_text_are_equal() {
    let ended = |kind| {
        let (mut pass, _) = pass_at(following("c"));
        let end = pass.next(Event::StorageFailed(StorageError::new(kind, "test")));
        failed(&mut pass, &end)
    };
    assert_eq!(ended(StorageErrorKind::Full), ended(StorageErrorKind::Full));
    assert_ne!(ended(StorageErrorKind::Full), ended(StorageErrorKind::ReadOnly));
}

#[test]
fn a_page_that_was_cut_off_is_requested_again_smaller_with_the_same_cursor() {
    let after = Some(Continuation::new("rest"));
    let (mut pass, _) = pass_at(SyncPosition::Bootstrapping { after: after.clone(), done: 2, total: Some(3) });
    let again = pass.next(Event::Bootstrapped(Err(error(RemoteErrorKind::Interrupted))));
    assert!(matches!(again, Effect::Bootstrap(request) if request.after == after && request.limit <= Some(1250)));

    let (mut pass, _) = pass_at(following("c"));
    let again = pass.next(Event::Pulled(Err(error(RemoteErrorKind::Interrupted))));
    assert!(matches!(again, Effect::Pull(request) if request.cursor == at("c") && request.limit <= Some(1250)));
}

#[test]
fn an_expired_cursor_begins_a_bootstrap_with_the_matching_reason() {
    for (reason, expected) in [
        (ExpiredReason::Epoch, BootstrapReason::Epoch),
        (ExpiredReason::Invalid, BootstrapReason::Epoch),
        (ExpiredReason::Access, BootstrapReason::Reconcile),
        (ExpiredReason::Compacted, BootstrapReason::Reconcile),
    ] {
        let (mut pass, _) = pass_at(following("c"));
        assert_eq!(pass.next(Event::Pulled(Err(expired(reason)))), Effect::BeginBootstrap(expected), "{reason:?}");
    }
}

#[test]
fn cursors_that_always_expire_end_the_pass() {
    let (mut pass, _) = pass_at(following("c"));
    for _ in 0..2 {
        let begin = pass.next(Event::Pulled(Err(expired(ExpiredReason::Epoch))));
        assert!(matches!(begin, Effect::BeginBootstrap(_)));
        let _ = pass.next(Event::BootstrapBegun);
        let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
        let _ = pass.next(Event::BootstrapApplied(applied()));
    }
    let end = pass.next(Event::Pulled(Err(expired(ExpiredReason::Epoch))));
    assert!(failed(&mut pass, &end).error.is_some());
}

#[test]
fn each_pull_uses_the_cursor_of_the_page_before() {
    let (mut pass, _) = pass_at(following("c"));
    let apply = pass.next(Event::Pulled(Ok(pull_page("d", true))));
    assert!(matches!(apply, Effect::ApplyPull { from, .. } if from == at("c")));
    let more = pass.next(Event::PullApplied(ApplyReport::default()));
    assert!(matches!(&more, Effect::Pull(request) if request.cursor == at("d")));
}

#[test]
fn pages_that_repeat_a_position_end_the_pass() {
    let (mut pass, _) = pass_at(following("c"));
    let end = pass.next(Event::Pulled(Ok(pull_page("c", true))));
    assert!(failed(&mut pass, &end).error.is_some(), "the cursor of the request");

    let (mut pass, _) = pass_at(following("c"));
    for cursor in ["a", "b"] {
        let _ = pass.next(Event::Pulled(Ok(pull_page(cursor, true))));
        assert!(matches!(pass.next(Event::PullApplied(ApplyReport::default())), Effect::Pull(_)));
    }
    let end = pass.next(Event::Pulled(Ok(pull_page("a", true))));
    assert!(failed(&mut pass, &end).error.is_some(), "earlier cursors");

    let (mut pass, _) = pass_after_first_screen();
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some("rest")))));
    let _ = pass.next(Event::BootstrapApplied(applied()));
    let end = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some("rest")))));
    assert!(failed(&mut pass, &end).error.is_some());
}

#[test]
fn too_many_empty_pages_end_the_pass() {
    let (mut pass, _) = pass_at(following("c"));
    for number in 0..50 {
        let page = fieldpost_domain::PullPage { changes: Default::default(), ..pull_page(&format!("c{number}"), true) };
        let next = pass.next(Event::Pulled(Ok(page)));
        if matches!(next, Effect::Remember { .. }) {
            assert!(failed(&mut pass, &next).error.is_some());
            assert_eq!(number, 10, "ten in a row are allowed");
            return;
        }
        let _ = pass.next(Event::PullApplied(ApplyReport::default()));
    }
    panic!("the pass does not end");
}

#[test]
fn pages_with_rows_are_not_limited_in_number() {
    let (mut pass, _) = pass_at(following("c"));
    for number in 0..50 {
        let _ = pass.next(Event::Pulled(Ok(pull_page(&format!("c{number}"), true))));
        let next = pass.next(Event::PullApplied(ApplyReport::default()));
        assert!(matches!(next, Effect::Pull(_)), "{number}: {next:?}");
    }

    let (mut pass, _) = pass_after_first_screen();
    for number in 0..50 {
        let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some(&format!("after {number}"))))));
        let next = pass.next(Event::BootstrapApplied(applied()));
        assert!(matches!(next, Effect::Bootstrap(_)), "{number}: {next:?}");
    }
}

fn differs() -> Event {
    Event::PullApplied(ApplyReport { digest_matches: Some(false), ..ApplyReport::default() })
}

/// Completes a new bootstrap, up to the pull after it.
fn reconcile(pass: &mut fieldpost_sync::machine::Pass) {
    let _ = pass.next(Event::BootstrapBegun);
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
    assert!(matches!(pass.next(Event::BootstrapApplied(applied())), Effect::Pull(_)));
}

#[test]
fn a_digest_is_compared_only_in_a_run_of_one_page() {
    let mut pass = pass_in_interrupted_run("the middle of a run");
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    let extra = pass.next(differs());
    assert!(matches!(&extra, Effect::Pull(request) if request.cursor == at("d")), "{extra:?}");
    let _ = pass.next(Event::Pulled(Ok(pull_page("e", true))));
    let _ = pass.next(Event::PullApplied(ApplyReport::default()));
    let _ = pass.next(Event::Pulled(Ok(pull_page("f", false))));
    assert!(matches!(pass.next(differs()), Effect::Pull(request) if request.cursor == at("f")), "two pages");
    let _ = pass.next(Event::Pulled(Ok(pull_page("g", false))));
    assert_eq!(
        pass.next(differs()),
        Effect::BeginBootstrap(BootstrapReason::Reconcile),
        "now the digest is comparable"
    );
}

#[test]
fn extra_pulls_for_a_digest_are_limited_on_a_busy_server() {
    let (mut pass, _) = pass_at(following("c"));
    for run in 0..10 {
        let _ = pass.next(Event::Pulled(Ok(pull_page(&format!("first of {run}"), true))));
        let _ = pass.next(Event::PullApplied(ApplyReport::default()));
        let _ = pass.next(Event::Pulled(Ok(pull_page(&format!("last of {run}"), false))));
        if pass.next(differs()) == Effect::BeginBootstrap(BootstrapReason::Reconcile) {
            assert_eq!(run, 3, "a bootstrap after three extra runs");
            return;
        }
    }
    panic!("the pass does not end");
}

#[test]
fn a_digest_that_still_differs_after_a_bootstrap_causes_no_second_one() {
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(pull_page("e", false))));
    assert_eq!(pass.next(differs()), Effect::BeginBootstrap(BootstrapReason::Reconcile));
    reconcile(&mut pass);
    let _ = pass.next(Event::Pulled(Ok(pull_page("f", false))));
    assert!(matches!(pass.next(differs()), Effect::ReadMissing { .. }), "in this pass");

    let mut next = pass_after(unwritten_memory(&pass));
    let _ = next.next(Event::Batch(vec![]));
    let _ = next.next(state(following("f")));
    let _ = next.next(Event::Pulled(Ok(pull_page("g", false))));
    assert!(matches!(next.next(differs()), Effect::ReadMissing { .. }), "nor in the next, for the same difference");
}

#[test]
fn an_interrupted_run_is_followed_by_a_new_run() {
    for rest in [pull_page("d", false), empty_pull_page("d", false)] {
        let mut pass = pass_in_interrupted_run("the middle of a run");
        let _ = pass.next(Event::Pulled(Ok(rest)));
        let extra = pass.next(Event::PullApplied(ApplyReport::default()));
        assert!(matches!(&extra, Effect::Pull(request) if request.cursor == at("d")), "{extra:?}");
        let _ = pass.next(Event::Pulled(Ok(pull_page("e", false))));
        assert!(matches!(pass.next(Event::PullApplied(applied())), Effect::ReadMissing { .. }), "one extra run");
    }
}

#[test]
fn a_run_that_begins_in_this_pass_is_not_pulled_again() {
    let (mut pass, _) = pass_at(following("where the last run ended"));
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", true))));
    let _ = pass.next(Event::PullApplied(applied()));
    let _ = pass.next(Event::Pulled(Ok(pull_page("e", false))));
    let end = pass.next(Event::PullApplied(applied()));
    assert!(matches!(end, Effect::ReadMissing { .. }), "{end:?}");
}

#[test]
fn a_page_that_times_out_is_requested_smaller_by_the_next_pass() {
    let (mut pass, first) = pass_at(following("c"));
    assert!(matches!(first, Effect::Pull(request) if request.limit.is_none()));
    let mut next = pass_after(saved_memory(pass.next(Event::Pulled(Err(error(RemoteErrorKind::TimedOut))))));
    let _ = next.next(Event::Batch(vec![]));
    let smaller = next.next(state(following("c")));
    assert!(matches!(smaller, Effect::Pull(request) if request.limit.is_some_and(|rows| rows <= 1250)));
    let quick = Transfer { bytes: 500_000, took: Duration::from_secs(1) };
    let _ = next.next(Event::Pulled(Ok(PullPage { transfer: quick, ..pull_page("d", true) })));
    let whole = next.next(Event::PullApplied(ApplyReport::default()));
    assert!(matches!(whole, Effect::Pull(request) if request.limit.is_none()), "and at full size after a success");
}

#[test]
fn a_superseded_position_is_read_again_a_limited_number_of_times() {
    let superseded = || Event::StorageFailed(StorageError::new(StorageErrorKind::Superseded, "apply_pull"));
    let (mut pass, _) = pass_at(following("c"));
    for _ in 0..3 {
        let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
        assert_eq!(pass.next(superseded()), Effect::ReadState);
        let _ = pass.next(state(following("c")));
    }
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    let end = pass.next(superseded());
    let end = failed(&mut pass, &end);
    assert!(end.error.is_some());
    assert_eq!(end.report.superseded, 3);
}

#[test]
fn effects_that_write_name_their_operation() {
    let (mut pass, _) = pass_at(SyncPosition::Fresh);
    let _ = pass.next(Event::BootstrapBegun);
    let first_load = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
    let asks = pass.next(Event::BootstrapApplied(applied()));
    let news = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    let older = Effect::ApplyHistory(Box::new(history_page(1)));
    let checked = Effect::ApplyCheck(Box::new(history_page(1)));
    let names = [&first_load, &asks, &news, &older, &checked].map(Effect::operation);
    let history = Some("apply_history");
    assert_eq!(names, [Some("apply_bootstrap"), None, Some("apply_pull"), history, history]);
}

#[test]
fn a_failing_store_ends_the_pass() {
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    let full = StorageError::new(StorageErrorKind::Full, "apply_pull");
    let end = pass.next(Event::StorageFailed(full));
    assert!(failed(&mut pass, &end).error.is_some());
}

#[test]
fn read_marks_that_a_page_queues_ask_for_another_pass() {
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    assert!(!pass.result(None).more_to_push);
    let _ = pass.next(Event::PullApplied(ApplyReport { marked_again: 1, ..ApplyReport::default() }));
    assert!(pass.result(None).more_to_push);

    let (mut pass, _) = pass_at(SyncPosition::Fresh);
    let _ = pass.next(Event::BootstrapBegun);
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
    let _ = pass.next(Event::BootstrapApplied(ApplyReport { marked_again: 1, ..ApplyReport::default() }));
    assert!(pass.result(None).more_to_push);
}

#[test]
fn an_oversized_page_is_halved_within_the_pass() {
    for kind in [RemoteErrorKind::Oversized, RemoteErrorKind::TooLarge] {
        let (mut pass, mut next) = pass_at(following("c"));
        for limit in [None, Some(1250), Some(625)] {
            assert!(matches!(&next, Effect::Pull(request) if request.limit == limit && request.cursor == at("c")));
            next = pass.next(Event::Pulled(Err(error(kind))));
        }
        assert!(matches!(&next, Effect::Pull(request) if request.limit == Some(312)));
        assert!(matches!(pass.next(Event::Pulled(Ok(pull_page("d", true)))), Effect::ApplyPull { .. }));
        let next = pass.next(Event::PullApplied(applied()));
        assert!(matches!(next, Effect::Pull(request) if request.limit == Some(624)), "and grows back");
    }
}

#[test]
fn an_oversized_row_is_skipped_by_one_bootstrap_per_pass() {
    let oversized = || error(RemoteErrorKind::Oversized);
    let (mut pass, mut next) = pass_at(following("c"));
    while matches!(next, Effect::Pull(_)) {
        next = pass.next(Event::Pulled(Err(oversized())));
    }
    assert_eq!(next, Effect::BeginBootstrap(BootstrapReason::Reconcile));
    let next = pass.next(Event::BootstrapBegun);
    assert!(matches!(next, Effect::Bootstrap(request) if request.messages.is_none() && request.limit == Some(1)));

    // The conversation is too large with its last message, so the messages come as history later.
    let next = pass.next(Event::Bootstrapped(Err(oversized())));
    assert!(matches!(next, Effect::Bootstrap(request) if request.messages == Some(0) && request.after.is_none()));
    let Effect::ApplyBootstrap { next, .. } = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some("b"))))) else {
        panic!("the page is not applied")
    };
    assert!(next.is_some_and(|request| request.messages.is_none()), "the following pages have messages again");
    let _ = pass.next(Event::BootstrapApplied(applied()));
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
    let mut next = pass.next(Event::BootstrapApplied(applied()));
    while matches!(next, Effect::Pull(_)) {
        next = pass.next(Event::Pulled(Err(oversized())));
    }
    let end = failed(&mut pass, &next);
    assert!(end.error.is_some(), "once in a pass");
    assert_eq!(end.report.oversized, 2);
}
