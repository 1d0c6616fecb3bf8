//! Runs the benches and writes docs/benchmarks.md: tables, plots, and which goals are met.
//!
//! The benches print one JSON line for each measurement ([`lines`]); the whole report is computed from the lines of one
//! run. [`sections`] lists the contents of the report, [`goals`] the goals.

mod collect;
mod goals;
mod lines;
mod machine;
mod markdown;
mod needs;
mod plot;
mod scaling;
mod sections;
mod simulator;

use crate::process;
use anyhow::{Context, Result, bail};
use clap::Args;
use collect::Collected;
use lines::Lines;
use std::fs;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A tenth of the rows and fewer rounds: some minutes instead of three quarters of an hour
    #[arg(long)]
    quick: bool,
    /// Only benches whose name contains this; prints the tables and leaves docs/ alone
    #[arg(long)]
    only: Option<String>,
    /// Measure what this machine supports, and report at the end what it does not
    #[arg(long)]
    without_missing: bool,
    /// Make the report from lines that an earlier run kept
    #[arg(long, conflicts_with_all = ["quick", "only", "without_missing"])]
    from: Option<std::path::PathBuf>,
    /// A note for readers about the lines given with --from
    #[arg(long, requires = "from")]
    note: Option<String>,
}

const ONE_RUN: &str = "every figure is of the one run that wrote this file";
const KEPT: &str = "every figure is of lines kept from runs and given with `--from`, **not of one run**";

pub(crate) fn run(options: &Options) -> Result<()> {
    let collected = match &options.from {
        Some(path) => Collected { lines: fs::read_to_string(path)?, times: Vec::new(), failures: Vec::new() },
        None => collect::collect(&collect::wanted(options)?, options.quick)?,
    };
    let lines = Lines::parse(&collected.lines)?;
    let mut report = markdown::report(&lines, &machine::describe()?) + &markdown::times(&collected.times);
    if options.from.is_some() {
        report = report.replacen(ONE_RUN, KEPT, 1);
        let note = options.note.as_deref().unwrap_or("Nothing is said about these lines.");
        report = report.replacen("\n## Goals", &format!("\n**About these lines:** {note}\n\n## Goals"), 1);
    }
    let bad_lines = crate::lines::section(&process::root().join("docs/benchmarks"))?;
    if !bad_lines.is_empty() {
        report = crate::lines::with_section(&report, &bad_lines);
    }
    if options.quick {
        report = report.replacen("\n## Goals", QUICK, 1);
    }
    write(options, &report, &lines)?;
    match collected.failures.as_slice() {
        [] => Ok(()),
        failures => bail!("not all of it could be measured:\n{}", failures.join("\n")),
    }
}

const QUICK: &str = "\n**A quick run:** a tenth of the rows and fewer rounds. Most goals speak of more.\n\n## Goals";

fn write(options: &Options, report: &str, lines: &Lines) -> Result<()> {
    if options.only.is_some() {
        println!("{report}");
        return Ok(());
    }
    let docs = process::root().join("docs");
    let plots = docs.join("benchmarks");
    fs::create_dir_all(&plots)?;
    for section in &sections::SECTIONS {
        if let Some(svg) = plot::section(section, lines) {
            fs::write(plots.join(format!("{}.svg", section.bench)), svg)?;
        }
    }
    scaling::write(&docs.join("scaling.md"), lines)?;
    let path = docs.join("benchmarks.md");
    fs::write(&path, report).with_context(|| format!("cannot write {}", path.display()))?;
    println!("\n{} is written", path.display());
    Ok(())
}
