//! The repair phase.

use crate::given::*;
use fieldpost_domain::Seq;
use fieldpost_remote::RemoteErrorKind;
use fieldpost_storage::MissingRange;
use fieldpost_sync::machine::{Effect, Event, Pass};

fn missing(number: u128, before: u64) -> MissingRange {
    MissingRange { conversation_id: lane(number), before: Some(Seq::new(before)), newest: Seq::new(before - 1) }
}

/// A pass that has pulled and reads what is missing.
fn pulled() -> Pass {
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(empty_page("d"))));
    assert!(matches!(pass.next(Event::PullApplied(applied())), Effect::ReadMissing { .. }));
    pass
}

#[test]
fn missing_parts_are_fetched_one_by_one_and_read_again() {
    let mut pass = pulled();
    let first = pass.next(Event::Missing(vec![missing(1, 9), missing(2, 5)]));
    assert!(matches!(&first, Effect::History(request) if request.conversation_id == lane(1)), "in the order listed");
    assert!(matches!(pass.next(Event::HistoryRead(Ok(history_page(1)))), Effect::ApplyHistory(_)));
    assert!(matches!(pass.next(Event::HistoryApplied(applied())), Effect::History(_)));
    let _ = pass.next(Event::HistoryRead(Ok(history_page(2))));
    assert!(matches!(pass.next(Event::HistoryApplied(applied())), Effect::ReadMissing { .. }));
    assert!(is_success(&pass.next(Event::Missing(vec![]))));
    assert_eq!(outcome(pass.next(Event::Remembered)).report.repaired, 2);
}

#[test]
fn a_conversation_that_is_not_found_is_skipped() {
    let mut pass = pulled();
    let _ = pass.next(Event::Missing(vec![missing(1, 9), missing(2, 5)]));
    let next = pass.next(Event::HistoryRead(Err(error(RemoteErrorKind::NotFound))));
    assert!(matches!(next, Effect::History(request) if request.conversation_id == lane(2)));
}

#[test]
fn a_failed_history_call_fails_the_pass() {
    let mut pass = pulled();
    let _ = pass.next(Event::Missing(vec![missing(1, 9)]));
    let end = pass.next(Event::HistoryRead(Err(error(RemoteErrorKind::Unavailable))));
    let end = failed(&mut pass, &end);
    assert!(end.error.is_some());
}

#[test]
fn a_part_that_stays_missing_is_requested_once_per_pass() {
    let mut pass = pulled();
    let _ = pass.next(Event::Missing(vec![missing(1, 9)]));
    let _ = pass.next(Event::HistoryRead(Ok(history_page(1))));
    let _ = pass.next(Event::HistoryApplied(applied()));
    assert!(is_success(&pass.next(Event::Missing(vec![missing(1, 9)]))));
}

#[test]
fn a_lost_history_page_is_requested_again() {
    let mut pass = pulled();
    let first = pass.next(Event::Missing(vec![missing(1, 9)]));
    assert_eq!(pass.next(Event::HistoryRead(Err(error(RemoteErrorKind::Interrupted)))), first);
}

#[test]
fn a_pass_fetches_at_most_200_parts() {
    let mut pass = pulled();
    let mut next = pass.next(Event::Missing((1..=300).map(|number| missing(number, 9)).collect()));
    let mut fetched = 0;
    while matches!(next, Effect::History(_)) {
        fetched += 1;
        let _ = pass.next(Event::HistoryRead(Ok(history_page(1))));
        next = pass.next(Event::HistoryApplied(applied()));
    }
    assert!(is_success(&next) && fetched == 200);
}

#[test]
fn an_oversized_history_page_is_halved_and_an_oversized_message_recorded_as_unreadable() {
    for kind in [RemoteErrorKind::Oversized, RemoteErrorKind::TooLarge] {
        let mut pass = pulled();
        let mut next = pass.next(Event::Missing(vec![missing(1, 9), missing(2, 5)]));
        let mut limits = Vec::new();
        while let Effect::History(request) = &next {
            assert_eq!((request.conversation_id, request.before), (lane(1), Some(Seq::new(9))));
            limits.extend(request.limit);
            next = pass.next(Event::HistoryRead(Err(error(kind))));
        }
        assert_eq!(limits, [100, 50, 25, 12, 6, 3, 1]);
        let Effect::ApplyHistory(page) = next else { panic!("{next:?}") };
        assert_eq!((page.conversation_id, page.range.from, page.range.to), (lane(1), Seq::new(8), Seq::new(8)));
        assert_eq!(page.changes.unreadable.len(), 1, "the message is recorded as unreadable");
        let after = pass.next(Event::HistoryApplied(applied()));
        assert!(matches!(after, Effect::History(request) if request.limit == Some(1)), "the next part is fetched");
        let _ = pass.next(Event::HistoryRead(Ok(history_page(2))));
        let _ = pass.next(Event::HistoryApplied(applied()));
        let _ = pass.next(Event::Missing(vec![]));
        let report = outcome(pass.next(Event::Remembered)).report;
        assert_eq!((report.oversized, report.repaired), (1, 2));
    }
}
