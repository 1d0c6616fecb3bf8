//! Bad lines, measured: the command line as people run it, behind a proxy that makes the line slow, refuses sizes or shows
//! a captive portal. `cargo xtask lines` runs it; the tables in docs/benchmarks.md are its output.
//!
//! Each case starts a server of its own, lets a new device sign in, and runs real processes. Any build of the command line
//! can be measured, so a change can be compared with what was before it.

mod loading;
mod portals;
mod refusing;
mod slow;
mod terminal;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One measurement: what was measured of which case.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Measured {
    /// The case, as a row of the table.
    pub case: String,
    /// The column.
    pub what: String,
    /// The figure, in words or as a number with its unit.
    pub figure: String,
}

/// A group of cases that can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A server that refuses large batches and pages.
    Refusing,
    /// A slow line.
    Slow,
    /// Captive portals, functions that are missing, a server whose clock is wrong.
    Portals,
    /// A message that is written while a first load runs.
    Loading,
}

impl Group {
    /// All groups, quick ones first.
    pub const ALL: [Self; 4] = [Self::Refusing, Self::Loading, Self::Portals, Self::Slow];

    /// Its name on the command line, and its heading.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refusing => "refusing",
            Self::Slow => "slow",
            Self::Portals => "portals",
            Self::Loading => "loading",
        }
    }
}

/// Takes each case's measurements as soon as they are there: a run takes minutes, and may be cut short.
pub type Sink<'s> = &'s mut dyn FnMut(Vec<Measured>);

/// Measures a group with this build of the command line.
///
/// # Errors
/// If a case cannot be set up. A case that does not come to its end is a figure, not an error.
pub async fn measure(group: Group, program: &Path, sink: Sink<'_>) -> Result<()> {
    match group {
        Group::Refusing => refusing::measure(program, sink).await,
        Group::Slow => slow::measure(program, sink).await,
        Group::Portals => portals::measure(program, sink).await,
        Group::Loading => loading::measure(program, sink).await,
    }
}

fn measured(case: &str, what: &str, figure: impl Into<String>) -> Measured {
    Measured { case: case.to_owned(), what: what.to_owned(), figure: figure.into() }
}
