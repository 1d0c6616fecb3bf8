//! `fieldpost_push`: applies a batch in steps (openings, sends, edits, deletions, marks, settings), and within a step in the client's order.
//!
//! Each mutation is checked against what the batch has written so far. So a message may follow the opening of its
//! conversation, by whatever id the client uses for it. A refused mutation does not affect the others. A mutation that
//! must be retried also holds back the later ones of its conversation, so that they are still applied in order.
//!
//! The order of the checks is part of the behaviour, since an answer must not reveal what the caller may not know:
//!
//! 1. Is she a member of any org? (`forbidden`)
//! 2. Does the conversation exist, for her? (`conversation_deleted`, `not_found`)
//! 3. Does the message already exist? (`duplicate`; `id_taken` if it is not hers or is in another conversation)
//! 4. May she write here? (`forbidden`)
//! 5. Is the content valid? (`content_empty` …)
//! 6. Does the project accept it? (`refused`, in its own words)
//!
//! A retry after a lost response must be a duplicate even if the caller has lost the right to write, so 3 comes before
//! 4 and 5. It must not reveal again what the caller can no longer see, so 2 comes before 3.

mod injections;
mod kinds;
mod lookup;
mod opening;
mod quiet;
mod submission;

use super::{open::OpenTransactions, state::State, tables::Tables, transaction::Transaction, viewer::Viewer};
use fieldpost_domain::{
    Acknowledgement, Capabilities, ConversationId, PersonId, PushOutcome, PushTag, Refusal, RefusalCode, RetryCode,
    Time,
};
use kinds::Step;
use std::collections::BTreeMap;

pub(super) use injections::Injections;
pub(super) use quiet::quiet;
// The submitted types of the kinds are public.
pub use kinds::*;
pub use submission::{Submission, SubmissionResult};

/// An intermediate result, or a refusal.
type Judged<T> = Result<T, Refusal>;

/// The acknowledgement, and whether the mutation was applied now.
struct Done {
    acknowledgement: Acknowledgement,
    applied: bool,
}

pub(super) const fn refuse(code: RefusalCode) -> Refusal {
    Refusal { code, detail: None }
}

/// Applies a batch in a new transaction.
pub(super) fn push(state: &mut State, caller: PersonId, batch: Vec<Submission>) -> Vec<SubmissionResult> {
    let transaction = (state.feed.begin(), state.now());
    push_as(state, caller, batch, transaction, None)
}

/// Applies a batch in a transaction that began earlier, with its number and time. `own` is the transaction whose locks
/// do not count.
pub(super) fn push_as(
    state: &mut State,
    caller: PersonId,
    batch: Vec<Submission>,
    (stamp, now): (u64, Time),
    own: Option<u64>,
) -> Vec<SubmissionResult> {
    let mut obstacles = Obstacles {
        held: Held::default(),
        injections: std::mem::take(&mut state.injections),
        open: std::mem::take(&mut state.open),
        own,
        serves: state.options.info.capabilities.clone(),
    };
    let results = state.write_as(stamp, now, |transaction| {
        transaction.is_push(batch.first().and_then(|first| first.id).map(PushTag::of));
        let mut results: Vec<_> = in_steps(&batch)
            .into_iter()
            .map(|(place, submission)| {
                transaction.carries_out(submission.id);
                let outcome = judge(transaction, caller, (place, &submission.task), &mut obstacles);
                let (outcome, applied) = outcome_of(outcome);
                (place, SubmissionResult { id: submission.id, outcome, applied })
            })
            .collect();
        results.sort_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    });
    state.injections = obstacles.injections;
    state.open = obstacles.open;
    results
}

/// The batch in the order of its steps; each mutation with its place in the batch.
fn in_steps(batch: &[Submission]) -> Vec<(usize, &Submission)> {
    let mut steps: Vec<_> = batch.iter().enumerate().collect();
    steps.sort_by_key(|(_, submission)| submission.task.step());
    steps
}

/// What makes a mutation wait or be refused: earlier retries, locks, and missing capabilities.
struct Obstacles {
    held: Held,
    injections: Injections,
    open: OpenTransactions,
    own: Option<u64>,
    serves: Capabilities,
}

impl Obstacles {
    /// Why a mutation of this lane must be retried, if it must.
    fn meet(&mut self, tables: &Tables, lane: ConversationId, place: usize, step: Step) -> Option<RetryCode> {
        if self.held.holds(tables, lane, place) {
            return Some(RetryCode::AfterRetry);
        }
        let conversation = tables.resolve(lane);
        let locked = self.open.is_locked(conversation, self.own).then_some(RetryCode::Conflict);
        let code = locked.or_else(|| self.injections.take(conversation));
        if code.is_some() {
            // Without its conversation, no mutation of the lane can be applied.
            self.held.hold(tables, lane, if step == Step::Open { 0 } else { place });
        }
        code
    }
}

enum Verdict {
    Done(Done),
    Refused(Refusal),
    Retry(RetryCode),
}

fn outcome_of(verdict: Verdict) -> (PushOutcome, bool) {
    match verdict {
        Verdict::Done(done) => (PushOutcome::Acknowledged(done.acknowledgement), done.applied),
        Verdict::Refused(refusal) => (PushOutcome::Rejected(refusal), false),
        Verdict::Retry(code) => (PushOutcome::Retry(code), false),
    }
}

fn judge(
    transaction: &mut Transaction<'_>,
    caller: PersonId,
    (place, task): (usize, &Task),
    obstacles: &mut Obstacles,
) -> Verdict {
    if task.needs().is_some_and(|capability| !obstacles.serves.contains(&capability)) {
        return Verdict::Refused(refuse(RefusalCode::UnknownKind));
    }
    let meet = |lane| obstacles.meet(transaction.tables(), lane, place, task.step());
    if let Some(code) = task.lane().and_then(meet) {
        return Verdict::Retry(code);
    }
    let viewer = Viewer::of(transaction.tables(), caller);
    let answer = match task {
        Task::Refused(refusal) => Err(refusal.clone()),
        _ if viewer.members.is_empty() => Err(refuse(RefusalCode::Forbidden)),
        task => task.carry_out(transaction, &viewer),
    };
    answer.map_or_else(Verdict::Refused, Verdict::Done)
}

/// The conversations whose mutations must wait from a place in the batch on, by every id used for them.
#[derive(Default)]
struct Held(BTreeMap<ConversationId, usize>);

impl Held {
    fn hold(&mut self, tables: &Tables, lane: ConversationId, from: usize) {
        for id in [lane, tables.resolve(lane)] {
            let held = self.0.entry(id).or_insert(from);
            *held = from.min(*held);
        }
    }

    fn holds(&self, tables: &Tables, lane: ConversationId, place: usize) -> bool {
        let held = |id| self.0.get(id).is_some_and(|from| *from <= place);
        held(&lane) || held(&tables.resolve(lane))
    }
}
