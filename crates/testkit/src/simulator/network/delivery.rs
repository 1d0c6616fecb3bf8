//! The delivery of a call.

use crate::SeededRandom;
use crate::simulator::{dice::branch, schedule, step::Fault};

/// The delays of one call, in milliseconds, and its fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) out: u64,
    pub(super) back: u64,
    pub(super) fault: Option<Fault>,
}

/// The current state of a device's network. Times are the observer's.
#[derive(Debug, Default)]
pub(crate) struct NetworkConditions {
    calls: u64,
    seed: u64,
    ordered: Vec<(u8, Fault)>,
    rough: Option<(SeededRandom, u64, u64)>,
    offline_until: u64,
}

impl NetworkConditions {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Gives one of the next calls a fault.
    pub(crate) fn order(&mut self, skip: u8, fault: Fault) {
        self.ordered.push((skip, fault));
    }

    /// Until `until`, calls get random faults.
    pub(crate) fn rough(&mut self, seed: u64, until: u64, per_mille: u64) {
        self.rough = Some((SeededRandom::new(seed), until, per_mille));
    }

    /// Until `until`, there is no network.
    pub(crate) fn offline(&mut self, until: u64) {
        self.offline_until = until;
    }

    /// Ends all faults.
    pub(crate) fn heal(&mut self) {
        *self = Self { calls: self.calls, seed: self.seed, ..Self::default() };
    }

    /// The delivery of the next call.
    pub(super) fn next(&mut self, now: u64) -> Delivery {
        self.calls += 1;
        let mut dice = branch(self.seed, self.calls);
        let (out, back) = (1 + dice.below(80), 1 + dice.below(80));
        if now < self.offline_until {
            return Delivery { out, back, fault: Some(Fault::Unreachable) };
        }
        let fault = self.ordered_fault().or_else(|| self.rough_fault(now));
        Delivery { out, back, fault }
    }

    fn ordered_fault(&mut self) -> Option<Fault> {
        let due = self.ordered.iter().position(|(skip, _)| *skip == 0);
        for (skip, _) in &mut self.ordered {
            *skip = skip.saturating_sub(1);
        }
        due.map(|at| self.ordered.remove(at).1)
    }

    fn rough_fault(&mut self, now: u64) -> Option<Fault> {
        let (dice, until, per_mille) = self.rough.as_mut()?;
        (now < *until && dice.chance(*per_mille)).then(|| schedule::fault(dice))
    }
}
