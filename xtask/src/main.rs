//! The commands that people and CI run: `cargo xtask <command>`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod bench_report;
mod bindings;
mod crash;
mod crates;
mod fuzz;
mod layers;
mod lines;
mod lint;
mod modules;
mod mutants;
mod peers;
mod planted_bugs;
mod process;
mod simulate;
mod sql_literals;
mod supabase;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The commands that people and CI run
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all tests, the real stack included, and count them by rung
    Test(test::Options),
    /// Plant bugs one by one and check that the tests that should catch them do
    PlantedBugs(planted_bugs::Options),
    /// Run the benches and write docs/benchmarks.md
    BenchReport(bench_report::Options),
    /// Simulate devices, a network and a server with all kinds of faults, from many seeds
    Simulate(simulate::Options),
    /// Kill a process that sends messages, repeatedly, behind a bad network
    Crash(crash::Options),
    /// Search for bytes that break the decoding of responses, requests and stored payloads
    Fuzz(fuzz::Options),
    /// Change the code of the machine and of the outbox, one place at a time, and check that a test fails
    Mutants(mutants::Options),
    /// Install and build the clients that the benches compare with
    Peers,
    /// Measure the command line behind slow lines, refusing servers and captive portals
    Lines(lines::Options),
    /// Package the crates that apps depend on, as a registry would get them, and build them from that
    Crates(crates::Options),
    /// Check formatting, lints, layers, dependencies and docs
    Lint,
    /// Check that no crate or module has a forbidden or circular dependency
    Layers,
    /// Count the handwritten SQL in the SQLite store, module by module, with the reason of each
    SqlLiterals,
    /// The bindings of other languages: build, test, compare what they show
    Bindings {
        #[command(subcommand)]
        action: bindings::Action,
    },
    /// A real Supabase stack on this machine: PostgreSQL and Supabase Lite, with Fieldpost's SQL and demo users
    Supabase {
        #[command(subcommand)]
        action: supabase::Action,
        /// The purpose of the stack
        #[arg(long = "for", global = true, value_enum, default_value = "work")]
        purpose: supabase::Purpose,
        /// Print JSON instead of text
        #[arg(long, global = true)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Test(options) => test::run(&options),
        Command::PlantedBugs(options) => planted_bugs::run(&options),
        Command::BenchReport(options) => bench_report::run(&options),
        Command::Simulate(options) => simulate::run(&options),
        Command::Crash(options) => crash::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::Peers => peers::ensure(),
        Command::Lines(options) => lines::run(&options),
        Command::Crates(options) => crates::run(&options),
        Command::Lint => lint::run(),
        Command::Layers => layers::run(),
        Command::SqlLiterals => sql_literals::run(),
        Command::Bindings { action } => bindings::run(&action),
        Command::Supabase { action, purpose, json } => supabase::run(action, purpose, json),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
