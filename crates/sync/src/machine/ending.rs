//! The end of a pass: it first saves what it has learned.
//!
//! It saves once, in the same write as the time of a successful sync: a sync of nothing must cost no more than one
//! write. A pass that never read what earlier passes learned saves nothing.

use super::{Effect, Outcome, Pass, SyncReport};
use fieldpost_storage::{Health, SyncMemory};

/// How far the pass is with saving.
#[derive(Debug, Default)]
pub(super) enum Ending {
    /// Nothing to save: the memory was not read yet, or is saved already.
    #[default]
    Nothing,
    /// The store has this memory.
    Kept(Box<SyncMemory>),
    /// The pass has failed and is saving; then it ends with this effect.
    Failing(Box<Effect>),
}

impl Ending {
    pub(super) fn stored(memory: &SyncMemory) -> Self {
        Self::Kept(Box::new(memory.clone()))
    }

    /// The effect that ends a failed pass, once saving has succeeded or failed.
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
    /// The pass has done everything.
    pub(super) fn end_well(&mut self) -> Effect {
        self.ending = Ending::Nothing;
        let failed = self.push_error.is_some();
        Effect::Remember { memory: Box::new(self.learned(&self.report, failed)), succeeded: true }
    }

    pub(super) fn on_remembered(&mut self) -> Effect {
        self.ending.take_failure().unwrap_or_else(|| self.finish())
    }

    /// Before a failed pass ends, it saves what it has learned.
    pub(super) fn save_before_end(&mut self, effect: Effect) -> Effect {
        let (Ending::Kept(_), Some(outcome)) = (&self.ending, effect.outcome()) else { return effect };
        let memory = self.learned(&outcome.report, outcome.error.is_some());
        self.ending = Ending::Failing(Box::new(effect));
        Effect::Remember { memory: Box::new(memory), succeeded: false }
    }

    /// What a pass that is cut off still has to save; none if the store has it.
    #[must_use]
    pub fn unwritten(&self) -> Option<SyncMemory> {
        let Ending::Kept(kept) = &self.ending else { return None };
        let memory = SyncMemory { suspects: self.push.suspects(), ..self.memory.clone() };
        (memory != **kept).then_some(memory)
    }

    fn learned(&self, report: &SyncReport, failed: bool) -> SyncMemory {
        let health = health_after(self.memory.health, report, failed);
        SyncMemory { suspects: self.push.suspects(), health, ..self.memory.clone() }
    }
}

impl Effect {
    /// The outcome, if this effect ends the pass.
    pub(super) fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Finish(outcome) => Some(outcome),
            Self::Withdraw { then, .. } => then.outcome(),
            _ => None,
        }
    }
}

/// The health counters after one more pass.
const fn health_after(health: Health, report: &SyncReport, failed: bool) -> Health {
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
