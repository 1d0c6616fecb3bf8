//! The push phase.
//!
//! When a batch fails as a whole, that says nothing about any single mutation. The kind of failure decides what
//! happens:
//!
//! * The server is out of reach: the pass ends. After a timeout the next batches are smaller too.
//! * The server does not accept the batch (too large, bad request): the batch is halved at once, until the faulty
//!   mutation is alone.
//! * Another failure: the next pass sends half as much, so that after a few passes the faulty mutation is alone too.
//!
//! When a mutation fails alone, its lane is held for the rest of the pass and becomes a suspect. The next passes try
//! suspects last, so that they cannot hold up other lanes. When several fail alone in a row, the fault is the server's,
//! and the phase ends.

use super::{Effect, Pass, pace::Pace, quiet::Quiet};
use fieldpost_domain::{
    ConversationId, Mutation, MutationId, PushOutcome, PushResult, Refusal, RefusalCode,
    planted::{self, PlantedBug, planted},
};
use fieldpost_remote::{PushAnswer, PushRequest, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{ReducedSize, SettleReport};
use std::collections::{BTreeSet, HashSet};

/// After this many mutations fail alone in a row, the fault is the server's.
const FAILED_ALONE_LIMIT: u32 = 3;

/// After this many responses about mutations that are no longer in the outbox, the pass stops pushing.
const UNKNOWN_RESULT_LIMIT: u32 = 3;

/// The state of the push phase.
#[derive(Debug, Default)]
pub(super) struct Push {
    /// The batch in flight.
    batch: Vec<Mutation>,
    /// Lanes that are held for the rest of the pass.
    held: HashSet<ConversationId>,
    /// Lanes to try last; emptied when they are tried.
    waiting: BTreeSet<ConversationId>,
    /// Lanes that the next pass tries last.
    suspects: BTreeSet<ConversationId>,
    /// The size of the next batch, while a faulty mutation is being searched for.
    narrowed: Option<u32>,
    failed_alone: u32,
    unknown_results: u32,
    /// Lanes that the pass was told to skip.
    skipped: HashSet<ConversationId>,
    /// Lanes that must back off.
    backing_off: BTreeSet<ConversationId>,
    /// Lanes with a mutation that was acknowledged or refused.
    moved: BTreeSet<ConversationId>,
    /// A batch failed, and no single lane is to blame.
    batch_failed: bool,
}

impl Push {
    /// Tries these lanes last. A suspect that is skipped in this pass stays one.
    pub(super) fn try_last(&mut self, lanes: &BTreeSet<ConversationId>) {
        self.suspects.extend(lanes.iter().filter(|lane| self.skipped.contains(*lane)));
        self.waiting.extend(lanes);
    }

    pub(super) fn batch(&self) -> &[Mutation] {
        &self.batch
    }

    /// Nothing is in flight any more.
    pub(super) fn clear_batch(&mut self) {
        self.batch.clear();
    }

    pub(super) fn skip(&mut self, lanes: HashSet<ConversationId>) {
        self.held.extend(lanes.iter().copied());
        self.skipped = lanes;
    }

    /// The lanes that were skipped, that must back off, and that made progress.
    pub(super) fn lanes(&self) -> (HashSet<ConversationId>, BTreeSet<ConversationId>, BTreeSet<ConversationId>) {
        (self.skipped.clone(), self.backing_off.clone(), self.moved.clone())
    }

    /// A batch failed, and no single lane is to blame.
    pub(super) const fn fail_batch(&mut self) {
        self.batch_failed = true;
    }

    /// Whether only single lanes are to blame for the failures.
    pub(super) const fn blames_lanes(&self) -> bool {
        !self.batch_failed && self.failed_alone < FAILED_ALONE_LIMIT
    }

    /// The suspects for the next pass, including those that were not tried.
    pub(super) fn suspects(&self) -> BTreeSet<ConversationId> {
        self.suspects.union(&self.waiting).copied().collect()
    }
}

fn rows_of(batch: &[Mutation]) -> u32 {
    u32::try_from(batch.len()).unwrap_or(u32::MAX)
}

impl Pass {
    pub(super) fn read_batch(&mut self) -> Effect {
        let mut limits = self.batch_limits();
        if let Some(rows) = self.push.narrowed {
            limits.rows = limits.rows.min(rows);
        }
        let held = self.push.held.iter().chain(&self.push.waiting).copied().collect();
        Effect::ReadBatch { limits, held }
    }

    pub(super) fn on_batch(&mut self, mutations: Vec<Mutation>) -> Effect {
        if !mutations.is_empty() {
            self.push.batch.clone_from(&mutations);
            return Effect::Push(PushRequest { mutations, cursor: self.quiet.cursor().cloned() });
        }
        if self.push.waiting.is_empty() {
            return self.after_push();
        }
        // All other lanes are done: now try the suspects, one mutation at a time.
        self.push.waiting.clear();
        self.push.narrowed = Some(1);
        self.read_batch()
    }

    pub(super) fn on_pushed(&mut self, answer: RemoteResult<PushAnswer>) -> Effect {
        if self.repeats(&answer) {
            // Reading the batch again counts the attempt. The lost response may still belong to a success, so nothing
            // is withdrawn.
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

    /// Withdraws the batch in flight, which was certainly not applied. The person may then edit or cancel it again.
    pub(super) fn withdraw_before(&mut self, then: impl FnOnce(&mut Self) -> Effect) -> Effect {
        let mutations: Vec<MutationId> = self.push.batch.iter().map(|mutation| mutation.id).collect();
        let then = then(self);
        if mutations.is_empty() { then } else { Effect::Withdraw { mutations, then: Box::new(then) } }
    }

    fn on_push_answer(&mut self, answer: PushAnswer) -> Effect {
        let batch = std::mem::take(&mut self.push.batch);
        self.measure_up(&batch, answer.took);
        self.memory.limits = answer.limits;
        self.memory.push_size.speed_up(answer.limits.push_rows, rows_of(&batch));
        self.push.batch = batch;
        self.push.failed_alone = 0;
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
        self.settle(answer.results, answer.quiet)
    }

    fn on_push_error(&mut self, error: RemoteError) -> Effect {
        let asked = self.quiet.cursor().is_some();
        self.quiet = Quiet::No;
        match error.kind() {
            // A server that was restored or upgraded just now may not know the argument, whatever it said before.
            RemoteErrorKind::NotFieldpost if asked => self.read_batch(),
            RemoteErrorKind::TooLarge | RemoteErrorKind::BadRequest | RemoteErrorKind::Oversized => self.narrow(error),
            RemoteErrorKind::StatementTimeout => self.send_fewer(error),
            // The follow phase would fail too.
            RemoteErrorKind::Unreachable
            | RemoteErrorKind::Unauthorized
            | RemoteErrorKind::NewTokenRefused
            | RemoteErrorKind::Intercepted
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
            RemoteErrorKind::TimedOut => {
                self.batch_was_too_slow();
                self.on_unexplained(error)
            }
            _ => self.on_unexplained(error),
        }
    }

    /// Halves the size of the next batches.
    fn send_less(&mut self) {
        let rows = rows_of(&self.push.batch);
        self.memory.push_size.slow_down(rows);
    }

    /// The batch was too much for one statement, and nothing of it was applied: half of it may pass, in this pass still.
    fn send_fewer(&mut self, error: RemoteError) -> Effect {
        let rows = rows_of(&self.push.batch);
        if rows > 1 {
            return if self.memory.push_size.refuse(rows) { self.read_batch() } else { self.fail(error) };
        }
        // It was not the size. The others may be as many again, soon.
        self.memory.push_size = ReducedSize { rows: Some(1), ..ReducedSize::default() };
        self.on_failed_alone(error)
    }

    /// The batch was not accepted and nothing of it was applied: search for the faulty mutation.
    fn narrow(&mut self, error: RemoteError) -> Effect {
        let [only] = self.push.batch.as_slice() else {
            let half = self.push.batch.len() / 2;
            self.push.narrowed = Some(u32::try_from(half).unwrap_or(u32::MAX).max(1));
            return self.read_batch();
        };
        if error.kind() != RemoteErrorKind::TooLarge {
            // Something between device and server limits the size, and may not do so tomorrow. So the mutation waits
            // and its lane alone is held.
            self.report.oversized += u64::from(error.kind() == RemoteErrorKind::Oversized);
            return self.on_failed_alone(error);
        }
        self.push.narrowed = None;
        let refusal = Refusal { code: RefusalCode::ContentTooLong, detail: error.detail().map(str::to_owned) };
        Effect::Settle(vec![PushResult { mutation_id: only.id, outcome: PushOutcome::Rejected(refusal) }])
    }

    /// It is not known which mutation is at fault.
    fn on_unexplained(&mut self, error: RemoteError) -> Effect {
        if self.push.batch.len() == 1 {
            return self.on_failed_alone(error);
        }
        self.send_less();
        self.push.batch_failed = true;
        self.push_error = Some(error.into());
        Effect::ReadState
    }

    /// The mutation may not be at fault, so it is no dead letter. But it must not hold up other lanes.
    fn on_failed_alone(&mut self, error: RemoteError) -> Effect {
        let lanes = self.push.batch.iter().map(|mutation| mutation.intent.lane());
        if !planted(PlantedBug::FailedAloneHoldsOthers) {
            self.push.held.extend(lanes.clone());
            self.push.backing_off.extend(lanes.clone());
            self.push.suspects.extend(lanes);
        }
        self.push_error = Some(error.into());
        self.push.narrowed = None;
        self.push.failed_alone += 1;
        if self.push.failed_alone >= FAILED_ALONE_LIMIT { Effect::ReadState } else { self.read_batch() }
    }

    pub(super) fn on_settled(&mut self, settled: &SettleReport) -> Effect {
        self.report.add_settled(settled);
        self.quiet.settled(settled.moved);
        let progressed =
            settled.acknowledged > 0 || settled.failed > 0 || settled.retrying > 0 || settled.uncounted > 0;
        if !progressed {
            // Another process settled or replaced the mutation. That may happen once or twice.
            self.push.unknown_results += 1;
        }
        if self.push.unknown_results >= UNKNOWN_RESULT_LIMIT { Effect::ReadState } else { self.read_batch() }
    }
}
