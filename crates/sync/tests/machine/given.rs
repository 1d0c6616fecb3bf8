//! Helpers of this suite.

use fieldpost_domain::{
    Acknowledgement, BootstrapPage, Changes, Continuation, Conversation, ConversationDigest, ConversationId,
    ConversationKind, Cursor, Extra, HistoryPage, Intent, MarkRead, Mutation, MutationId, OrgId, PersonId, PullPage,
    PushOutcome, PushResult, Seq, SeqRange, ServerLimits, Time, Tombstone, TombstoneOf, Version,
};
use fieldpost_remote::{ExpiredReason, PushAnswer, RemoteError, RemoteErrorKind, client_capabilities};
use fieldpost_storage::{ApplyReport, BootstrapReason, SettleReport, SyncMemory, SyncPosition, SyncState};
use fieldpost_sync::machine::{Effect, Event, Outcome, Pass};
use uuid::Uuid;

/// What a client of this version has left.
pub(crate) fn memory() -> SyncMemory {
    SyncMemory { named: Some(client_capabilities()), ..SyncMemory::default() }
}

/// A pass after its first effect.
pub(crate) fn pass() -> Pass {
    pass_after(memory())
}

/// A pass that has read the memory of earlier passes.
pub(crate) fn pass_after(memory: SyncMemory) -> Pass {
    let mut pass = Pass::new();
    assert!(matches!(after_recall(&mut pass, memory), Effect::ReadBatch { .. }));
    pass
}

/// The first effect of a pass after it has read the memory.
pub(crate) fn after_recall(pass: &mut Pass, memory: SyncMemory) -> Effect {
    assert_eq!(pass.start(), Effect::Recall);
    pass.next(Event::Recalled(Box::new(SyncState { memory, ..sync_state_at(SyncPosition::Fresh) })))
}

/// The memory that a pass would save if it were cut off here.
pub(crate) fn unwritten_memory(pass: &Pass) -> SyncMemory {
    pass.unwritten().unwrap_or_default()
}

/// The memory that a pass saves at its end.
pub(crate) fn saved_memory(effect: Effect) -> SyncMemory {
    match effect {
        Effect::Remember { memory, .. } => *memory,
        other => panic!("the pass continues with {other:?}"),
    }
}

/// Whether the pass has succeeded and saves that.
pub(crate) fn is_success(effect: &Effect) -> bool {
    matches!(effect, Effect::Remember { succeeded: true, .. })
}

/// The effect of a failed pass after it has saved its memory.
pub(crate) fn after_saving(pass: &mut Pass, effect: &Effect) -> Effect {
    assert!(matches!(effect, Effect::Remember { succeeded: false, .. }), "{effect:?}");
    pass.next(Event::Remembered)
}

/// The outcome of a failed pass.
pub(crate) fn failed(pass: &mut Pass, effect: &Effect) -> Outcome {
    outcome(after_saving(pass, effect))
}

/// A pass with an empty outbox at `position`, with its next effect.
pub(crate) fn pass_at(position: SyncPosition) -> (Pass, Effect) {
    let mut pass = pass();
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
    let effect = pass.next(state(position));
    (pass, effect)
}

pub(crate) fn state(position: SyncPosition) -> Event {
    Event::State(sync_state_at(position))
}

/// The state of a store in the middle of a run.
pub(crate) fn state_in_interrupted_run(cursor: &str) -> Event {
    Event::State(SyncState { run_open: true, ..sync_state_at(following(cursor)) })
}

pub(crate) fn sync_state_at(position: SyncPosition) -> SyncState {
    SyncState {
        position,
        run_open: false,
        me: None,
        last_success_at: None,
        unreadable_rows: 0,
        server: None,
        generation: 1,
        memory: memory(),
    }
}

/// A pass that continues an interrupted run at `cursor`.
pub(crate) fn pass_in_interrupted_run(cursor: &str) -> Pass {
    let mut pass = pass();
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
    assert!(
        matches!(pass.next(state_in_interrupted_run(cursor)), Effect::Pull(request) if request.cursor == at(cursor))
    );
    pass
}

/// A pass that begins the bootstrap after a first screen, with its first request.
pub(crate) fn pass_after_first_screen() -> (Pass, Effect) {
    let (mut pass, _) = pass_at(SyncPosition::Fresh);
    let _ = pass.next(Event::BootstrapBegun);
    let _ = pass.next(Event::Bootstrapped(Ok(bootstrap_page(Some("rest")))));
    assert_eq!(pass.next(Event::BootstrapApplied(applied())), Effect::BeginBootstrap(BootstrapReason::First));
    let first = pass.next(Event::BootstrapBegun);
    (pass, first)
}

pub(crate) fn following(cursor: &str) -> SyncPosition {
    SyncPosition::Following(at(cursor))
}

pub(crate) fn at(cursor: &str) -> Cursor {
    Cursor::new(cursor).unwrap()
}

pub(crate) fn lane(number: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(number))
}

/// A mutation in a lane. The machine does not care about its kind.
pub(crate) fn mutation(number: u128, lane_number: u128) -> Mutation {
    Mutation {
        id: MutationId::from_uuid(Uuid::from_u128(number)),
        intent: Intent::MarkRead(MarkRead { conversation_id: lane(lane_number), read_seq: Seq::new(1) }),
    }
}

