//! `cargo xtask crash`: kill -9, repeatedly. tests/src/crash/mod.rs explains the details.

use crate::{process, supabase};
use anyhow::{Context, Result, bail};
use clap::Args;

/// What to kill, and how often.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many processes to kill [default: 500, with --supabase 40]
    #[arg(long)]
    kills: Option<u32>,
    /// Seed of all actions and their times
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Against PostgreSQL and Supabase Lite instead of the stand-in server
    #[arg(long)]
    supabase: bool,
    /// With an encrypted file (needs perl and make)
    #[arg(long)]
    with_key: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    build(options)?;
    if !options.supabase {
        return kill(options);
    }
    supabase::borrow(&process::root(), supabase::Purpose::Tests, || kill(options))
}

/// Builds both programs: the one that kills, and the one that is killed.
fn build(options: &Options) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--locked", "--quiet", "-p", "fieldpost-tests", "--bins"]).args(features(options));
    let status = cargo.status()?;
    if status.success() { Ok(()) } else { bail!("the programs do not build") }
}

fn features(options: &Options) -> &'static [&'static str] {
    if options.with_key { &["--features", "encryption"] } else { &[] }
}

fn kill(options: &Options) -> Result<()> {
    let kills = options.kills.unwrap_or(if options.supabase { 40 } else { 500 });
    let mut crash = process::cargo();
    crash.args(["run", "--locked", "--quiet", "-p", "fieldpost-tests", "--bin", "crash"]);
    crash.args(features(options)).arg("--");
    crash.args(["--kills", &kills.to_string(), "--seed", &options.seed.to_string()]);
    crash.args(options.supabase.then_some("--supabase")).args(options.json.then_some("--json"));
    crash.args(options.with_key.then_some("--with-key"));
    let status = crash.status().context("cannot start the run")?;
    if status.success() { Ok(()) } else { bail!("something was found, or the run failed (seed {})", options.seed) }
}
