//! The pull phase as a table.

use crate::given::*;
use fieldpost_remote::{
    ExpiredReason,
    RemoteErrorKind::{self, *},
};
use fieldpost_storage::{
    ReducedSize, StorageError, StorageErrorKind,
    records::{RecordApplyReport, RecordMemory},
};
use fieldpost_sync::machine::records::{RecordEffect, RecordEvent, RecordPass};

fn applied(pass: &mut RecordPass) -> RecordEffect {
    pass.next(RecordEvent::Applied(RecordApplyReport { changed: 1, removed: 0 }))
}

/// Applies a page, whatever is saved before.
fn applies(pass: &mut RecordPass, effect: RecordEffect) -> RecordEffect {
    match effect {
        RecordEffect::Remember { succeeded: false } => {
            let effect = pass.next(RecordEvent::Remembered);
            applies(pass, effect)
        }
        RecordEffect::Apply { .. } => applied(pass),
        other => panic!("the pass continues with {other:?}"),
    }
}

fn fails(pass: &mut RecordPass, kind: RemoteErrorKind) -> RecordEffect {
    pass.next(RecordEvent::Pulled(Err(failed(kind))))
}

#[test]
fn a_page_is_applied_with_the_cursor_of_its_request() {
    let (mut pass, request) = pass_that_pulls(Some("c"));
    assert_eq!((request.cursor, request.tables, request.limit), (Some(cursor("c")), vec![table("visits")], None));
    let effect = pass.next(RecordEvent::Pulled(Ok(page("d", false, 2))));
    assert_eq!(effect, RecordEffect::Apply { from: Some(cursor("c")), page: Box::new(page("d", false, 2)) });
    assert!(matches!(applied(&mut pass), RecordEffect::ReadAudit { .. }));
}

#[test]
fn pages_are_pulled_until_there_is_no_more() {
    let (mut pass, request) = pass_that_pulls(None);
    assert_eq!(request.cursor, None);
    let effect = pass.next(RecordEvent::Pulled(Ok(page("1", true, 2))));
    assert_eq!(effect, RecordEffect::Remember { succeeded: false }, "that a run is open is known in the next process");
    assert!(pass.learn(RecordMemory::default()).run_open);
    assert_eq!(pulls(applies(&mut pass, effect)).cursor, Some(cursor("1")));
    let effect = pass.next(RecordEvent::Pulled(Ok(page("2", true, 2))));
    assert!(matches!(effect, RecordEffect::Apply { .. }), "that is saved once");
    assert_eq!(pulls(applied(&mut pass)).cursor, Some(cursor("2")));
    let effect = pass.next(RecordEvent::Pulled(Ok(page("3", false, 2))));
    assert!(matches!(applies(&mut pass, effect), RecordEffect::ReadAudit { .. }));
    assert!(!pass.learn(RecordMemory::default()).run_open);
    let effect = pass.next(RecordEvent::Audit(vec![]));
    assert_eq!(effect, RecordEffect::Remember { succeeded: true });
    let report = end(&mut pass, effect).report;
    assert_eq!((report.loads, report.pages, report.changed), (1, 3, 3));
}

#[test]
fn an_interrupted_run_is_followed_by_a_new_one() {
    let memory = RecordMemory { run_open: true, ..RecordMemory::default() };
    let (mut pass, _) = pass_that_pulls_after(memory, Some("c"));
    let effect = pass.next(RecordEvent::Pulled(Ok(page("d", false, 0))));
    assert_eq!(pulls(applies(&mut pass, effect)).cursor, Some(cursor("d")), "what was committed since it began");
    let effect = pass.next(RecordEvent::Pulled(Ok(page("e", false, 0))));
    assert!(matches!(applies(&mut pass, effect), RecordEffect::ReadAudit { .. }));
}

#[test]
fn without_declared_tables_nothing_is_pulled() {
    let mut pass = pass_of_others();
    let _ = pass.next(RecordEvent::Batch(vec![]));
    let effect = pass.next(RecordEvent::State { cursor: None, tables: vec![] });
    assert!(matches!(effect, RecordEffect::ReadAudit { .. }));
}

