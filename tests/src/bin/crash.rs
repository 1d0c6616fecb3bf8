//! `cargo xtask crash`: kills a process that sends messages, repeatedly.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use anyhow::{Context, Result};
use clap::Parser;
use fieldpost_tests::{
    a_key,
    crash::{DevSite, Options, Report, Site, SupabaseSite, run},
};
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

/// Kill a process that sends messages, repeatedly, and check that nothing is lost or doubled
#[derive(Debug, Parser)]
#[command(name = "crash")]
struct Args {
    /// How many processes to kill
    #[arg(long, default_value_t = 500)]
    kills: u32,
    /// Seed of all actions and their times
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Against PostgreSQL and Supabase Lite instead of the stand-in server; the stack must be up
    #[arg(long)]
    supabase: bool,
    /// With an encrypted file; needs the feature `encryption`
    #[arg(long)]
    with_key: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let site: Box<dyn Site> =
        if args.supabase { Box::new(SupabaseSite::prepare()?) } else { Box::new(DevSite::start().await?) };
    let folder = tempfile::Builder::new().prefix("fieldpost-crash-").tempdir()?;
    let writer = std::env::current_exe()?.with_file_name(format!("crash-writer{}", std::env::consts::EXE_SUFFIX));
    // Everything takes longer on the real stack.
    let (heal_every, within) = if args.supabase { (10, 800) } else { (50, 200) };
    let within = Duration::from_millis(within);
    let options =
        Options { kills: args.kills, seed: args.seed, writer, heal_every, within, key: args.with_key.then(a_key) };
    let report = run(&options, site.as_ref(), folder.path(), progress)
        .await
        .with_context(|| format!("the run itself failed, with seed {}", args.seed))?;
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{report}");
    }
    if report.findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let _ = folder.keep();
    Ok(ExitCode::FAILURE)
}

fn progress(report: &Report) {
    if std::io::stderr().is_terminal() {
        eprint!(
            "\r\x1b[K{} kills, {} messages, {} requests, {} s",
            report.kills, report.messages, report.requests, report.seconds
        );
        let _ = std::io::stderr().flush();
    }
}
