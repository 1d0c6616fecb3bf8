//! Pushes after which nothing is left to pull.

use crate::given::*;
use fieldpost_domain::{
    Acknowledgement, Capability, Cursor, Mutation, PushOutcome, ReadMarker, Refusal, RefusalCode, RetryCode, Seq,
    ServerInfo, Version,
};
use fieldpost_remote::{PushRequest, RemoteErrorKind};
use fieldpost_storage::{SettleReport, SyncMemory, SyncPosition, SyncState};
use fieldpost_sync::machine::{Effect, Event, Pass};

/// A store that follows a server of this version.
fn up_to_date() -> SyncState {
    let capabilities = [Capability::QuietPush].into();
    SyncState { server: Some(ServerInfo { sql_version: Some(2), capabilities }), ..sync_state_at(following("here")) }
}

fn begun(mut pass: Pass, state: SyncState) -> Pass {
    assert!(matches!(pass.next(Event::Recalled(Box::new(state))), Effect::ReadBatch { .. }));
    pass
}

/// The cursor that is sent with the next batch.
fn sends(pass: &mut Pass, batch: Vec<Mutation>) -> Option<Cursor> {
    match pass.next(Event::Batch(batch.clone())) {
        Effect::Push(PushRequest { mutations, cursor }) if mutations == batch => cursor,
        other => panic!("expected a push, got {other:?}"),
    }
}

fn marked() -> PushOutcome {
    PushOutcome::Acknowledged(Acknowledgement::Marked(ReadMarker {
        conversation_id: lane(1),
        person_id: fieldpost_domain::PersonId::from_uuid(uuid::Uuid::nil()),
        delivered_seq: Seq::new(1),
        read_seq: Seq::new(1),
        delivered_at: None,
        read_at: None,
        version: Version::new(1),
    }))
}

fn quiet(outcomes: Vec<(u128, PushOutcome)>, cursor: &str) -> Event {
    let Event::Pushed(Ok(mut pushed)) = answer(outcomes) else { panic!("an answer") };
    pushed.quiet = Some(at(cursor));
    Event::Pushed(Ok(pushed))
}

fn moved(moved: bool) -> Event {
    Event::Settled(SettleReport { acknowledged: 1, moved, ..SettleReport::default() })
}

#[test]
fn a_pass_whose_push_is_quiet_pulls_nothing() {
    let mut pass = begun(Pass::new(), up_to_date());
    assert_eq!(sends(&mut pass, vec![mutation(1, 1)]), Some(at("here")));
    let settle = pass.next(quiet(vec![(1, marked())], "there"));
    assert!(matches!(&settle, Effect::SettleQuiet { results, from, to }
        if results.len() == 1 && (from, to) == (&at("here"), &at("there"))));
    assert!(matches!(pass.next(moved(true)), Effect::ReadBatch { .. }));
    let next = pass.next(Event::Batch(vec![]));
    assert!(matches!(next, Effect::ReadMissing { .. }), "{next:?}");
    let end = pass.next(Event::Missing(vec![]));
    assert!(is_success(&end));
    assert_eq!(outcome(pass.next(Event::Remembered)).report.requests, 1);
}

#[test]
fn every_batch_has_to_be_quiet_from_where_the_one_before_has_led() {
    let mut pass = begun(Pass::new(), up_to_date());
    sends(&mut pass, vec![mutation(1, 1)]);
    let _ = pass.next(quiet(vec![(1, marked())], "there"));
    let _ = pass.next(moved(true));
    assert_eq!(sends(&mut pass, vec![mutation(2, 1)]), Some(at("there")));
    assert!(matches!(pass.next(answer(vec![(2, marked())])), Effect::Settle(_)), "somebody has written");
    let _ = pass.next(settled(1, 0));
    assert_eq!(sends(&mut pass, vec![mutation(3, 1)]), None, "a pull follows in any case");
    assert!(matches!(pass.next(quiet(vec![(3, marked())], "elsewhere")), Effect::Settle(_)), "nobody asked");
    let _ = pass.next(settled(1, 0));
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
}

#[test]
fn a_pass_pulls_when_the_store_has_not_moved() {
    let mut pass = begun(Pass::new(), up_to_date());
    sends(&mut pass, vec![mutation(1, 1)]);
    let _ = pass.next(quiet(vec![(1, marked())], "there"));
    let _ = pass.next(moved(false));
    assert_eq!(sends(&mut pass, vec![mutation(2, 1)]), None);
    let _ = pass.next(answer(vec![(2, marked())]));
    let _ = pass.next(settled(1, 0));
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
}

#[test]
fn only_a_device_that_is_up_to_date_sends_its_cursor() {
    let cases: [(&str, SyncState); 5] = [
        ("a bootstrap runs", SyncState { position: SyncPosition::Fresh, ..up_to_date() }),
        ("a run of pages is open", SyncState { run_open: true, ..up_to_date() }),
        ("an older server", SyncState { server: Some(ServerInfo::default()), ..up_to_date() }),
        ("no server yet", SyncState { server: None, ..up_to_date() }),
        ("a capability is new", SyncState { memory: SyncMemory::default(), ..up_to_date() }),
    ];
    for (why, state) in cases {
        assert_eq!(sends(&mut begun(Pass::new(), state), vec![mutation(1, 1)]), None, "{why}");
    }
    let timer = Pass::new().checking(true);
    assert_eq!(sends(&mut begun(timer, up_to_date()), vec![mutation(1, 1)]), None, "the timer pulls");
}

#[test]
fn a_result_that_is_no_row_is_not_quiet() {
    let retry = PushOutcome::Retry(RetryCode::Conflict);
    let refused = PushOutcome::Rejected(Refusal { code: RefusalCode::Forbidden, detail: None });
    for (why, result) in [("its row could not be read", acknowledged()), ("later", retry), ("refused", refused)] {
        let mut pass = begun(Pass::new(), up_to_date());
        sends(&mut pass, vec![mutation(1, 1), mutation(2, 2)]);
        let settle = pass.next(quiet(vec![(1, marked()), (2, result)], "there"));
        assert!(matches!(settle, Effect::Settle(_)), "{why}: {settle:?}");
    }
}

#[test]
fn a_lost_answer_is_asked_for_from_the_same_cursor_and_a_failure_ends_in_a_pull() {
    let mut pass = begun(Pass::new(), up_to_date());
    sends(&mut pass, vec![mutation(1, 1), mutation(2, 2)]);
    let _ = pass.next(Event::Pushed(Err(error(RemoteErrorKind::Interrupted))));
    assert_eq!(sends(&mut pass, vec![mutation(1, 1), mutation(2, 2)]), Some(at("here")));
    let _ = pass.next(Event::Pushed(Err(error(RemoteErrorKind::BadRequest))));
    assert_eq!(sends(&mut pass, vec![mutation(1, 1)]), None);
}

#[test]
fn a_server_that_does_not_know_the_argument_any_more_is_asked_without_it() {
    let mut pass = begun(Pass::new(), up_to_date());
    sends(&mut pass, vec![mutation(1, 1)]);
    let unknown = || Event::Pushed(Err(error(RemoteErrorKind::NotFieldpost)));
    assert!(matches!(pass.next(unknown()), Effect::Withdraw { then, .. } if matches!(*then, Effect::ReadBatch { .. })));
    assert_eq!(sends(&mut pass, vec![mutation(1, 1)]), None);
    let end = pass.next(unknown());
    assert!(!matches!(end, Effect::ReadBatch { .. }), "it is no server of ours: {end:?}");
}
