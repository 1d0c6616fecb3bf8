//! The report of a broken invariant.

use super::Breach;
use std::{error::Error, fmt};

/// A broken invariant, and the smallest schedule found that breaks it.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The original seed.
    pub seed: u64,
    /// The participants and settings.
    pub setup: String,
    /// The steps.
    pub steps: Vec<String>,
    /// The breach, with the two views where they differ.
    pub breach: Breach,
    /// The trace of the smallest schedule.
    pub trace: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {} is broken: {}", self.seed, self.breach.invariant, self.breach.what)?;
        if let Some((expected, found)) = &self.breach.views {
            writeln!(f, "  should be: {expected}\n  is:        {found}")?;
        }
        writeln!(f, "  with {}", self.setup)?;
        writeln!(f, "  {} steps are enough:", self.steps.len())?;
        self.steps.iter().try_for_each(|step| writeln!(f, "    {step}"))?;
        write!(f, "  see all of it: cargo xtask simulate --seed {} --trace", self.seed)
    }
}

impl Error for Violation {}