#[test]
fn an_expired_cursor_begins_a_first_load_once_per_pass() {
    let (mut pass, _) = pass_that_pulls(Some("old"));
    assert_eq!(fails(&mut pass, CursorExpired(ExpiredReason::Tables)), RecordEffect::BeginLoad);
    assert_eq!(pulls(pass.next(RecordEvent::LoadBegun)).cursor, None);
    let effect = fails(&mut pass, CursorExpired(ExpiredReason::Access));
    assert!(matches!(effect, RecordEffect::ReadAudit { .. }));
    let effect = pass.next(RecordEvent::Audit(vec![]));
    let outcome = end(&mut pass, effect);
    assert_eq!(kind(&outcome), Some(CursorExpired(ExpiredReason::Access)));
    assert!(pass.result(outcome.error.as_ref()).connection.is_some());
}

#[test]
fn a_position_that_another_process_has_moved_is_read_again_a_few_times() {
    let (mut pass, _) = pass_that_pulls(Some("c"));
    let superseded = || RecordEvent::StorageFailed(StorageError::new(StorageErrorKind::Superseded, "apply_records"));
    for _ in 0..3 {
        assert_eq!(pass.next(superseded()), RecordEffect::ReadState);
        let _ = pulls(pass.next(state(Some("d"))));
    }
    let effect = pass.next(superseded());
    assert_eq!(end(&mut pass, effect).report.superseded, 3);
}

#[test]
fn pages_that_repeat_a_cursor_or_stay_empty_end_the_pull() {
    let (mut pass, _) = pass_that_pulls(Some("c"));
    let effect = pass.next(RecordEvent::Pulled(Ok(page("c", true, 1))));
    assert!(matches!(effect, RecordEffect::ReadAudit { .. }));
    let effect = pass.next(RecordEvent::Audit(vec![]));
    assert_eq!(kind(&end(&mut pass, effect)), Some(Malformed));

    let (mut pass, _) = pass_that_pulls(Some("c"));
    let mut pages = 0;
    loop {
        pages += 1;
        match pass.next(RecordEvent::Pulled(Ok(page(&format!("c{pages}"), true, 0)))) {
            RecordEffect::ReadAudit { .. } => break,
            effect => drop(pulls(applies(&mut pass, effect))),
        }
    }
    assert_eq!(pages, 11);
}

#[test]
fn a_page_that_is_too_much_is_requested_again_at_half_the_size() {
    for kind_of_failure in [TooLarge, Oversized, StatementTimeout] {
        let (mut pass, _) = pass_that_pulls(Some("c"));
        let again = pulls(fails(&mut pass, kind_of_failure));
        assert_eq!((again.cursor, again.limit), (Some(cursor("c")), Some(1250)));
        assert_eq!(pulls(fails(&mut pass, kind_of_failure)).limit, Some(625));
    }
}

#[test]
fn a_single_row_that_is_too_much_fails_the_pull() {
    let page_size = ReducedSize { rows: Some(1), ..ReducedSize::default() };
    let (mut pass, _) = pass_that_pulls_after(RecordMemory { page_size, ..RecordMemory::default() }, Some("c"));
    assert!(matches!(fails(&mut pass, TooLarge), RecordEffect::ReadAudit { .. }));
}

#[test]
fn a_lost_page_is_requested_once_more_and_a_dead_line_ends_the_pass() {
    let (mut pass, _) = pass_that_pulls(Some("c"));
    assert_eq!(pulls(fails(&mut pass, Interrupted)).cursor, Some(cursor("c")));
    let effect = fails(&mut pass, Interrupted);
    let outcome = end(&mut pass, effect);
    assert_eq!((kind(&outcome), outcome.report.repeated), (Some(Interrupted), 1));
    for dead in [Unreachable, Unauthorized, NotFieldpost, RateLimited, Intercepted] {
        let (mut pass, _) = pass_that_pulls(Some("c"));
        let effect = fails(&mut pass, dead);
        assert_eq!(kind(&end(&mut pass, effect)), Some(dead), "and the audit log is not tried");
    }
}

#[test]
fn unreadable_rows_and_lost_changes_are_counted_for_ever() {
    let (mut pass, _) = pass_that_pulls(Some("c"));
    let odd = fieldpost_domain::records::RecordPage { unreadable: 2, ..page("d", true, 1) };
    let effect = pass.next(RecordEvent::Pulled(Ok(odd)));
    let kept = RecordMemory { unreadable: 5, ..RecordMemory::default() };
    assert_eq!(pass.learn(kept).unreadable, 7);
    let _ = applies(&mut pass, effect);
    assert_eq!(pass.learn(RecordMemory { unreadable: 7, ..kept }).unreadable, 7, "counted once");
}
