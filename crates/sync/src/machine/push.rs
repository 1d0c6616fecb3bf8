//! The push phase.

use super::{Effect, Pass};
use fieldpost_domain::{ConversationId, Mutation, PushOutcome, PushResult, Refusal, RefusalCode};
use fieldpost_remote::{PushAnswer, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{BatchLimits, SettleReport};
use std::collections::HashSet;

/// What the push phase remembers.
#[derive(Debug, Default)]
pub(super) struct Push {
    /// The batch that is on its way.
    batch: Vec<Mutation>,
    /// Lanes that wait until the next pass.
    held: HashSet<ConversationId>,
    /// How many mutations the next batch may have, while one at fault is being looked for.
    rows: Option<u32>,
}

impl Pass {
    pub(super) fn read_batch(&mut self) -> Effect {
        let mut limits = BatchLimits::from(self.limits);
        if let Some(rows) = self.push.rows {
            limits.rows = limits.rows.min(rows);
        }
        // A server that states nonsense must not make a batch empty.
        limits.rows = limits.rows.max(1);
        Effect::ReadBatch { limits, held: self.push.held.clone() }
    }

    pub(super) fn on_batch(&mut self, mutations: Vec<Mutation>) -> Effect {
        if mutations.is_empty() {
            return Effect::ReadState;
        }
        self.push.batch.clone_from(&mutations);
        Effect::Push(mutations)
    }

    pub(super) fn on_pushed(&mut self, answer: RemoteResult<PushAnswer>) -> Effect {
        if self.repeats(&answer) {
            return Effect::Push(self.push.batch.clone());
        }
        match answer {
            Ok(answer) => self.on_push_answer(answer),
            Err(error) => self.on_push_error(error),
        }
    }

    fn on_push_answer(&mut self, answer: PushAnswer) -> Effect {
        self.limits = answer.limits;
        for (mutation, result) in self.push.batch.iter().zip(&answer.results) {
            if matches!(result.outcome, PushOutcome::Retry(_)) {
                self.push.held.insert(mutation.intent.lane());
            }
        }
        Effect::Settle(answer.results)
    }

    fn on_push_error(&mut self, error: RemoteError) -> Effect {
        match error.kind() {
            RemoteErrorKind::TooLarge | RemoteErrorKind::BadRequest => self.narrow(error),
            // The server, or the way to it, is in a state in which following would fail as well.
            RemoteErrorKind::Unreachable
            | RemoteErrorKind::Interrupted
            | RemoteErrorKind::Unauthorized
            | RemoteErrorKind::WrongApiKey
            | RemoteErrorKind::RateLimited
            | RemoteErrorKind::ClientTooOld
            | RemoteErrorKind::NotFieldpost => self.fail(error),
            _ => {
                self.push_error = Some(error.into());
                Effect::ReadState
            }
        }
    }

    /// The batch as a whole was not accepted and nothing of it carried out: look for the mutation at fault.
    fn narrow(&mut self, error: RemoteError) -> Effect {
        let [only] = self.push.batch.as_slice() else {
            let half = self.push.batch.len() / 2;
            self.push.rows = Some(u32::try_from(half).unwrap_or(u32::MAX).max(1));
            return self.read_batch();
        };
        self.push.rows = None;
        if error.kind() == RemoteErrorKind::TooLarge {
            let refusal = Refusal { code: RefusalCode::ContentTooLong, detail: error.detail().map(str::to_owned) };
            return Effect::Settle(vec![PushResult { mutation_id: only.id, outcome: PushOutcome::Rejected(refusal) }]);
        }
        // Not known to be the mutation's own fault, so it is no dead letter; but it must not hold up the others.
        self.push.held.insert(only.intent.lane());
        self.push_error = Some(error.into());
        self.read_batch()
    }

    pub(super) fn on_settled(&mut self, report: &SettleReport) -> Effect {
        self.report.add_settled(report);
        let progressed = report.acknowledged > 0 || report.failed > 0 || report.retrying > 0;
        if !progressed {
            // Another process settled the same batch, or the store has lost its outbox: reading again could go on forever.
            return Effect::ReadState;
        }
        self.read_batch()
    }
}
