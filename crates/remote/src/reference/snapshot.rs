//! Which transactions' rows somebody has seen: what PostgreSQL calls a snapshot.
//!
//! Transactions are numbered as they begin and end in any order. So "everything up to here" is no single number: it is a
//! number that had not been given out yet, and those below it that were still running.

use fieldpost_domain::planted::{PlantedBug, planted};
use std::collections::BTreeSet;

/// A set of transactions that had ended at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Snapshot {
    /// The first number that had not been given out.
    pub(super) next: u64,
    /// Lower numbers that were still running.
    pub(super) running: BTreeSet<u64>,
}

impl Snapshot {
    /// Whether a transaction had ended.
    pub(super) fn sees(&self, stamp: u64) -> bool {
        stamp < self.next && (planted(PlantedBug::HighWaterMark) || !self.running.contains(&stamp))
    }

    /// Below this it sees everything.
    pub(super) fn floor(&self) -> u64 {
        self.running.first().copied().unwrap_or(self.next)
    }

    /// Whether it sees everything that `other` sees.
    pub(super) fn covers(&self, other: &Self) -> bool {
        (self.floor()..other.next).all(|stamp| self.sees(stamp) || !other.sees(stamp))
    }

    /// `next`, then those that run: `12_7_9`.
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
        // Nothing has ended since: a transaction that only began hides nothing.
        assert!(early.covers(&Snapshot { next: 10, running: [4, 7, 9].into() }));
    }
}
