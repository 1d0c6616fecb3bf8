//! The audit phase as a table.

use crate::given::*;
use fieldpost_domain::{AuditId, records::AuditEntry};
use fieldpost_remote::{
    AuditAnswer,
    RemoteErrorKind::{self, *},
};
use fieldpost_sync::machine::records::{RecordEffect, RecordEvent, RecordPass};

fn pass_that_audits() -> RecordPass {
    let mut pass = pass_of_others();
    let _ = pass.next(RecordEvent::Batch(vec![]));
    let effect = pass.next(RecordEvent::State { cursor: None, tables: vec![] });
    assert_eq!(effect, RecordEffect::ReadAudit { limit: 500 });
    pass
}

fn entries(count: u128) -> Vec<AuditEntry> {
    (0..count).map(read_by_somebody).collect()
}

fn ids_of(entries: &[AuditEntry]) -> Vec<AuditId> {
    entries.iter().map(|entry| entry.id).collect()
}

fn stored(entries: &[AuditEntry]) -> RecordEvent {
    RecordEvent::AuditPushed(Ok(AuditAnswer { stored: ids_of(entries), refused: vec![] }))
}

fn fails(pass: &mut RecordPass, kind: RemoteErrorKind) -> RecordEffect {
    pass.next(RecordEvent::AuditPushed(Err(failed(kind))))
}

#[test]
fn what_is_uploaded_or_refused_for_good_leaves_the_log() {
    let mut pass = pass_that_audits();
    assert_eq!(pass.next(RecordEvent::Audit(entries(2))), RecordEffect::PushAudit(entries(2)));
    let [first, second] = [0, 1].map(|number| read_by_somebody(number).id);
    let answer = AuditAnswer { stored: vec![first], refused: vec![(second, "id_taken".to_owned())] };
    let effect = pass.next(RecordEvent::AuditPushed(Ok(answer)));
    assert_eq!(effect, RecordEffect::Audited(vec![first, second]));
    let _ = pass.next(RecordEvent::AuditSettled);
    let effect = pass.next(RecordEvent::Audit(vec![]));
    let report = end(&mut pass, effect).report;
    assert_eq!((report.audited, report.audit_refused), (1, 1));
}

#[test]
fn one_pass_makes_four_calls_for_the_log_at_most() {
    let mut pass = pass_that_audits();
    let mut calls = 0;
    loop {
        let _ = pass.next(RecordEvent::Audit(entries(500)));
        calls += 1;
        let _ = pass.next(stored(&entries(500)));
        match pass.next(RecordEvent::AuditSettled) {
            RecordEffect::ReadAudit { .. } => {}
            effect => break assert_eq!(effect, RecordEffect::Remember { succeeded: true }),
        }
    }
    assert_eq!(calls, 4);
}

#[test]
fn a_log_that_cannot_be_uploaded_fails_nothing() {
    for kind_of_failure in [Unavailable, NotFieldpost, Interrupted, BadRequest, Unreachable] {
        let mut pass = pass_that_audits();
        let _ = pass.next(RecordEvent::Audit(entries(3)));
        let effect = fails(&mut pass, kind_of_failure);
        assert_eq!(effect, RecordEffect::Remember { succeeded: true }, "{kind_of_failure:?}");
        let outcome = end(&mut pass, effect);
        assert!(outcome.error.is_none());
        assert!(outcome.audit_error.is_some());
        assert!(pass.result(None).connection.is_none());
    }
}

#[test]
fn a_server_that_asks_to_slow_down_is_heeded() {
    let mut pass = pass_that_audits();
    let _ = pass.next(RecordEvent::Audit(entries(3)));
    let effect = fails(&mut pass, RateLimited);
    let outcome = end(&mut pass, effect);
    assert_eq!(kind(&outcome), Some(RateLimited));
}

#[test]
fn an_upload_that_is_too_much_is_halved() {
    let mut pass = pass_that_audits();
    let _ = pass.next(RecordEvent::Audit(entries(300)));
    assert_eq!(fails(&mut pass, TooLarge), RecordEffect::ReadAudit { limit: 150 });
}

#[test]
fn a_server_that_stores_nothing_is_not_asked_again() {
    let mut pass = pass_that_audits();
    let _ = pass.next(RecordEvent::Audit(entries(3)));
    assert_eq!(pass.next(stored(&[])), RecordEffect::Remember { succeeded: true });
}
