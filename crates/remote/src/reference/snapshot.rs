//! Which transactions' rows a reader has seen: a snapshot, as in PostgreSQL.
//!
//! Transactions get their numbers when they begin, and end in any order. So "everything up to here" is not a single
//! number: it is the first number that was not yet given, and the lower ones that were still running.

use fieldpost_domain::planted::{PlantedBug, planted};
use std::collections::BTreeSet;

/// The transactions that had ended at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Snapshot {
    /// The first number that was not yet given.
    pub(super) next: u64,
    /// Lower numbers that were still running.
    pub(super) running: BTreeSet<u64>,
}

impl Snapshot {
    /// Whether a transaction had ended.
    pub(super) fn sees(&self, stamp: u64) -> bool {
        stamp < self.next && (planted(PlantedBug::HighWaterMark) || !self.running.contains(&stamp))
    }

    /// It sees every transaction below this number.
    pub(super) fn floor(&self) -> u64 {
        self.running.first().copied().unwrap_or(self.next)
    }

    /// Whether it sees everything that `other` sees.
    pub(super) fn covers(&self, other: &Self) -> bool {
        (self.floor()..other.next).all(|stamp| self.sees(stamp) || !other.sees(stamp))
    }

    /// `next`, then the running transactions: `12_7_9`.
    pub(super) fn text(&self) -> String {
        let running = self.running.iter().map(|stamp| format!("_{stamp}"));
        std::iter::once(self.next.to_string()).chain(running).collect()
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split('_').map(|number| number.parse().ok());
        let next = numbers.next()??;
        Some(Self { next, running: numbers.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_sees_what_had_ended_and_survives_its_text() {
        let early = Snapshot { next: 9, running: [4, 7].into() };
        let seen: Vec<_> = (0..12).filter(|stamp| early.sees(*stamp)).collect();
        assert_eq!((seen, early.floor()), (vec![0, 1, 2, 3, 5, 6, 8], 4));
        assert_eq!(Snapshot::read(&early.text()), Some(early.clone()));
        let late = Snapshot { next: 12, running: [7].into() };
        assert!(late.covers(&early) && !early.covers(&late));
        // No transaction has ended since: one that only began hides nothing.
        assert!(early.covers(&Snapshot { next: 10, running: [4, 7, 9].into() }));
    }
}
