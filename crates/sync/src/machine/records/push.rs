//! The push phase: sends what is due, the most urgent first.
//!
//! Immediate changes travel alone: a batch that has some holds nothing else, so that they never wait for the bytes of
//! others. When a call fails as a whole, the kind of failure decides:
//!
//! * It was certainly not carried out: the changes are withdrawn and wait for nothing. If the server is out of reach or
//!   refuses every call, the pass ends. If the batch was too much, half of it is sent at once; the size that was refused
//!   is kept, and grows back later. A single change that is too large is refused for good.
//! * Otherwise nobody knows: the changes wait as their priorities say, and are sent again with the same ids. A response
//!   that was lost is asked for once more before.
//!
//! A change that fails a call alone waits, and the others go on. When several fail alone in a row, the fault is the
//! server's, and the phase ends.

use super::{Lane, RecordEffect, RecordPass, dependent::put_off};
use crate::machine::pace::Pace;
use fieldpost_domain::{
    MutationId, RetryCode,
    planted::{PlantedBug, planted},
    records::{
        Priority, RecordMutation, RecordOperation, RecordOutcome, RecordRefusal, RecordRefusalCode, RecordResult,
    },
};
use fieldpost_remote::{RecordPushAnswer, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{ReducedSize, records::RecordSettleReport};
use std::collections::{BTreeSet, HashSet};

/// After this many changes fail alone in a row, the fault is the server's.
const FAILED_ALONE_LIMIT: u32 = 3;

/// After this many batches in a row from which nothing left the queue, the phase ends.
const IDLE_LIMIT: u32 = 3;

/// The state of the push phase.
#[derive(Debug)]
pub(super) struct Push {
    /// The batch that was sent last.
    pub(super) batch: Vec<RecordMutation>,
    /// The least urgent changes to read.
    stage: Priority,
    /// A response to the batch was lost: the server may have carried it out.
    uncertain: bool,
    /// The size of the next batch, while a faulty change is being searched for.
    narrowed: Option<u32>,
    /// Changes of the batch that the answer did not mention.
    unanswered: Vec<MutationId>,
    failed_alone: u32,
    idle: u32,
    /// A batch failed, and no single change is to blame.
    batch_failed: bool,
    /// Never, except for a planted bug.
    ignores_priority: bool,
}

impl Default for Push {
    fn default() -> Self {
        let ignores_priority = planted(PlantedBug::RecordPriorityIgnored);
        let stage = if ignores_priority { Priority::Low } else { Priority::Immediate };
        Self {
            batch: Vec::new(),
            uncertain: false,
            stage,
            narrowed: None,
            unanswered: Vec::new(),
            failed_alone: 0,
            idle: 0,
            batch_failed: false,
            ignores_priority,
        }
    }
}

impl Push {
    /// Whether only single changes are to blame for the failures: they wait on their own.
    pub(super) const fn blames_changes(&self) -> bool {
        !self.batch_failed && self.failed_alone < FAILED_ALONE_LIMIT
    }
}

fn rows_of(batch: &[RecordMutation]) -> u32 {
    u32::try_from(batch.len()).unwrap_or(u32::MAX)
}

fn ids_of(batch: &[RecordMutation]) -> Vec<MutationId> {
    batch.iter().map(|mutation| mutation.id).collect()
}

impl RecordPass {
    pub(super) fn read_batch(&mut self) -> RecordEffect {
        self.push.batch.clear();
        let mut limits = self.batch_limits();
        if let Some(rows) = self.push.narrowed {
            limits.rows = limits.rows.min(rows);
        }
        RecordEffect::ReadBatch { limits, at_most: self.push.stage }
    }

    pub(super) fn on_batch(&mut self, mutations: Vec<RecordMutation>) -> RecordEffect {
        if mutations.is_empty() {
            return self.after_stage();
        }
        let (urgent, rest) = if self.push.ignores_priority {
            (mutations.into_iter().rev().collect(), Vec::new())
        } else {
            alone_if_immediate(mutations)
        };
        self.push.batch.clone_from(&urgent);
        self.push.uncertain = false;
        let push = RecordEffect::Push(in_order(urgent));
        withdraw(&rest, push)
    }

    /// Nothing of this stage is due any more.
    fn after_stage(&mut self) -> RecordEffect {
        if self.push.stage == Priority::Immediate && self.lane == Lane::Full {
            self.push.stage = Priority::Low;
            self.push.narrowed = None;
            return self.read_batch();
        }
        self.after_push()
    }

    pub(super) fn on_pushed(&mut self, answer: RemoteResult<RecordPushAnswer>) -> RecordEffect {
        if self.repeats(&answer) {
            self.push.uncertain = true;
            return RecordEffect::Push(self.push.batch.clone());
        }
        match answer {
            Ok(answer) => self.on_push_answer(answer),
            Err(error) => self.on_push_error(error),
        }
    }

    fn on_push_answer(&mut self, answer: RecordPushAnswer) -> RecordEffect {
        let batch = std::mem::take(&mut self.push.batch);
        self.measure_up(&batch, answer.took);
        self.limits = answer.limits;
        self.memory.push_size.speed_up(answer.limits.push_rows, rows_of(&batch));
        self.push.failed_alone = 0;
        let mut open: HashSet<MutationId> = batch.iter().map(|mutation| mutation.id).collect();
        let mut results = answer.results;
        results.retain(|result| open.remove(&result.mutation_id));
        // A change without a result would stay under way.
        self.push.unanswered = ids_of(&batch).into_iter().filter(|id| open.contains(id)).collect();
        self.report.ignored += count_ignored(&batch, &results);
        put_off(&batch, &mut results);
        self.keep_uncertain(&mut results);
        results.iter_mut().for_each(|result| distort(&mut result.outcome));
        self.push.batch = batch;
        RecordEffect::Settle(results)
    }

    /// `retry` says that this attempt has changed nothing. If another one may have, the change waits as one that may have
    /// been carried out.
    fn keep_uncertain(&mut self, results: &mut Vec<RecordResult>) {
        if !self.push.uncertain {
            return;
        }
        let (retried, answered): (Vec<_>, Vec<_>) =
            std::mem::take(results).into_iter().partition(|result| matches!(result.outcome, RecordOutcome::Retry(_)));
        *results = answered;
        self.report.retrying += retried.len() as u64;
        self.push.unanswered.extend(retried.into_iter().map(|result| result.mutation_id));
    }

    /// Gives a batch back to the queue that was certainly not carried out, unless an attempt before may have been.
    fn give_back(&self, batch: &[RecordMutation], then: RecordEffect) -> RecordEffect {
        if self.push.uncertain { postpone(ids_of(batch), then) } else { withdraw(batch, then) }
    }

    pub(super) fn on_settled(&mut self, settled: &RecordSettleReport) -> RecordEffect {
        self.report.add_settled(settled);
        let left = settled.won + settled.lost + settled.missing + settled.failed;
        self.push.idle = if left == 0 { self.push.idle + 1 } else { 0 };
        let unanswered = std::mem::take(&mut self.push.unanswered);
        let next = if self.push.idle >= IDLE_LIMIT { self.after_push() } else { self.read_batch() };
        postpone(unanswered, next)
    }

    fn on_push_error(&mut self, error: RemoteError) -> RecordEffect {
        let batch = std::mem::take(&mut self.push.batch);
        match error.kind() {
            RemoteErrorKind::TooLarge | RemoteErrorKind::Oversized => self.send_fewer(&batch, error),
            RemoteErrorKind::StatementTimeout if batch.len() > 1 => self.send_fewer(&batch, error),
            RemoteErrorKind::BadRequest if batch.len() > 1 => {
                self.push.narrowed = Some((rows_of(&batch) / 2).max(1));
                let next = self.read_batch();
                self.give_back(&batch, next)
            }
            RemoteErrorKind::BadRequest | RemoteErrorKind::StatementTimeout => self.on_failed_alone(&batch, error),
            // The pull would fail too.
            kind if kind.is_certainly_not_carried_out() => {
                let end = self.fail(error);
                self.give_back(&batch, end)
            }
            RemoteErrorKind::Interrupted if planted(PlantedBug::LostAnswerIsConflict) => {
                let missing = |id| RecordResult { mutation_id: id, outcome: RecordOutcome::Missing, ignored: vec![] };
                RecordEffect::Settle(ids_of(&batch).into_iter().map(missing).collect())
            }
            RemoteErrorKind::Interrupted => {
                self.memory.push_size.slow_down(rows_of(&batch));
                postpone(ids_of(&batch), self.fail(error))
            }
            RemoteErrorKind::Intercepted => postpone(ids_of(&batch), self.fail(error)),
            RemoteErrorKind::TimedOut => {
                self.push.batch.clone_from(&batch);
                self.batch_was_too_slow();
                self.on_unexplained(&batch, error)
            }
            _ => self.on_unexplained(&batch, error),
        }
    }

    /// The batch was too much, and nothing of it was carried out: half of it may pass, in this pass still.
    fn send_fewer(&mut self, batch: &[RecordMutation], error: RemoteError) -> RecordEffect {
        if let [only] = batch {
            self.memory.push_size = ReducedSize { rows: Some(1), ..ReducedSize::default() };
            return RecordEffect::Settle(vec![too_large(only.id, &error)]);
        }
        let next = if self.memory.push_size.refuse(rows_of(batch)) { self.read_batch() } else { self.fail(error) };
        self.give_back(batch, next)
    }

    /// It is not known which change is at fault.
    fn on_unexplained(&mut self, batch: &[RecordMutation], error: RemoteError) -> RecordEffect {
        if batch.len() <= 1 {
            return self.on_failed_alone(batch, error);
        }
        self.memory.push_size.refuse(rows_of(batch));
        self.push.batch_failed = true;
        self.note(error.into());
        postpone(ids_of(batch), self.after_push())
    }

    /// The change may not be at fault, so it is no dead letter. It waits, and holds up no other record.
    fn on_failed_alone(&mut self, batch: &[RecordMutation], error: RemoteError) -> RecordEffect {
        self.note(error.into());
        self.push.narrowed = None;
        self.push.failed_alone += 1;
        let next = if self.push.failed_alone >= FAILED_ALONE_LIMIT { self.after_push() } else { self.read_batch() };
        postpone(ids_of(batch), next)
    }

    /// The call was not made.
    pub(super) fn on_not_called(&mut self, error: crate::SyncError) -> RecordEffect {
        let batch = std::mem::take(&mut self.push.batch);
        let end = self.fail_with(error);
        self.give_back(&batch, end)
    }
}

/// The immediate changes of a batch, and the rest, which is to wait; or the whole batch if none is immediate.
fn alone_if_immediate(mutations: Vec<RecordMutation>) -> (Vec<RecordMutation>, Vec<RecordMutation>) {
    let (urgent, rest): (Vec<_>, Vec<_>) =
        mutations.into_iter().partition(|mutation| mutation.priority == Priority::Immediate);
    if urgent.is_empty() { (rest, urgent) } else { (urgent, rest) }
}

/// The batch as it is sent: as the queue gave it.
fn in_order(mut batch: Vec<RecordMutation>) -> Vec<RecordMutation> {
    if planted(PlantedBug::UpdateOvertakesCreate) {
        batch.sort_by_key(|mutation| mutation.operation == RecordOperation::Create);
    }
    batch
}

/// What planted bugs make of an outcome.
fn distort(outcome: &mut RecordOutcome) {
    if planted(PlantedBug::RecordRetryIsRefusal) && matches!(outcome, RecordOutcome::Retry(_)) {
        *outcome = RecordOutcome::Refused(RecordRefusal { code: RecordRefusalCode::Refused, detail: None });
    }
    if planted(PlantedBug::MissingRecordBlocks) && matches!(outcome, RecordOutcome::Missing) {
        *outcome = RecordOutcome::Retry(RetryCode::Busy);
    }
}

fn too_large(mutation_id: MutationId, error: &RemoteError) -> RecordResult {
    let detail = error.detail().map(str::to_owned);
    let refusal = RecordRefusal { code: RecordRefusalCode::TooLarge, detail };
    RecordResult { mutation_id, outcome: RecordOutcome::Refused(refusal), ignored: Vec::new() }
}

fn withdraw(batch: &[RecordMutation], then: RecordEffect) -> RecordEffect {
    match ids_of(batch) {
        none if none.is_empty() => then,
        mutations => RecordEffect::Withdraw { mutations, then: Box::new(then) },
    }
}

fn postpone(mutations: Vec<MutationId>, then: RecordEffect) -> RecordEffect {
    if mutations.is_empty() { then } else { RecordEffect::Postpone { mutations, then: Box::new(then) } }
}

/// How many changes lost fields because the server's table has no such columns. Their values stay on this device alone, so
/// the log says which.
fn count_ignored(batch: &[RecordMutation], results: &[RecordResult]) -> u64 {
    let ignored: Vec<_> = results.iter().filter(|result| !result.ignored.is_empty()).collect();
    let table = |id| batch.iter().find(|mutation| mutation.id == id).map(|mutation| mutation.table.as_str());
    let columns: BTreeSet<_> = ignored
        .iter()
        .flat_map(|result| result.ignored.iter().map(|column| (table(result.mutation_id).unwrap_or_default(), column)))
        .collect();
    for (table, column) in columns {
        tracing::warn!(table, column, "the server's table has no such column: its values stay on this device");
    }
    ignored.len() as u64
}
