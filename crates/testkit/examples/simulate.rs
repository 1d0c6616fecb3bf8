//! Runs seeds and writes one line of JSON for each: `simulate <first> <step> <end>`. `simulate trace <seed>` shows the
//! whole trace of one, `simulate minimal <seed>` the smallest schedule that still breaks an invariant.
//!
//! `--plant <name>` before them plants a bug, if built with the feature `planted-bugs`; `--list-planted` lists the
//! bugs, one line of JSON for each.
//!
//! `cargo xtask simulate` builds it and runs one process on each core.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use fieldpost_domain::planted::PlantedBug;
use fieldpost_testkit::simulator::Simulation;
use serde::Serialize;
use std::{
    io::{Write, stdout},
    process::ExitCode,
};

/// The result of a seed.
#[derive(Serialize)]
struct Line {
    seed: u64,
    steps: u64,
    calls: u64,
    faults: fieldpost_testkit::simulator::Counts,
    invariant: Option<&'static str>,
    report: Option<String>,
}

/// A bug that can be planted.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    invariant: &'static str,
    what: &'static str,
}

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "--plant") {
        let name = args.get(1).cloned().unwrap_or_default();
        if let Err(why) = plant(&name) {
            println!("{why}");
            return ExitCode::FAILURE;
        }
        args.drain(..2);
    }
    run(&args)
}

fn run(args: &[String]) -> ExitCode {
    let numbers: Vec<u64> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    match (args.first().map(String::as_str), numbers.as_slice()) {
        (Some("trace"), [seed]) => trace(*seed),
        (Some("minimal"), [seed]) => minimal(*seed),
        (Some("--list-planted"), []) => list_planted(),
        (_, [first, step, end]) if *step > 0 => {
            let mut seed = *first;
            while seed < *end {
                // The reader has closed the pipe because it found what it looked for.
                if writeln!(stdout(), "{}", line(seed)).is_err() {
                    break;
                }
                seed += step;
            }
            ExitCode::SUCCESS
        }
        _ => {
            println!("usage: simulate [--plant <name>] <first> <step> <end> | trace <seed> | minimal <seed>");
            println!("       simulate --list-planted");
            ExitCode::FAILURE
        }
    }
}

fn list_planted() -> ExitCode {
    for bug in PlantedBug::ALL {
        let listed = Listed { name: bug.name(), invariant: bug.invariant(), what: bug.what() };
        println!("{}", serde_json::to_string(&listed).unwrap_or_default());
    }
    ExitCode::SUCCESS
}

#[cfg(feature = "planted-bugs")]
fn plant(name: &str) -> Result<(), String> {
    let bug = PlantedBug::ALL.iter().find(|bug| bug.name() == name);
    let planted = bug.is_some_and(|bug| fieldpost_domain::planted::plant(*bug));
    if planted { Ok(()) } else { Err(format!("no bug \"{name}\" can be planted")) }
}

#[cfg(not(feature = "planted-bugs"))]
fn plant(name: &str) -> Result<(), String> {
    Err(format!("\"{name}\" cannot be planted: this is built without the feature planted-bugs"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "planted-bugs"))]
    fn without_the_feature_nothing_can_be_planted() {
        let why = plant(PlantedBug::LanesByClock.name()).err();
        assert!(why.is_some_and(|why| why.contains("without the feature planted-bugs")));
    }

    #[test]
    #[cfg(feature = "planted-bugs")]
    fn with_the_feature_one_bug_can_be_planted_of_those_there_are() {
        assert!(plant("NoSuchBug").is_err());
        assert!(plant(PlantedBug::LanesByClock.name()).is_ok());
        assert!(plant(PlantedBug::RevokedStays.name()).is_err(), "one at a time");
    }
}
