//! Bugs in the engine, the store and the server, and the simulator that has to find each.
//!
//! A bug is a piece of text that takes the place of another, in a copy of the sources under `target/planted`. The simulator
//! is built from the copy and runs seed after seed until the invariant that the bug undoes is broken.

mod sources;
mod table;

use super::Options;
use crate::simulate::{Found, Seeds};
use anyhow::{Result, bail};
use sources::Sources;
use std::{path::Path, time::Instant};
use table::{BUGS, Bug};

/// How many seeds a bug may survive.
const SEEDS: u64 = 10_000;

pub(super) fn run(root: &Path, options: &Options) -> Result<()> {
    let wanted: Vec<&Bug> = BUGS.iter().filter(|bug| named(bug, options.only.as_deref())).collect();
    for bug in &wanted {
        sources::check(root, bug)?;
    }
    if options.check || wanted.is_empty() {
        println!("{} bugs fit the sources", wanted.len());
        return Ok(());
    }
    let sources = Sources::copy(root)?;
    println!("── the simulator without a bug");
    let calm = first_break(&sources.simulator()?, |_| true)?;
    if let Some((seed, invariant)) = calm {
        bail!("seed {seed} breaks {invariant} without any bug");
    }
    println!("── the simulator with one bug each");
    let mut found = 0;
    for bug in &wanted {
        found += usize::from(plant(&sources, bug)?);
    }
    println!("{} planted, {found} found", wanted.len());
    if found < wanted.len() {
        bail!("{} planted bugs were missed", wanted.len() - found);
    }
    Ok(())
}

fn named(bug: &Bug, only: Option<&str>) -> bool {
    only.is_none_or(|only| bug.name.contains(only) || bug.invariant.contains(only))
}

/// Whether the simulator finds it.
fn plant(sources: &Sources, bug: &Bug) -> Result<bool> {
    let start = Instant::now();
    sources.plant(bug)?;
    let broken = sources.simulator().and_then(|simulator| first_break(&simulator, |name| name == bug.invariant));
    sources.pull_out(bug)?;
    let broken = broken?;
    let (word, how) = broken.as_ref().map_or_else(
        || ("MISSED", format!("{SEEDS} seeds")),
        |(seed, _)| ("found ", format!("within {} seeds", seed + 1)),
    );
    println!("{word}  {:<13} {}: {how} ({:.0} s)", bug.invariant, bug.name, start.elapsed().as_secs_f32());
    Ok(broken.is_some())
}

/// The first seed that breaks an invariant that counts.
fn first_break(simulator: &Path, counts: impl Fn(&str) -> bool) -> Result<Option<(u64, String)>> {
    let mut broken = None;
    Seeds { first: 0, end: SEEDS }.run(simulator, |Found { seed, invariant, .. }| {
        broken = invariant.filter(|name| counts(name)).map(|name| (seed, name));
        broken.is_none()
    })?;
    Ok(broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_planted_bug_fits_the_sources_exactly_once() {
        for bug in BUGS {
            sources::check(&crate::process::root(), bug).unwrap_or_else(|error| panic!("{}: {error:#}", bug.name));
        }
    }

    #[test]
    fn every_invariant_has_a_planted_bug() {
        let planted: BTreeSet<_> = BUGS.iter().map(|bug| bug.invariant).collect();
        assert_eq!(planted.len(), 11, "{planted:?}");
    }
}
