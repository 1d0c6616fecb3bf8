//! Helpers of this suite.

use fieldpost_domain::{
    Cursor, MutationId, OrgId, PersonId, RecordId, ServerLimits, Time, Transfer, Version,
    records::{
        AuditEntry, AuditOperation, ClockId, DeviceTime, Fields, Priority, RecordMutation, RecordOperation,
        RecordOutcome, RecordPage, RecordResult, RecordRow, TableName,
    },
};
use fieldpost_remote::{RecordPullRequest, RecordPushAnswer, RemoteError, RemoteErrorKind};
use fieldpost_storage::records::{RecordMemory, RecordSettleReport};
use fieldpost_sync::machine::records::{Lane, RecordEffect, RecordEvent, RecordPass, RecordPassOutcome};
use std::time::Duration;
use uuid::Uuid;

pub(crate) fn id(number: u128) -> MutationId {
    MutationId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn record(number: u128) -> RecordId {
    RecordId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn table(name: &str) -> TableName {
    TableName::new(name).unwrap()
}

pub(crate) fn at(seconds: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// A change of the record of the same number.
pub(crate) fn change(number: u128, priority: Priority) -> RecordMutation {
    RecordMutation {
        id: id(number),
        table: table("visits"),
        record_id: record(number),
        operation: RecordOperation::Create,
        org_id: Some(OrgId::from_uuid(Uuid::from_u128(1))),
        fields: Fields::new().with("place", "Gate 3"),
        priority,
        modified_at: DeviceTime { clock: ClockId::from_uuid(Uuid::from_u128(1)), at: at(0) },
        ahead_micros: None,
    }
}

pub(crate) fn normal(numbers: std::ops::Range<u128>) -> Vec<RecordMutation> {
    numbers.map(|number| change(number, Priority::Normal)).collect()
}

pub(crate) fn ids(changes: &[RecordMutation]) -> Vec<MutationId> {
    changes.iter().map(|change| change.id).collect()
}

pub(crate) fn won(number: u128) -> RecordResult {
    let outcome = RecordOutcome::Won { server_id: record(number), version: Some(Version::new(1)), modified_at: at(0) };
    result(number, outcome)
}

pub(crate) const fn result(number: u128, outcome: RecordOutcome) -> RecordResult {
    RecordResult { mutation_id: MutationId::from_uuid(Uuid::from_u128(number)), outcome, ignored: Vec::new() }
}

pub(crate) fn answer(results: Vec<RecordResult>) -> RecordEvent {
    RecordEvent::Pushed(Ok(push_answer(results)))
}

pub(crate) fn push_answer(results: Vec<RecordResult>) -> RecordPushAnswer {
    RecordPushAnswer { results, server_time: at(0), limits: ServerLimits::default(), took: Duration::from_millis(100) }
}

pub(crate) fn all_won(settled: u32) -> RecordEvent {
    RecordEvent::Settled(RecordSettleReport { won: settled, ..RecordSettleReport::default() })
}

pub(crate) fn failed(kind: RemoteErrorKind) -> RemoteError {
    RemoteError::new(kind, "push_records")
}

/// A pass that is to read its first batch.
pub(crate) fn pass(lane: Lane) -> RecordPass {
    pass_after(lane, RecordMemory::default())
}

pub(crate) fn pass_after(lane: Lane, memory: RecordMemory) -> RecordPass {
    let mut pass = RecordPass::new(lane);
    assert_eq!(pass.start(), RecordEffect::Recall);
    assert!(matches!(reads(&pass.next(RecordEvent::Recalled(memory))), (_, Priority::Immediate)));
    pass
}

/// A full pass that has no immediate change to send.
pub(crate) fn pass_of_others() -> RecordPass {
    let mut pass = pass(Lane::Full);
    assert!(matches!(reads(&pass.next(RecordEvent::Batch(vec![]))), (_, Priority::Low)));
    pass
}

/// A pass that has pushed everything, with its request.
pub(crate) fn pass_that_pulls(cursor: Option<&str>) -> (RecordPass, RecordPullRequest) {
    pass_that_pulls_after(RecordMemory::default(), cursor)
}

pub(crate) fn pass_that_pulls_after(memory: RecordMemory, cursor: Option<&str>) -> (RecordPass, RecordPullRequest) {
    let mut pass = pass_after(Lane::Full, memory);
    let _ = pass.next(RecordEvent::Batch(vec![]));
    assert_eq!(pass.next(RecordEvent::Batch(vec![])), RecordEffect::ReadState);
    let request = pulls(pass.next(state(cursor)));
    (pass, request)
}

pub(crate) fn state(at: Option<&str>) -> RecordEvent {
    RecordEvent::State { cursor: at.map(cursor), tables: vec![table("visits")] }
}

pub(crate) fn cursor(text: &str) -> Cursor {
    text.to_owned().try_into().unwrap()
}

/// How many rows and which priority are to be read.
pub(crate) fn reads(effect: &RecordEffect) -> (u32, Priority) {
    match effect {
        RecordEffect::ReadBatch { limits, at_most } => (limits.rows, *at_most),
        other => panic!("the pass continues with {other:?}"),
    }
}

pub(crate) fn pulls(effect: RecordEffect) -> RecordPullRequest {
    match effect {
        RecordEffect::Pull(request) => request,
        other => panic!("the pass continues with {other:?}"),
    }
}

/// The changes that are withdrawn, and what follows.
pub(crate) fn withdraws(effect: RecordEffect) -> (Vec<MutationId>, RecordEffect) {
    match effect {
        RecordEffect::Withdraw { mutations, then } => (mutations, *then),
        other => panic!("the pass continues with {other:?}"),
    }
}

/// The changes that are postponed, and what follows.
pub(crate) fn postpones(effect: RecordEffect) -> (Vec<MutationId>, RecordEffect) {
    match effect {
        RecordEffect::Postpone { mutations, then } => (mutations, *then),
        other => panic!("the pass continues with {other:?}"),
    }
}

/// The outcome of a pass, after it has saved what it has learned.
pub(crate) fn end(pass: &mut RecordPass, effect: RecordEffect) -> RecordPassOutcome {
    match effect {
        RecordEffect::Finish(outcome) => outcome,
        RecordEffect::Remember { .. } => {
            let next = pass.next(RecordEvent::Remembered);
            end(pass, next)
        }
        RecordEffect::Withdraw { then, .. } | RecordEffect::Postpone { then, .. } => end(pass, *then),
        other => panic!("the pass continues with {other:?}"),
    }
}

/// The kind of the error that a pass ended with.
pub(crate) fn kind(outcome: &RecordPassOutcome) -> Option<RemoteErrorKind> {
    match outcome.error.as_ref()? {
        fieldpost_sync::SyncError::Remote(error) => Some(error.kind()),
        _ => None,
    }
}

pub(crate) fn page(to: &str, more: bool, rows: u128) -> RecordPage {
    RecordPage {
        transfer: Transfer::default(),
        rows: (0..rows).map(row).collect(),
        tombstones: Vec::new(),
        unreadable: 0,
        cursor: cursor(to),
        more,
        loading: false,
        unknown_tables: Vec::new(),
        epoch: None,
        server_time: at(0),
    }
}

pub(crate) fn row(number: u128) -> RecordRow {
    RecordRow {
        table: table("visits"),
        id: record(number),
        client_id: None,
        org_id: OrgId::from_uuid(Uuid::from_u128(1)),
        version: Version::new(1),
        created_at: None,
        modified_at: at(0),
        last_mutation_id: None,
        fields: Fields::new(),
    }
}

pub(crate) fn read_by_somebody(number: u128) -> AuditEntry {
    AuditEntry {
        id: fieldpost_domain::AuditId::from_uuid(Uuid::from_u128(number)),
        person_id: PersonId::from_uuid(Uuid::from_u128(1)),
        table: table("visits"),
        record_id: record(number),
        operation: AuditOperation::Read,
        context: None,
        at: DeviceTime { clock: ClockId::from_uuid(Uuid::from_u128(1)), at: at(0) },
        ahead_micros: None,
    }
}
