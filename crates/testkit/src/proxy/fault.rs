//! What goes wrong, how often, and how often it did.

use crate::SeededRandom;
use std::collections::BTreeMap;

/// One way in which an exchange goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset when the request has arrived; the server never sees it.
    Reset,
    /// The server sees part of the request, and then nothing more.
    CutRequest,
    /// The server carries the request out and answers; the connection is reset instead.
    LoseAnswer,
    /// The server carries the request out; its answer ends somewhere in the middle.
    CutAnswer,
    /// The answer arrives whole, in drops.
    Trickle,
    /// Every connection breaks, and new ones are refused for a while.
    Refuse,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Reset, Self::CutRequest, Self::LoseAnswer, Self::CutAnswer, Self::Trickle, Self::Refuse];

    /// In words, for a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::CutRequest => "cut request",
            Self::LoseAnswer => "lost answer",
            Self::CutAnswer => "cut answer",
            Self::Trickle => "trickle",
            Self::Refuse => "refused",
        }
    }
}

/// How many of a hundred exchanges go wrong in which way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultMix {
    of_hundred: BTreeMap<Fault, u32>,
}

impl FaultMix {
    /// All goes well.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A building site: every third exchange goes wrong, in every way there is.
    #[must_use]
    pub fn rough() -> Self {
        Self::none()
            .with(Fault::Reset, 6)
            .with(Fault::CutRequest, 4)
            .with(Fault::LoseAnswer, 8)
            .with(Fault::CutAnswer, 6)
            .with(Fault::Trickle, 7)
            .with(Fault::Refuse, 2)
    }

    /// So many of a hundred exchanges go wrong in this way. Shares beyond a hundred in all are not reached.
    #[must_use]
    pub fn with(mut self, fault: Fault, of_hundred: u32) -> Self {
        self.of_hundred.insert(fault, of_hundred);
        self
    }

    pub(super) fn draw(&self, random: &mut SeededRandom) -> Option<Fault> {
        let mut drawn = random.below(100);
        for (fault, share) in &self.of_hundred {
            if drawn < u64::from(*share) {
                return Some(*fault);
            }
            drawn -= u64::from(*share);
        }
        None
    }
}

/// What went through a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Requests that arrived whole.
    pub requests: u64,
    /// Those of them that went wrong, by kind.
    pub faults: BTreeMap<Fault, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, fault: Option<Fault>) {
        self.requests += 1;
        if let Some(fault) = fault {
            *self.faults.entry(fault).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(mix: &FaultMix, seed: u64) -> Vec<Option<Fault>> {
        let mut random = SeededRandom::new(seed);
        (0..2000).map(|_| mix.draw(&mut random)).collect()
    }

    #[test]
    fn a_seed_draws_the_same_faults_again() {
        assert_eq!(drawn(&FaultMix::rough(), 7), drawn(&FaultMix::rough(), 7));
        assert_ne!(drawn(&FaultMix::rough(), 7), drawn(&FaultMix::rough(), 8));
    }

    #[test]
    fn a_rough_mix_has_every_fault_and_leaves_most_exchanges_alone() {
        let all = drawn(&FaultMix::rough(), 7);
        assert!(Fault::ALL.iter().all(|fault| all.contains(&Some(*fault))));
        assert!(all.iter().filter(|drawn| drawn.is_none()).count() > 1000);
    }

    #[test]
    fn a_share_of_a_hundred_is_always_and_none_is_never() {
        assert!(drawn(&FaultMix::none().with(Fault::Reset, 100), 7).iter().all(|drawn| *drawn == Some(Fault::Reset)));
        assert!(drawn(&FaultMix::none(), 7).iter().all(Option::is_none));
    }
}
