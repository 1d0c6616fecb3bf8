//! `cargo xtask fuzz`: a bounded search for bytes that break decoding. The properties are in tests/src/fuzz.

use crate::process;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::{path::Path, process::Command};

/// How long to fuzz, and what.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only this target: answers, requests, rows or stored
    #[arg(long)]
    only: Option<String>,
}

/// The properties of `fieldpost_tests::fuzz::ALL`.
const TARGETS: [&str; 4] = ["answers", "requests", "rows", "stored"];

pub(crate) fn run(options: &Options) -> Result<()> {
    ensure_tool("cargo-fuzz")?;
    let wanted = |target: &&str| options.only.as_ref().is_none_or(|only| only == target);
    let targets: Vec<_> = TARGETS.into_iter().filter(wanted).collect();
    if targets.is_empty() {
        bail!("no such target; there are {}", TARGETS.join(", "));
    }
    for target in targets {
        look(target, options.seconds)?;
    }
    Ok(())
}

/// Runs one target. New inputs go to the target folder: the corpus in the repository stays small.
fn look(target: &str, seconds: u32) -> Result<()> {
    let folder = process::root().join("tests/fuzz");
    let found = process::root().join("target/fuzz-corpus").join(target);
    std::fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let mut fuzz = fuzz_command(&folder);
    fuzz.arg(target).arg(&found).arg(folder.join("corpus").join(target));
    fuzz.args(["--", &format!("-max_total_time={seconds}"), "-timeout=10", "-max_len=65536", "-print_final_stats=1"]);
    process::run(&format!("{target}, {seconds} s"), &mut fuzz)
}

/// The coverage that guides a fuzzer is an unstable option of the stable compiler; this variable allows it. Code
/// without `unsafe` is memory-safe, so no sanitizer is used, and none has to be installed.
fn fuzz_command(folder: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", process::root().join("target/fuzz"));
    cargo.current_dir(folder).args(["fuzz", "run", "--fuzz-dir", ".", "--sanitizer", "none"]);
    cargo
}

/// Explains how to install a missing tool.
pub(crate) fn ensure_tool(name: &str) -> Result<()> {
    let found = Command::new("cargo").args([name.trim_start_matches("cargo-"), "--version"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    bail!("{name} is missing: cargo install {name} --locked")
}
