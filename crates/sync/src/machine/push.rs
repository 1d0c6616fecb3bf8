//! The push phase.
//!
//! A batch that comes to nothing as a whole says nothing about any one mutation in it. How it failed decides what happens:
//!
//! * The server, or the way to it, is out of reach: the pass ends. A timeout also makes the next batches smaller.
//! * It does not accept the batch (too large, bad request): the batch is halved at once, until the mutation at fault stands
//!   alone.
//! * It fails otherwise: the next pass sends half as much, so that in a few passes the mutation at fault stands alone as well.
//!
//! A mutation that fails alone holds its lane for the rest of the pass, and its lane becomes a suspect: the next passes try
//! suspects last, after every other lane, so that nothing they do can hold up anybody else. When several fail alone in a row
//! the fault is the server's, and the phase ends.

use super::{Effect, Pass, pace::Pace};
use fieldpost_domain::planted::{self, PlantedBug, planted};
use fieldpost_domain::{ConversationId, Mutation, MutationId, PushOutcome, PushResult, Refusal, RefusalCode};
use fieldpost_remote::{PushAnswer, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{BatchLimits, SettleReport};
use std::collections::{BTreeSet, HashSet};

/// How many mutations fail alone in a row before the fault is the server's rather than theirs.
const ALONE_LIMIT: u32 = 3;

/// How many answers of a pass may be about mutations that are no longer in the outbox before it stops pushing.
const UNKNOWN_LIMIT: u32 = 3;

/// What the push phase remembers.
#[derive(Debug, Default)]
pub(super) struct Push {
    /// The batch that is on its way.
    batch: Vec<Mutation>,
    /// Lanes that wait until the next pass.
    held: HashSet<ConversationId>,
    /// Lanes that are tried last; emptied when their turn comes.
    waiting: BTreeSet<ConversationId>,
    /// Lanes that the next pass tries last.
    suspects: BTreeSet<ConversationId>,
    /// How many mutations the next batch may have, while one at fault is being looked for.
    narrowed: Option<u32>,
    alone: u32,
    unknown: u32,
    /// Lanes that the pass was told to leave alone.
    left_alone: HashSet<ConversationId>,
    /// Lanes that must wait before they are tried again.
    backing_off: BTreeSet<ConversationId>,
    /// Lanes of which something was settled for good.
    moved: BTreeSet<ConversationId>,
    /// A batch failed, and no lane is to blame for it.
    batch_failed: bool,
}

impl Push {
    /// Tries these lanes last, as far as they are not left alone anyway: a suspect among those stays one, for it gets no turn.
    pub(super) fn suspect(&mut self, lanes: &BTreeSet<ConversationId>) {
        self.suspects.extend(lanes.iter().filter(|lane| self.left_alone.contains(*lane)));
        self.waiting.extend(lanes);
    }

    /// Nothing is on its way any more.
    pub(super) fn is_over(&mut self) {
        self.batch.clear();
    }

    pub(super) fn leave_alone(&mut self, lanes: HashSet<ConversationId>) {
        self.held.extend(lanes.iter().copied());
        self.left_alone = lanes;
    }

    /// Lanes that were left alone, that must wait, and that have moved.
    pub(super) fn lanes(&self) -> (HashSet<ConversationId>, BTreeSet<ConversationId>, BTreeSet<ConversationId>) {
        (self.left_alone.clone(), self.backing_off.clone(), self.moved.clone())
    }

    /// Whether whatever failed is the fault of single lanes.
    pub(super) const fn blames_lanes(&self) -> bool {
        !self.batch_failed && self.alone < ALONE_LIMIT
    }

    /// Suspects that did not get their turn stay suspects.
    pub(super) fn suspects(&self) -> BTreeSet<ConversationId> {
        self.suspects.union(&self.waiting).copied().collect()
    }
}

impl Pass {
    pub(super) fn read_batch(&mut self) -> Effect {
        let mut limits = BatchLimits::from(self.memory.limits);
        limits.rows = self.memory.push_size.of(limits.rows);
        if let Some(rows) = self.push.narrowed {
            limits.rows = limits.rows.min(rows);
        }
        let held = self.push.held.iter().chain(&self.push.waiting).copied().collect();
        Effect::ReadBatch { limits, held }
    }

    pub(super) fn on_batch(&mut self, mutations: Vec<Mutation>) -> Effect {
        if !mutations.is_empty() {
            self.push.batch.clone_from(&mutations);
            return Effect::Push(mutations);
        }
        if self.push.waiting.is_empty() {
            return Effect::ReadState;
        }
        // Everybody else is through: now those that failed before, one by one.
        self.push.waiting.clear();
        self.push.narrowed = Some(1);
        self.read_batch()
    }

    pub(super) fn on_pushed(&mut self, answer: RemoteResult<PushAnswer>) -> Effect {
        if self.repeats(&answer) {
            // Taken anew, which counts the attempt: what is known of this one says nothing about the one that was lost.
            return self.read_batch();
        }
        match answer {
            Ok(answer) => self.on_push_answer(answer),
            Err(error) if error.kind().is_certainly_not_carried_out() => {
                self.withdraw_before(|pass| pass.on_push_error(error))
            }
            Err(error) => self.on_push_error(error),
        }
    }

    /// The batch that is on its way has come to nothing for certain, and with that the person may decide about it again.
    pub(super) fn withdraw_before(&mut self, then: impl FnOnce(&mut Self) -> Effect) -> Effect {
        let mutations: Vec<MutationId> = self.push.batch.iter().map(|mutation| mutation.id).collect();
        let then = then(self);
        if mutations.is_empty() { then } else { Effect::Withdraw { mutations, then: Box::new(then) } }
    }

    fn on_push_answer(&mut self, answer: PushAnswer) -> Effect {
        self.memory.limits = answer.limits;
        self.memory.push_size.speed_up(answer.limits.push_rows);
        self.push.alone = 0;
        for (mutation, result) in self.push.batch.iter().zip(&answer.results) {
            let lane = mutation.intent.lane();
            if matches!(result.outcome, PushOutcome::Retry(_)) {
                if !planted(PlantedBug::RetryAskedAtOnce) {
                    self.push.held.insert(lane);
                }
                self.push.backing_off.insert(lane);
            } else {
                self.push.moved.insert(lane);
            }
        }
        Effect::Settle(answer.results)
    }

    fn on_push_error(&mut self, error: RemoteError) -> Effect {
        match error.kind() {
            RemoteErrorKind::TooLarge | RemoteErrorKind::BadRequest | RemoteErrorKind::Oversized => self.narrow(error),
            // Following would fail as well.
            RemoteErrorKind::Unreachable
            | RemoteErrorKind::Unauthorized
            | RemoteErrorKind::WrongApiKey
            | RemoteErrorKind::RateLimited
            | RemoteErrorKind::ClientTooOld
            | RemoteErrorKind::NotFieldpost => self.fail(error),
            RemoteErrorKind::Interrupted if planted(PlantedBug::LostAnswerAcknowledges) => {
                Effect::Settle(planted::acknowledge_all(&self.push.batch))
            }
            RemoteErrorKind::Interrupted => {
                self.send_less();
                self.fail(error)
            }
            _ => self.on_unexplained(error),
        }
    }

    /// The next batches are half of this one.
    fn send_less(&mut self) {
        let rows = u32::try_from(self.push.batch.len()).unwrap_or(u32::MAX);
        self.memory.push_size.slow_down(rows);
    }

    /// The batch as a whole was not accepted and nothing of it carried out: look for the mutation at fault.
    fn narrow(&mut self, error: RemoteError) -> Effect {
        let [only] = self.push.batch.as_slice() else {
            let half = self.push.batch.len() / 2;
            self.push.narrowed = Some(u32::try_from(half).unwrap_or(u32::MAX).max(1));
            return self.read_batch();
        };
        if error.kind() != RemoteErrorKind::TooLarge {
            // Too large for somebody on the way, who may be gone tomorrow: it waits, and holds up nobody else.
            self.report.oversized += u64::from(error.kind() == RemoteErrorKind::Oversized);
            return self.on_failed_alone(error);
        }
        self.push.narrowed = None;
        let refusal = Refusal { code: RefusalCode::ContentTooLong, detail: error.detail().map(str::to_owned) };
        Effect::Settle(vec![PushResult { mutation_id: only.id, outcome: PushOutcome::Rejected(refusal) }])
    }

    /// Whose fault it is cannot be told yet.
    fn on_unexplained(&mut self, error: RemoteError) -> Effect {
        if self.push.batch.len() == 1 {
            return self.on_failed_alone(error);
        }
        self.send_less();
        self.push.batch_failed = true;
        self.push_error = Some(error.into());
        Effect::ReadState
    }

    /// Not known to be the mutation's own fault, so it is no dead letter; but it must not hold up the others.
    fn on_failed_alone(&mut self, error: RemoteError) -> Effect {
        let lanes = self.push.batch.iter().map(|mutation| mutation.intent.lane());
        if !planted(PlantedBug::FailedAloneHoldsOthers) {
            self.push.held.extend(lanes.clone());
            self.push.backing_off.extend(lanes.clone());
            self.push.suspects.extend(lanes);
        }
        self.push_error = Some(error.into());
        self.push.narrowed = None;
        self.push.alone += 1;
        if self.push.alone >= ALONE_LIMIT { Effect::ReadState } else { self.read_batch() }
    }

    pub(super) fn on_settled(&mut self, settled: &SettleReport) -> Effect {
        self.report.add_settled(settled);
        let progressed = settled.acknowledged > 0 || settled.failed > 0 || settled.retrying > 0;
        if !progressed {
            // Somebody else settled it, or replaced it meanwhile. Once or twice that is bad luck.
            self.push.unknown += 1;
        }
        if self.push.unknown >= UNKNOWN_LIMIT { Effect::ReadState } else { self.read_batch() }
    }
}