pub(crate) fn answer(outcomes: Vec<(u128, PushOutcome)>) -> Event {
    let result =
        |(number, outcome)| PushResult { mutation_id: MutationId::from_uuid(Uuid::from_u128(number)), outcome };
    let results = outcomes.into_iter().map(result).collect();
    Event::Pushed(Ok(PushAnswer {
        results,
        quiet: None,
        limits: ServerLimits::default(),
        took: std::time::Duration::ZERO,
    }))
}

pub(crate) fn acknowledged() -> PushOutcome {
    PushOutcome::Acknowledged(Acknowledgement::Bare)
}

pub(crate) fn settled(acknowledged: u32, retrying: u32) -> Event {
    Event::Settled(SettleReport { acknowledged, retrying, ..SettleReport::default() })
}

pub(crate) fn error(kind: RemoteErrorKind) -> RemoteError {
    RemoteError::new(kind, "test")
}

pub(crate) fn expired(reason: ExpiredReason) -> RemoteError {
    error(RemoteErrorKind::CursorExpired(reason))
}

/// Changes that are not empty.
fn one_row() -> Changes {
    let tombstone = Tombstone { conversation_id: lane(9), of: TombstoneOf::Conversation, version: Version::new(1) };
    Changes { tombstones: vec![tombstone], ..Changes::default() }
}

pub(crate) fn bootstrap_page(next_after: Option<&str>) -> BootstrapPage {
    BootstrapPage {
        transfer: fieldpost_domain::Transfer::default(),
        me: None,
        total_conversations: 3,
        changes: one_row(),
        cursor: at("from bootstrap"),
        next_after: next_after.map(Continuation::new),
        epoch: None,
        digest: None,
        server_time: Time::UNIX_EPOCH,
        limits: ServerLimits::default(),
        server: fieldpost_domain::ServerInfo::default(),
    }
}

/// A page without rows.
pub(crate) fn empty_pull_page(cursor: &str, more: bool) -> PullPage {
    PullPage { changes: Changes::default(), ..pull_page(cursor, more) }
}

pub(crate) fn pull_page(cursor: &str, more: bool) -> PullPage {
    PullPage {
        transfer: fieldpost_domain::Transfer::default(),
        changes: one_row(),
        cursor: at(cursor),
        more,
        digest: Some(ConversationDigest::of([])),
        server_time: Time::UNIX_EPOCH,
        limits: ServerLimits::default(),
        server: fieldpost_domain::ServerInfo::default(),
    }
}

/// A conversation of a page.
pub(crate) fn conversation(number: u128) -> Conversation {
    Conversation {
        id: lane(number),
        org_id: OrgId::from_uuid(Uuid::from_u128(1)),
        kind: ConversationKind::Direct,
        subject: None,
        medic_id: None,
        medic_name: None,
        created_by: PersonId::from_uuid(Uuid::from_u128(2)),
        created_at: Time::UNIX_EPOCH,
        updated_at: Time::UNIX_EPOCH,
        last_seq: Seq::ZERO,
        last_message_at: None,
        last_message_preview: None,
        unread: 0,
        unread_mentions: 0,
        omitted: None,
        version: Version::new(1),
        extra: Extra::default(),
    }
}

/// The last page of a run, without rows.
pub(crate) fn empty_page(cursor: &str) -> PullPage {
    PullPage { changes: Changes::default(), ..pull_page(cursor, false) }
}

pub(crate) fn history_page(number: u128) -> HistoryPage {
    HistoryPage {
        transfer: fieldpost_domain::Transfer::default(),
        conversation_id: lane(number),
        conversation: None,
        changes: Changes::default(),
        range: SeqRange { from: Seq::new(1), to: Seq::new(5) },
        complete: true,
        limits: ServerLimits::default(),
    }
}

pub(crate) fn applied() -> ApplyReport {
    ApplyReport { applied: 1, digest_matches: Some(true), ..ApplyReport::default() }
}

/// Takes a pass through an empty pull to its end.
pub(crate) fn finish(pass: &mut Pass, effect: Effect) -> Outcome {
    assert!(matches!(effect, Effect::Pull(_)), "{effect:?}");
    let nothing = empty_page("end");
    assert!(matches!(pass.next(Event::Pulled(Ok(nothing))), Effect::ApplyPull { .. }));
    assert!(matches!(pass.next(Event::PullApplied(applied())), Effect::ReadMissing { .. }));
    assert!(is_success(&pass.next(Event::Missing(vec![]))));
    outcome(pass.next(Event::Remembered))
}

/// The effect after the withdrawal of exactly these mutations.
pub(crate) fn after_withdrawal(effect: Effect, numbers: &[u128]) -> Effect {
    let expected: Vec<_> = numbers.iter().map(|number| MutationId::from_uuid(Uuid::from_u128(*number))).collect();
    match effect {
        Effect::Withdraw { mutations, then } if mutations == expected => *then,
        other => panic!("{numbers:?} are not withdrawn but: {other:?}"),
    }
}

pub(crate) fn outcome(effect: Effect) -> Outcome {
    match effect {
        Effect::Finish(outcome) => outcome,
        other => panic!("the pass continues with {other:?}"),
    }
}
