//! `fieldpost`: Fieldpost from a terminal.
//!
//! Every command prints text for people or, with `--json`, one JSON value per line for programs. Exit codes: 0 ok, 1
//! error, 2 wrong usage, 3 the server is unreachable or asks to come back later (the work is kept), 4 nobody is signed
//! in.

mod args;
mod commands;
mod declarations;
#[cfg(feature = "demo")]
mod demo;
mod device;
mod failure;
mod keys;
mod named;
mod output;
mod terminal;
mod tokens;

use args::Args;
use clap::Parser;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new(args.json);
    watch_logs();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&failure::Failure::error(error)),
    };
    match runtime.block_on(commands::run(args, &output)) {
        Ok(()) => output.end(),
        Err(failure) => output.fail(&failure),
    }
}

/// Logs go to standard error, and only when `FIELDPOST_LOG` asks for them (`FIELDPOST_LOG=debug`).
fn watch_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("FIELDPOST_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
