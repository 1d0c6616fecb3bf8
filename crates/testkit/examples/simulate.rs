//! Runs seeds and writes one line of JSON for each: `simulate <first> <step> <end>`. `simulate trace <seed>` shows
//! all of one, `simulate minimal <seed>` as much of it as it takes to break an invariant.
//!
//! `cargo xtask simulate` builds it and runs one on each core.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use fieldpost_testkit::simulator::Simulation;
use serde::Serialize;
use std::{
    io::{Write, stdout},
    process::ExitCode,
};

/// What became of a seed.
#[derive(Serialize)]
struct Line {
    seed: u64,
    steps: u64,
    calls: u64,
    faults: fieldpost_testkit::simulator::Counts,
    invariant: Option<&'static str>,
    report: Option<String>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    match (args.first().map(String::as_str), numbers.as_slice()) {
        (Some("trace"), [seed]) => trace(*seed),
        (Some("minimal"), [seed]) => minimal(*seed),
        (_, [first, step, end]) if *step > 0 => {
            let mut seed = *first;
            while seed < *end {
                // Whoever reads has found what they looked for.
                if writeln!(stdout(), "{}", line(seed)).is_err() {
                    break;
                }
                seed += step;
            }
            ExitCode::SUCCESS
        }
        _ => {
            println!("usage: simulate <first> <step> <end> | simulate trace <seed> | simulate minimal <seed>");
            ExitCode::FAILURE
        }
    }
}

fn line(seed: u64) -> String {
    let simulation = Simulation::new(seed);
    let run = simulation.once();
    let violation = run.breach.is_some().then(|| simulation.run().err()).flatten();
    let line = Line {
        seed,
        steps: run.steps,
        calls: run.calls,
        faults: run.faults,
        invariant: run.breach.map(|breach| breach.invariant.name()),
        report: violation.map(|violation| violation.to_string()),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// The trace of the smallest schedule that fails.
fn minimal(seed: u64) -> ExitCode {
    let Err(violation) = Simulation::new(seed).run() else { return ExitCode::SUCCESS };
    println!("{violation}");
    for line in &violation.trace {
        println!("{line}");
    }
    ExitCode::FAILURE
}

fn trace(seed: u64) -> ExitCode {
    let run = Simulation::new(seed).trace();
    for line in run.trace {
        println!("{line}");
    }
    match run.breach {
        None => ExitCode::SUCCESS,
        Some(breach) => {
            println!("{} is broken: {}", breach.invariant, breach.what);
            ExitCode::FAILURE
        }
    }
}
