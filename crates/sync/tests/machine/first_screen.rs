//! What an empty device shows first.

use crate::given::*;
use fieldpost_domain::{Changes, Continuation};
use fieldpost_remote::{BootstrapRequest, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, BootstrapReason, SyncPosition};
use fieldpost_sync::{
    Progress,
    machine::{Effect, Event, Pass},
};

/// A pass of an empty device that has begun its bootstrap, with its first request.
fn empty_device() -> (Pass, Effect) {
    pass_at(SyncPosition::Bootstrapping { after: None, done: 0, total: None })
}

fn first_full_page() -> BootstrapRequest {
    BootstrapRequest::default()
}

#[test]
fn an_empty_device_requests_a_first_screen_and_then_the_bootstrap() {
    let (mut pass, begin) = pass_at(SyncPosition::Fresh);
    assert_eq!(begin, Effect::BeginBootstrap(BootstrapReason::First));
    let first_screen = pass.next(Event::BootstrapBegun);
    assert!(matches!(&first_screen, Effect::Bootstrap(request) if request.after.is_none() && request.limit.is_some()));

    let apply = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some("where a bootstrap would go on")))));
    let Effect::ApplyFirstScreen { next, .. } = apply else { panic!("{apply:?}") };
    assert_eq!(next, Some(first_full_page()), "it may be prefetched");
    assert_eq!(pass.progress(), Some(Progress { done: 0, total: Some(3) }), "the bootstrap counts from zero");

    assert_eq!(pass.next(Event::BootstrapApplied(applied())), Effect::BeginBootstrap(BootstrapReason::First));
    assert_eq!(pass.next(Event::BootstrapBegun), Effect::Bootstrap(first_full_page()));
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
    let pull = pass.next(Event::BootstrapApplied(applied()));
    assert_eq!(finish(&mut pass, pull).report.bootstraps, 1, "they count as one bootstrap");
}

#[test]
fn a_device_that_stopped_after_its_first_screen_begins_the_bootstrap_without_another() {
    let (mut next, begin) = pass_at(SyncPosition::FirstScreen);
    assert_eq!(begin, Effect::BeginBootstrap(BootstrapReason::First));
    assert_eq!(next.next(Event::BootstrapBegun), Effect::Bootstrap(first_full_page()));
}

#[test]
fn a_lost_first_screen_is_requested_again() {
    let (mut pass, first_screen) = empty_device();
    let again = pass.next(Event::Bootstrapped(Err(error(RemoteErrorKind::Interrupted))));
    assert_eq!(again, first_screen, "at once");

    let _ = pass.next(Event::Bootstrapped(Err(error(RemoteErrorKind::Interrupted))));
    assert_eq!(empty_device().1, first_screen, "and by the next pass");
}

#[test]
fn a_first_screen_that_holds_everything_counts_as_the_bootstrap() {
    let (mut pass, _) = empty_device();
    let mut page = bootstrap_page(None);
    page.changes.conversations = vec![conversation(7)];
    let apply = pass.next(Event::Bootstrapped(Ok(page)));
    assert!(matches!(apply, Effect::ApplyBootstrap { page, next: None, .. } if page.next_after.is_none()));
    assert!(matches!(pass.next(Event::BootstrapApplied(applied())), Effect::Pull(_)));
}

#[test]
fn a_first_screen_without_all_messages_does_not_count_as_the_bootstrap() {
    let (mut pass, _) = empty_device();
    let mut long = conversation(7);
    long.last_seq = fieldpost_domain::Seq::new(2);
    let mut page = bootstrap_page(None);
    page.changes = Changes { conversations: vec![conversation(8), long], ..Changes::default() };
    let _ = pass.next(Event::Bootstrapped(Ok(page)));
    assert_eq!(pass.next(Event::BootstrapApplied(applied())), Effect::BeginBootstrap(BootstrapReason::First));
}

#[test]
fn a_device_that_has_applied_a_page_requests_no_first_screen() {
    let whole = Some(Continuation::new("rest"));
    let (mut pass, _) = pass_at(SyncPosition::Bootstrapping { after: whole, done: 2, total: Some(3) });
    let apply = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some("more")))));
    let next = BootstrapRequest { after: Some(Continuation::new("more")), ..first_full_page() };
    assert!(matches!(&apply, Effect::ApplyBootstrap { next: Some(ahead), .. } if *ahead == next));
    let _ = pass.next(Event::BootstrapApplied(applied()));

    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Err(expired(fieldpost_remote::ExpiredReason::Epoch))));
    assert_eq!(pass.next(Event::BootstrapBegun), Effect::Bootstrap(first_full_page()));
}

#[test]
fn unreadable_rows_of_a_first_screen_are_counted_once() {
    let (mut pass, _) = empty_device();
    let applied = || Event::BootstrapApplied(ApplyReport { unreadable: 1, new_messages: 1, ..ApplyReport::default() });
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some("rest")))));
    let _ = pass.next(applied());
    let _ = pass.next(Event::BootstrapBegun);
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(None))));
    let pull = pass.next(applied());
    let report = finish(&mut pass, pull).report;
    assert_eq!((report.unreadable, report.new_messages), (1, 2));
}
