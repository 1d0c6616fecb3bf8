//! The current state of a network, and the delivery of the next call.

use super::Fault;
use crate::{SeededRandom, chance::branch};
use fieldpost_remote::RemoteErrorKind;
use std::time::Duration;
use tokio::time::Instant;

/// The delays of one call and its fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    /// None: the call takes no time.
    pub(super) delays: Option<Delays>,
    pub(crate) fault: Option<Fault>,
}

/// How long the request and the response take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delays {
    pub(super) out: Duration,
    pub(super) back: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Conditions {
    calls: u64,
    /// Draws the delays; none: calls take no time.
    seed: Option<u64>,
    ordered: Vec<(u32, Fault)>,
    rough: Option<Rough>,
    offline: Offline,
    /// Before this moment a captive portal answers.
    portal_until: Option<Instant>,
    largest_batch: Option<usize>,
}

#[derive(Debug, Default)]
enum Offline {
    #[default]
    No,
    Until(Instant),
    UntilFurtherNotice,
}

/// Random faults for a while.
#[derive(Debug)]
struct Rough {
    random: SeededRandom,
    until: Instant,
    per_mille: u64,
}

impl Conditions {
    pub(super) fn with_delays(seed: u64) -> Self {
        Self { seed: Some(seed), ..Self::default() }
    }

    pub(super) fn order(&mut self, skip: u32, fault: Fault) {
        self.ordered.push((skip, fault));
    }

    pub(super) fn rough(&mut self, seed: u64, lasting: Duration, per_mille: u64) {
        self.rough = Some(Rough { random: SeededRandom::new(seed), until: Instant::now() + lasting, per_mille });
    }

    pub(super) fn offline_for(&mut self, lasting: Duration) {
        self.offline = Offline::Until(Instant::now() + lasting);
    }

    pub(super) fn intercepted_for(&mut self, lasting: Duration) {
        self.portal_until = self.portal_until.max(Some(Instant::now() + lasting));
    }

    pub(super) fn set_offline(&mut self, offline: bool) {
        self.offline = if offline { Offline::UntilFurtherNotice } else { Offline::No };
    }

    pub(super) fn carries_at_most(&mut self, mutations: usize) {
        self.largest_batch = Some(mutations);
    }

    pub(super) fn heal(&mut self) {
        *self = Self { calls: self.calls, seed: self.seed, ..Self::default() };
    }

    /// The delivery of the next call, with this many mutations.
    pub(super) fn next(&mut self, mutations: usize) -> Delivery {
        self.calls += 1;
        let delays = self.seed.map(|seed| {
            let mut random = branch(seed, self.calls);
            let (out, back) = (1 + random.below(80), 1 + random.below(80));
            Delays { out: Duration::from_millis(out), back: Duration::from_millis(back) }
        });
        Delivery { delays, fault: self.fault(mutations) }
    }

    fn fault(&mut self, mutations: usize) -> Option<Fault> {
        if self.is_offline() {
            return Some(Fault::Unreachable);
        }
        if self.portal_until.is_some_and(|until| Instant::now() < until) {
            return Some(Fault::Error(RemoteErrorKind::Intercepted));
        }
        let fault = self.ordered_fault().or_else(|| self.rough_fault());
        let too_large = self.largest_batch.is_some_and(|largest| mutations > largest);
        fault.or_else(|| too_large.then_some(Fault::Error(RemoteErrorKind::TimedOut)))
    }

    fn is_offline(&self) -> bool {
        match self.offline {
            Offline::No => false,
            Offline::Until(until) => Instant::now() < until,
            Offline::UntilFurtherNotice => true,
        }
    }

    fn ordered_fault(&mut self) -> Option<Fault> {
        let due = self.ordered.iter().position(|(skip, _)| *skip == 0);
        for (skip, _) in &mut self.ordered {
            *skip = skip.saturating_sub(1);
        }
        due.map(|at| self.ordered.remove(at).1)
    }

    fn rough_fault(&mut self) -> Option<Fault> {
        let rough = self.rough.as_mut()?;
        (Instant::now() < rough.until && rough.random.chance(rough.per_mille)).then(|| Fault::draw(&mut rough.random))
    }
}
