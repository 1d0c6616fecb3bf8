//! `fieldpost_push`: a batch of mutations, in the client's order.
//!
//! Each mutation is judged by what the batch has written so far, so a message may follow the opening of its conversation,
//! by whatever id the client calls it. One refused mutation changes nothing for the others; one that must be retried takes
//! the later ones of its conversation along, so that what is applied later is still in order.
//!
//! The order of the questions is part of the behaviour, since an answer must not tell what the caller may not know:
//!
//! 1. Is she a member of anything? (`forbidden`)
//! 2. Does the conversation exist, for her? (`conversation_deleted`, `not_found`)
//! 3. Is the message there already? (`duplicate`; `id_taken` if it is not hers or stands elsewhere)
//! 4. May she write here? (`forbidden`)
//! 5. May this be written? (`content_empty` …)
//! 6. Does the project itself want it? (`refused`, in its own words)
//!
//! A retry after a lost answer must be a duplicate whatever has become of the rights to write, so 3 comes before 4 and 5.
//! It must not bring back into sight what has been lost from sight, so 2 comes before 3.

mod injections;
mod kinds;
mod lookup;
mod opening;
mod submission;

use super::{open::OpenTransactions, state::State, tables::Tables, transaction::Transaction, viewer::Viewer};
use fieldpost_domain::{Acknowledgement, ConversationId, PersonId, PushOutcome, Refusal, RefusalCode, RetryCode, Time};
use std::collections::BTreeSet;

pub(super) use injections::Injections;
pub use kinds::{SubmittedMessage, Task};
pub use submission::{Submission, SubmissionResult};

/// A refusal on the way to an answer.
type Judged<T> = Result<T, Refusal>;

/// What was done: the acknowledgement, and whether it was done now.
struct Done {
    acknowledgement: Acknowledgement,
    applied: bool,
}

pub(super) const fn refuse(code: RefusalCode) -> Refusal {
    Refusal { code, detail: None }
}

/// Carries out a batch in a transaction that begins and ends here.
pub(super) fn push(state: &mut State, caller: PersonId, batch: Vec<Submission>) -> Vec<SubmissionResult> {
    let transaction = (state.feed.begin(), state.now());
    push_as(state, caller, batch, transaction, None)
}

/// Carries out a batch in a transaction that began earlier, by its number and time. `own` holds locks of its own.
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
    };
    let results = state.write_as(stamp, now, |transaction| {
        let each = batch.into_iter().map(|submission| {
            let outcome = judge(transaction, caller, &submission.task, &mut obstacles);
            let (outcome, applied) = outcome_of(outcome);
            SubmissionResult { id: submission.id, outcome, applied }
        });
        each.collect()
    });
    state.injections = obstacles.injections;
    state.open = obstacles.open;
    results
}

/// What a mutation may have to wait for.
struct Obstacles {
    held: Held,
    injections: Injections,
    open: OpenTransactions,
    own: Option<u64>,
}

impl Obstacles {
    /// Why a mutation of this lane has to be attempted again, if it has to.
    fn meet(&mut self, tables: &Tables, lane: ConversationId) -> Option<RetryCode> {
        if self.held.holds(tables, lane) {
            return Some(RetryCode::AfterRetry);
        }
        let conversation = tables.resolve(lane);
        let locked = self.open.is_locked(conversation, self.own).then_some(RetryCode::Conflict);
        let code = locked.or_else(|| self.injections.take(conversation));
        if code.is_some() {
            self.held.hold(tables, lane);
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

fn judge(transaction: &mut Transaction<'_>, caller: PersonId, task: &Task, obstacles: &mut Obstacles) -> Verdict {
    if let Some(code) = task.lane().and_then(|lane| obstacles.meet(transaction.tables(), lane)) {
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

/// The conversations whose later mutations have to wait, under every id they were called by.
#[derive(Default)]
struct Held(BTreeSet<ConversationId>);

impl Held {
    fn hold(&mut self, tables: &Tables, lane: ConversationId) {
        self.0.extend([lane, tables.resolve(lane)]);
    }

    fn holds(&self, tables: &Tables, lane: ConversationId) -> bool {
        self.0.contains(&lane) || self.0.contains(&tables.resolve(lane))
    }
}
