//! Runs the simulator over many seeds, one process on each core.

mod seeds;
mod tally;

pub(crate) use seeds::{Found, Seeds};

use crate::process;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use tally::Tally;

/// The options of a simulation.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed; with --trace the only one
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only runs of this kind: messages or records
    #[arg(long)]
    world: Option<String>,
    /// Show every step, call and kind of response of one seed
    #[arg(long)]
    trace: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = process::root();
    let simulator = build(&root, Simulator::Plain)?;
    if options.trace {
        let seed = options.seed.to_string();
        let world = options.world.iter().flat_map(|world| ["--world", world.as_str()]);
        let mut command = Command::new(&simulator);
        let status = command.args(world).args(["trace", &seed]).status().context("cannot start the simulator")?;
        return if status.success() { Ok(()) } else { bail!("seed {seed} breaks an invariant") };
    }
    let start = Instant::now();
    let all = Seeds::new(options.seed, options.seed.saturating_add(options.seeds));
    let seeds = Seeds { world: options.world.clone(), ..all };
    let mut tally = Tally::default();
    seeds.run(&simulator, |found| {
        tally.add(found);
        tally.show_progress(options.seeds, options.json);
        true
    })?;
    tally.finish(start.elapsed(), options.json)?;
    match tally.violations() {
        0 => Ok(()),
        count => bail!("{count} of {} seeds break an invariant", options.seeds),
    }
}

/// Which simulator to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Simulator {
    Plain,
    WithPlantedBugs,
}

/// Builds a simulator and returns its path.
pub(crate) fn build(root: &Path, simulator: Simulator) -> Result<PathBuf> {
    let target = root.join("target");
    let mut cargo = process::cargo();
    cargo
        .current_dir(root)
        .args(["build", "--quiet", "--locked", "--profile", "simulation", "-p", "fieldpost-testkit"])
        .args(["--example", "simulate"])
        .env("CARGO_TARGET_DIR", &target);
    if simulator == Simulator::WithPlantedBugs {
        cargo.args(["--features", "planted-bugs"]);
    }
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the simulator does not build");
    }
    Ok(target.join("simulation/examples/simulate"))
}
