//! Bugs in the engine, the store and the server; the simulator must find each.
//!
//! The sources contain them behind a feature (`fieldpost_domain::planted`). The simulator is built once with this
//! feature, and runs seed after seed until the invariant that the bug violates is broken.

use super::Options;
use crate::simulate::{self, Found, Seeds, Simulator};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// The most seeds that a bug may survive.
const SEEDS: u64 = 10_000;

/// A planted bug, as the simulator lists it.
#[derive(Debug, Deserialize)]
struct Bug {
    name: String,
    /// The invariant's name in docs/invariants.md.
    invariant: String,
    what: String,
    /// The kind of run that must find it.
    world: String,
}

impl Bug {
    fn line(&self) -> String {
        format!("{:<20} {}: {}", self.invariant, self.name, self.what)
    }
}

pub(super) fn run(root: &Path, options: &Options) -> Result<()> {
    let simulator = build(root)?;
    let mut wanted = list(&simulator)?;
    wanted.retain(|bug| options.wants(&bug.line()));
    if options.check || wanted.is_empty() {
        println!("{} bugs can be planted", wanted.len());
        return Ok(());
    }
    println!("── the simulator without a bug");
    let calm = first_break(&Seeds::new(0, SEEDS), &simulator, |_| true)?;
    if let Some((seed, invariant)) = calm {
        bail!("seed {seed} breaks {invariant} without any bug");
    }
    println!("── the simulator with one bug each");
    let mut found = 0;
    for bug in &wanted {
        found += usize::from(plant(&simulator, bug)?);
    }
    println!("{} planted, {found} found", wanted.len());
    if found < wanted.len() {
        bail!("{} planted bugs were missed", wanted.len() - found);
    }
    Ok(())
}

/// Built into a separate folder, so that no other build of the simulator replaces it meanwhile.
fn build(root: &Path) -> Result<PathBuf> {
    let built = simulate::build(root, Simulator::WithPlantedBugs)?;
    let simulator = root.join("target/planted/simulate");
    fs::create_dir_all(simulator.parent().context("no target folder")?)?;
    fs::copy(&built, &simulator).with_context(|| built.display().to_string())?;
    Ok(simulator)
}

fn list(simulator: &Path) -> Result<Vec<Bug>> {
    let output = Command::new(simulator).arg("--list-planted").output().context("cannot start the simulator")?;
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// Whether the simulator finds the bug.
fn plant(simulator: &Path, bug: &Bug) -> Result<bool> {
    let start = Instant::now();
    let (plant, world) = (Some(bug.name.clone()), Some(bug.world.clone()));
    let seeds = Seeds { plant, world, ..Seeds::new(0, SEEDS) };
    let broken = first_break(&seeds, simulator, |name| name == bug.invariant)?;
    let (word, how) = broken.as_ref().map_or_else(
        || ("MISSED", format!("{SEEDS} seeds")),
        |(seed, _)| ("found ", format!("within {} seeds", seed + 1)),
    );
    println!("{word}  {}: {how} ({:.1} s)", bug.line(), start.elapsed().as_secs_f32());
    Ok(broken.is_some())
}

/// The first seed that breaks one of the relevant invariants.
fn first_break(seeds: &Seeds, simulator: &Path, counts: impl Fn(&str) -> bool) -> Result<Option<(u64, String)>> {
    let mut broken = None;
    seeds.run(simulator, |Found { seed, invariant, .. }| {
        broken = invariant.filter(|name| counts(name)).map(|name| (seed, name));
        broken.is_none()
    })?;
    Ok(broken)
}
