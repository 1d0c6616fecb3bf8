//! The follow phase.

use crate::given::*;
use fieldpost_domain::Continuation;
use fieldpost_remote::{ExpiredReason, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, BootstrapReason, StorageError, StorageErrorKind, SyncPosition};
use fieldpost_sync::{
    Progress,
    machine::{Effect, Event},
};

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
    let (mut pass, begin) = pass_at(SyncPosition::Fresh);
    assert_eq!(begin, Effect::BeginBootstrap(BootstrapReason::First));
    assert!(matches!(pass.next(Event::BootstrapBegun), Effect::Bootstrap(request) if request.after.is_none()));
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
    assert!(finish(&mut pass, pull).error.is_none());
}

#[test]
fn a_bootstrap_that_was_interrupted_goes_on_where_it_was() {
    let after = Some(Continuation::new("rest"));
    let (pass, effect) = pass_at(SyncPosition::Bootstrapping { after: after.clone(), done: 2, total: Some(3) });
    assert!(matches!(effect, Effect::Bootstrap(request) if request.after == after));
    assert_eq!(pass.progress(), Some(Progress { done: 2, total: Some(3) }));
}

#[test]
fn a_lost_page_is_asked_for_again_with_the_same_place() {
    let after = Some(Continuation::new("rest"));
    let (mut pass, first) = pass_at(SyncPosition::Bootstrapping { after, done: 2, total: Some(3) });
    assert_eq!(pass.next(Event::Bootstrapped(Err(error(RemoteErrorKind::Interrupted)))), first);

    let (mut pass, first) = pass_at(following("c"));
    assert_eq!(pass.next(Event::Pulled(Err(error(RemoteErrorKind::Interrupted)))), first);
}

#[test]
fn an_expired_cursor_starts_over_and_says_whether_versions_still_hold() {
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
fn a_server_whose_cursors_always_expire_ends_the_pass() {
    let (mut pass, _) = pass_at(following("c"));
    for _ in 0..2 {
        let begin = pass.next(Event::Pulled(Err(expired(ExpiredReason::Epoch))));
        assert!(matches!(begin, Effect::BeginBootstrap(_)));
        let _ = pass.next(Event::BootstrapBegun);
        let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
        let _ = pass.next(Event::BootstrapApplied(applied()));
    }
    let end = outcome(pass.next(Event::Pulled(Err(expired(ExpiredReason::Epoch)))));
    assert!(end.error.is_some());
}

#[test]
fn pulls_page_after_page_from_the_cursor_of_the_page_before() {
    let (mut pass, _) = pass_at(following("c"));
    let apply = pass.next(Event::Pulled(Ok(pull_page("d", true))));
    assert!(matches!(apply, Effect::ApplyPull { from, .. } if from == at("c")));
    let more = pass.next(Event::PullApplied(ApplyReport::default()));
    assert!(matches!(&more, Effect::Pull(request) if request.cursor == at("d")));
}

#[test]
fn a_page_that_does_not_move_the_cursor_does_not_loop() {
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(pull_page("c", true))));
    assert!(matches!(pass.next(Event::PullApplied(ApplyReport::default())), Effect::ReadMissing { .. }));
}

#[test]
fn digests_that_differ_lead_to_one_new_bootstrap() {
    let differs = || Event::PullApplied(ApplyReport { digest_matches: Some(false), ..ApplyReport::default() });
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    assert_eq!(pass.next(differs()), Effect::BeginBootstrap(BootstrapReason::Reconcile));
    let _ = pass.next(Event::BootstrapBegun);
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
    let _ = pass.next(Event::BootstrapApplied(applied()));
    let _ = pass.next(Event::Pulled(Ok(pull_page("e", false))));
    assert!(matches!(pass.next(differs()), Effect::ReadMissing { .. }), "once per pass");
    assert!(pass.reconciled());
}

#[test]
fn a_digest_after_several_pages_is_compared_again_after_one() {
    let differs = || Event::PullApplied(ApplyReport { digest_matches: Some(false), ..ApplyReport::default() });
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", true))));
    let _ = pass.next(Event::PullApplied(ApplyReport::default()));
    let _ = pass.next(Event::Pulled(Ok(pull_page("e", false))));
    let again = pass.next(differs());
    assert!(matches!(&again, Effect::Pull(request) if request.cursor == at("e")), "{again:?}");
    let _ = pass.next(Event::Pulled(Ok(pull_page("f", false))));
    assert_eq!(pass.next(differs()), Effect::BeginBootstrap(BootstrapReason::Reconcile), "now it is so");
}

#[test]
fn a_position_that_another_process_moved_is_read_again_but_not_forever() {
    let superseded = || Event::StorageFailed(StorageError::new(StorageErrorKind::Superseded, "apply_pull"));
    let (mut pass, _) = pass_at(following("c"));
    for _ in 0..3 {
        let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
        assert_eq!(pass.next(superseded()), Effect::ReadState);
        let _ = pass.next(state(following("c")));
    }
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    assert!(outcome(pass.next(superseded())).error.is_some());
}

#[test]
fn a_failing_store_ends_the_pass() {
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    let full = StorageError::new(StorageErrorKind::Full, "apply_pull");
    assert!(outcome(pass.next(Event::StorageFailed(full))).error.is_some());
}
