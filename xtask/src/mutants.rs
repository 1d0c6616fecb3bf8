//! `cargo xtask mutants`: changes the code of the machine and of the outbox, one place at a time, and checks that a
//! test fails.

use crate::{fuzz::ensure_tool, process};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::process::Command;

/// What to change.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these: machine, memory (the outbox of the store in memory), or sqlite (that of the file)
    #[arg(long, value_enum)]
    only: Option<Area>,
    /// Only the mutants whose name matches this expression
    #[arg(long)]
    re: Option<String>,
    /// Only the n-th of k parts, to save time: 0/4
    #[arg(long)]
    shard: Option<String>,
}

/// A part of the code, with the tests that must catch its mutants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Area {
    Machine,
    Memory,
    Sqlite,
}

impl Area {
    const ALL: [Self; 3] = [Self::Machine, Self::Memory, Self::Sqlite];

    const fn package(self) -> &'static str {
        match self {
            Self::Machine => "fieldpost-sync",
            Self::Memory => "fieldpost-storage",
            Self::Sqlite => "fieldpost-storage-sqlite",
        }
    }

    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Machine => &["crates/sync/src/machine/**"],
            Self::Memory => &[
                "crates/storage/src/memory/outbox.rs",
                "crates/storage/src/memory/settle.rs",
                "crates/storage/src/memory/decide.rs",
            ],
            Self::Sqlite => &["crates/storage-sqlite/src/outbox/**"],
        }
    }

    /// The test suites of this area and no others: a mutant costs as much time as its tests.
    const fn tests(self) -> &'static [&'static str] {
        match self {
            Self::Machine => &["--test", "machine", "--test", "engine"],
            Self::Memory => &["--features", "conformance", "--test", "memory"],
            Self::Sqlite => &["--lib", "--test", "conformance", "--test", "surviving"],
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    ensure_tool("cargo-mutants")?;
    let wanted = |area: &Area| options.only.is_none_or(|only| only == *area);
    let mut survived = Vec::new();
    for area in Area::ALL.into_iter().filter(wanted) {
        if !mutate(area, options)? {
            survived.push(area.package());
        }
    }
    if survived.is_empty() { Ok(()) } else { bail!("mutants survive in {}", survived.join(", ")) }
}

/// Whether every mutant of an area was caught.
fn mutate(area: Area, options: &Options) -> Result<bool> {
    println!("── mutants of {area:?}");
    let out = process::root().join("target/mutants").join(area.package());
    std::fs::create_dir_all(&out)?;
    let mut mutants = Command::new("cargo");
    mutants.current_dir(process::root()).arg("mutants").arg("--output").arg(&out);
    mutants.args(["--package", area.package(), "--test-package", area.package()]);
    for file in area.files() {
        mutants.args(["--file", file]);
    }
    for (flag, value) in [("--re", &options.re), ("--shard", &options.shard)] {
        if let Some(value) = value {
            mutants.args([flag, value]);
        }
    }
    // Stops a mutant that loops endlessly; the suites take seconds.
    mutants.args(["--timeout", "60", "--baseline", "skip", "--jobs", "1", "--no-shuffle", "--", "--locked"]);
    mutants.args(area.tests());
    let status = mutants.status().context("cannot start cargo mutants")?;
    match status.code() {
        Some(0) => Ok(true),
        // Missed, or timed out: a timeout counts as caught, but deserves a look.
        Some(2 | 3) => Ok(false),
        _ => bail!("cargo mutants could not do its work ({status})"),
    }
}
