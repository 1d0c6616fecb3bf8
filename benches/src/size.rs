//! How much work a run does.

use clap::ValueEnum;

/// How much work a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// Everything once, with a handful of rows: shows that it runs, not how fast.
    Smoke,
    /// A tenth of the rows and few rounds.
    Quick,
    /// What the goals speak of.
    Full,
}

impl Size {
    /// One of three.
    #[must_use]
    pub fn pick<T>(self, smoke: T, quick: T, full: T) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}
