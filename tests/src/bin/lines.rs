//! `cargo xtask lines`: bad lines, measured.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use anyhow::{Context, Result};
use clap::Parser;
use fieldpost_tests::lines::{Group, Measured, measure};
use std::path::PathBuf;

/// Run the command line behind bad lines, and print one JSON line for each measurement
#[derive(Debug, Parser)]
#[command(name = "lines")]
struct Args {
    /// The command line to measure
    #[arg(long)]
    program: PathBuf,
    /// Only these groups: refusing, loading, portals, slow
    groups: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let program = args.program.canonicalize().context("there is no such program")?;
    for group in Group::ALL {
        if args.groups.is_empty() || args.groups.iter().any(|name| name == group.name()) {
            eprintln!("{} …", group.name());
            measure(group, &program, &mut print).await?;
        }
    }
    Ok(())
}

fn print(all: Vec<Measured>) {
    for measured in all {
        // Texts only: this cannot fail.
        println!("{}", serde_json::to_string(&measured).unwrap_or_default());
    }
}
