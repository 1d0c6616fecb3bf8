//! What the stories of this suite are made of.

use fieldpost_domain::{
    Acknowledgement, BootstrapPage, Changes, Continuation, Conversation, ConversationDigest, ConversationId,
    ConversationKind, Cursor, Extra, HistoryPage, Intent, MarkRead, Mutation, MutationId, OrgId, PersonId, PullPage,
    PushOutcome, PushResult, Seq, SeqRange, ServerLimits, Time, Tombstone, TombstoneOf, Version,
};
use fieldpost_remote::{ExpiredReason, PushAnswer, RemoteError, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, BootstrapReason, SettleReport, SyncMemory, SyncPosition, SyncState};
use fieldpost_sync::machine::{Effect, Event, Outcome, Pass};
use uuid::Uuid;

/// A pass after its first effect.
pub(crate) fn pass() -> Pass {
    pass_after(SyncMemory::default())
}

/// The same, after passes that have learned this.
pub(crate) fn pass_after(memory: SyncMemory) -> Pass {
    let mut pass = Pass::new();
    assert!(matches!(begun(&mut pass, memory), Effect::ReadBatch { .. }));
    pass
}

/// What a pass does first, after passes that have learned this.
pub(crate) fn begun(pass: &mut Pass, memory: SyncMemory) -> Effect {
    assert_eq!(pass.start(), Effect::Recall);
    pass.next(Event::Recalled(Box::new(memory)))
}

/// What a pass leaves to the next one if it is cut off here.
pub(crate) fn left_by(pass: &Pass) -> SyncMemory {
    pass.unwritten().unwrap_or_default()
}

/// What a pass leaves to the next one at its end.
pub(crate) fn learned(effect: Effect) -> SyncMemory {
    match effect {
        Effect::Remember { memory, .. } => *memory,
        other => panic!("the pass goes on with {other:?}"),
    }
}

/// Everything is done, and that is noted.
pub(crate) fn is_success(effect: &Effect) -> bool {
    matches!(effect, Effect::Remember { succeeded: true, .. })
}

/// What a pass that fails does once it has written down what it learned.
pub(crate) fn remembered(pass: &mut Pass, effect: &Effect) -> Effect {
    assert!(matches!(effect, Effect::Remember { succeeded: false, .. }), "{effect:?}");
    pass.next(Event::Remembered)
}

/// How a pass that fails ends.
pub(crate) fn failed(pass: &mut Pass, effect: &Effect) -> Outcome {
    outcome(remembered(pass, effect))
}

/// A pass that has nothing to push and stands at `position`; with what it does first.
pub(crate) fn pass_at(position: SyncPosition) -> (Pass, Effect) {
    let mut pass = pass();
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
    let effect = pass.next(state(position));
    (pass, effect)
}

pub(crate) fn state(position: SyncPosition) -> Event {
    Event::State(standing(position))
}

/// The last page that was pulled said that there is more.
pub(crate) fn state_amid_run(cursor: &str) -> Event {
    Event::State(SyncState { run_open: true, ..standing(following(cursor)) })
}

fn standing(position: SyncPosition) -> SyncState {
    SyncState {
        position,
        run_open: false,
        me: None,
        last_success_at: None,
        unreadable_rows: 0,
        server: None,
        generation: 1,
        memory: SyncMemory::default(),
    }
}

/// A pass that goes on with a run of pages that was interrupted at `cursor`.
pub(crate) fn pass_amid_run(cursor: &str) -> Pass {
    let mut pass = pass();
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
    assert!(matches!(pass.next(state_amid_run(cursor)), Effect::Pull(request) if request.cursor == at(cursor)));
    pass
}

/// The first load of a device that has shown its first screen; with its first request.
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

/// A mutation in a lane; which kind does not matter to the machine.
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
    Event::Pushed(Ok(PushAnswer { results, limits: ServerLimits::default() }))
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

/// Changes that are not nothing.
fn one_row() -> Changes {
    let tombstone = Tombstone { conversation_id: lane(9), of: TombstoneOf::Conversation, version: Version::new(1) };
    Changes { tombstones: vec![tombstone], ..Changes::default() }
}

pub(crate) fn bootstrap_page(next_after: Option<&str>) -> BootstrapPage {
    BootstrapPage {
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

/// One that brings nothing.
pub(crate) fn empty_pull_page(cursor: &str, more: bool) -> PullPage {
    PullPage { changes: Changes::default(), ..pull_page(cursor, more) }
}

pub(crate) fn pull_page(cursor: &str, more: bool) -> PullPage {
    PullPage {
        changes: one_row(),
        cursor: at(cursor),
        more,
        digest: Some(ConversationDigest::of([])),
        server_time: Time::UNIX_EPOCH,
        limits: ServerLimits::default(),
        server: fieldpost_domain::ServerInfo::default(),
    }
}

/// A conversation that a page brings.
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
        omitted: None,
        version: Version::new(1),
        extra: Extra::default(),
    }
}

/// The last page of a run that brings nothing.
pub(crate) fn empty_page(cursor: &str) -> PullPage {
    PullPage { changes: Changes::default(), ..pull_page(cursor, false) }
}

pub(crate) fn history_page(number: u128) -> HistoryPage {
    HistoryPage {
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

/// Goes through a pull that brings nothing, to the end of the pass.
pub(crate) fn finish(pass: &mut Pass, effect: Effect) -> Outcome {
    assert!(matches!(effect, Effect::Pull(_)), "{effect:?}");
    let nothing = empty_page("end");
    assert!(matches!(pass.next(Event::Pulled(Ok(nothing))), Effect::ApplyPull { .. }));
    assert!(matches!(pass.next(Event::PullApplied(applied())), Effect::ReadMissing { .. }));
    assert!(is_success(&pass.next(Event::Missing(vec![]))));
    outcome(pass.next(Event::Remembered))
}

/// What the machine does once it has said that these, and only these, were certainly not carried out.
pub(crate) fn withdrawn(effect: Effect, numbers: &[u128]) -> Effect {
    let expected: Vec<_> = numbers.iter().map(|number| MutationId::from_uuid(Uuid::from_u128(*number))).collect();
    match effect {
        Effect::Withdraw { mutations, then } if mutations == expected => *then,
        other => panic!("{numbers:?} are not withdrawn: {other:?}"),
    }
}

pub(crate) fn outcome(effect: Effect) -> Outcome {
    match effect {
        Effect::Finish(outcome) => outcome,
        other => panic!("the pass goes on with {other:?}"),
    }
}
