//! The end of a pass: before it, what was learned is written down.
//!
//! Once, and together with the note that all went well, if it did: a sync of nothing must not cost more than that note. A pass
//! that was never told what is known has nothing to write.

use super::{Effect, Outcome, Pass, SyncReport};
use fieldpost_storage::{Health, SyncMemory};

/// How far a pass is with its end.
#[derive(Debug, Default)]
pub(super) enum Ending {
    /// It does not know what earlier passes have learned, or has written down what it has.
    #[default]
    Nothing,
    /// The store keeps this.
    Kept(Box<SyncMemory>),
    /// What was learned is being written; the pass failed, and then ends with this.
    Failing(Box<Effect>),
}

impl Ending {
    pub(super) fn before(memory: &SyncMemory) -> Self {
        Self::Kept(Box::new(memory.clone()))
    }

    /// How a pass that failed ends, once what it has learned is written, or could not be.
    pub(super) fn take_failure(&mut self) -> Option<Effect> {
        match std::mem::take(self) {
            Self::Failing(end) => Some(*end),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl Pass {
    /// Everything is done.
    pub(super) fn end_well(&mut self) -> Effect {
        self.ending = Ending::Nothing;
        let failed = self.push_error.is_some();
        Effect::Remember { memory: Box::new(self.learned(&self.report, failed)), succeeded: true }
    }

    pub(super) fn on_remembered(&mut self) -> Effect {
        self.ending.take_failure().unwrap_or_else(|| self.finish())
    }

    /// A pass that fails writes down first what it has learned.
    pub(super) fn before_the_end(&mut self, effect: Effect) -> Effect {
        let (Ending::Kept(_), Some(outcome)) = (&self.ending, effect.outcome()) else { return effect };
        let memory = self.learned(&outcome.report, outcome.error.is_some());
        self.ending = Ending::Failing(Box::new(effect));
        Effect::Remember { memory: Box::new(memory), succeeded: false }
    }

    /// What a pass that is cut off leaves to be written; none if that is what the store keeps.
    #[must_use]
    pub fn unwritten(&self) -> Option<SyncMemory> {
        let Ending::Kept(kept) = &self.ending else { return None };
        let memory = SyncMemory { suspects: self.push.suspects(), ..self.memory.clone() };
        (memory != **kept).then_some(memory)
    }

    fn learned(&self, report: &SyncReport, failed: bool) -> SyncMemory {
        let health = after(self.memory.health, report, failed);
        SyncMemory { suspects: self.push.suspects(), health, ..self.memory.clone() }
    }
}

impl Effect {
    /// How the pass ends with this, if it does.
    fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Finish(outcome) => Some(outcome),
            Self::Withdraw { then, .. } => then.outcome(),
            _ => None,
        }
    }
}

/// Health after one more pass.
const fn after(health: Health, report: &SyncReport, failed: bool) -> Health {
    Health {
        passes: health.passes + 1,
        failed_passes: health.failed_passes + failed as u64,
        repeated: health.repeated + report.repeated,
        gaps: health.gaps + report.repaired,
        reloads: health.reloads + report.bootstraps,
        superseded: health.superseded + report.superseded,
        checked: health.checked + report.checked,
        diverged: health.diverged + report.diverged,
        oversized: health.oversized + report.oversized,
    }
}
