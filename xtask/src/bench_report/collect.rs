//! Builds and runs the benches, and keeps what they print.

use super::sections::SECTIONS;
use crate::{peers, process, supabase};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

/// The lines of all benches that are wanted. They are kept in `.fieldpost/benches.jsonl` too.
pub(super) fn collect(quick: bool, only: Option<&str>) -> Result<String> {
    let program = build()?;
    let root = process::root();
    let was_up = supabase::is_up(&root);
    peers::ensure()?;
    supabase::ensure_up(&root)?;
    let lines = collect_all(&program, quick, only);
    if !was_up {
        supabase::down(&root)?;
    }
    lines
}

fn collect_all(program: &PathBuf, quick: bool, only: Option<&str>) -> Result<String> {
    let kept = process::root().join(".fieldpost");
    fs::create_dir_all(&kept)?;
    let kept = kept.join("benches.jsonl");
    let size = if quick { "quick" } else { "full" };
    let mut lines = String::new();
    for section in SECTIONS.iter().filter(|section| only.is_none_or(|only| section.bench.contains(only))) {
        let started = Instant::now();
        eprint!("── {} … ", section.bench);
        lines += &run(program, section.bench, size)?;
        fs::write(&kept, &lines)?;
        eprintln!("{:.0} s", started.elapsed().as_secs_f64());
    }
    if lines.is_empty() {
        bail!("no bench has such a name; there are {}", SECTIONS.map(|section| section.bench).join(", "));
    }
    Ok(lines)
}

fn build() -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--locked", "--package", "fieldpost-benches", "--bin", "fieldpost-bench"]);
    process::run("building the benches", &mut cargo)?;
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec()?;
    Ok(metadata.target_directory.join("release/fieldpost-bench").into())
}

fn run(program: &PathBuf, bench: &str, size: &str) -> Result<String> {
    let mut command = Command::new(program);
    command.args([bench, "--size", size]).stdout(Stdio::piped()).current_dir(process::root());
    let output =
        command.spawn().and_then(std::process::Child::wait_with_output).context("the bench cannot be started")?;
    if !output.status.success() {
        bail!("the bench {bench} failed ({})", output.status);
    }
    String::from_utf8(output.stdout).context("a bench prints UTF-8")
}
