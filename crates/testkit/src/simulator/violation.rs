//! What a broken invariant is reported with.

use super::{Breach, Setup, step::Step};
use std::{error::Error, fmt};

/// An invariant that was broken, and the smallest schedule that was found to break it.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The seed that it began with.
    pub seed: u64,
    /// What there was.
    pub setup: Setup,
    /// What had to happen.
    pub steps: Vec<Step>,
    /// What was broken, with the two views where they differ.
    pub breach: Breach,
    /// The trace of the small schedule.
    pub trace: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {} is broken: {}", self.seed, self.breach.invariant, self.breach.what)?;
        if let Some((expected, found)) = &self.breach.views {
            writeln!(f, "  should be: {expected}\n  is:        {found}")?;
        }
        writeln!(f, "  with {:?}", self.setup)?;
        writeln!(f, "  {} steps are enough:", self.steps.len())?;
        self.steps.iter().try_for_each(|step| writeln!(f, "    {step}"))?;
        write!(f, "  see all of it: cargo xtask simulate --seed {} --trace", self.seed)
    }
}

impl Error for Violation {}
