//! The amount of work of a run.

use clap::ValueEnum;

/// The amount of work of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// Everything once, with a handful of rows: shows that it works, not how fast.
    Smoke,
    /// A tenth of the rows, and few rounds.
    Quick,
    /// The sizes that the goals refer to.
    Full,
}

impl Size {
    /// Picks one of three values.
    #[must_use]
    pub fn pick<T>(self, smoke: T, quick: T, full: T) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}
