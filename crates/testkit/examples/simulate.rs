//! Runs seeds and writes one line of JSON for each: `simulate <first> <step> <end>`. `simulate trace <seed>` shows the
//! whole trace of one, `simulate minimal <seed>` the smallest schedule that still breaks an invariant.
//!
//! Each seed is a run with messages and a run with records; `--world messages` and `--world records` before them choose
//! one.
//!
//! `--plant <name>` before them plants a bug, if built with the feature `planted-bugs`; `--list-planted` lists the
//! bugs, one line of JSON for each.
//!
//! `cargo xtask simulate` builds it and runs one process on each core.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use fieldpost_domain::planted::PlantedBug;
use fieldpost_testkit::simulator::{Breach, Counts, Invariant, RecordSimulation, Run, Simulation, Violation};
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
    faults: Counts,
    invariant: Option<&'static str>,
    report: Option<String>,
}

/// A bug that can be planted.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    invariant: &'static str,
    what: &'static str,
    /// The kind of run that must find it.
    world: &'static str,
}

/// A kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    Messages,
    Records,
}

impl World {
    const ALL: [Self; 2] = [Self::Messages, Self::Records];

    const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Records => "records",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|world| world.name() == name)
    }

    fn once(self, seed: u64) -> Run {
        match self {
            Self::Messages => Simulation::new(seed).once(),
            Self::Records => RecordSimulation::new(seed).once(),
        }
    }

    fn trace(self, seed: u64) -> Run {
        match self {
            Self::Messages => Simulation::new(seed).trace(),
            Self::Records => RecordSimulation::new(seed).trace(),
        }
    }

    fn minimal(self, seed: u64) -> Result<Run, Box<Violation>> {
        match self {
            Self::Messages => Simulation::new(seed).run(),
            Self::Records => RecordSimulation::new(seed).run(),
        }
    }
}

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let plants = taken(&mut args, "--plant").map(|name| plant(&name));
    let chosen = taken(&mut args, "--world").map(|name| World::named(&name).ok_or(format!("no world \"{name}\"")));
    match (plants.transpose(), chosen.transpose()) {
        (Err(why), _) | (_, Err(why)) => {
            println!("{why}");
            ExitCode::FAILURE
        }
        (Ok(_), Ok(Some(world))) => run(&args, &[world]),
        (Ok(_), Ok(None)) => run(&args, &World::ALL),
    }
}

/// The value of an option, which leaves the arguments.
fn taken(args: &mut Vec<String>, name: &str) -> Option<String> {
    let at = args.iter().position(|arg| arg == name)?;
    let end = (at + 2).min(args.len());
    args.drain(at..end).nth(1).or(Some(String::new()))
}

fn run(args: &[String], worlds: &[World]) -> ExitCode {
    let numbers: Vec<u64> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    match (args.first().map(String::as_str), numbers.as_slice()) {
        (Some("trace"), [seed]) => trace(*seed, worlds),
        (Some("minimal"), [seed]) => minimal(*seed, worlds),
        (Some("--list-planted"), []) => list_planted(),
        (_, [first, step, end]) if *step > 0 => {
            let mut seed = *first;
            while seed < *end {
                // The reader has closed the pipe because it found what it looked for.
                if writeln!(stdout(), "{}", line(seed, worlds)).is_err() {
                    break;
                }
                seed += step;
            }
            ExitCode::SUCCESS
        }
        _ => {
            println!(
                "usage: simulate [--plant <name>] [--world <name>] <first> <step> <end> | trace <seed> | minimal <seed>"
            );
            println!("       simulate --list-planted");
            ExitCode::FAILURE
        }
    }
}

fn list_planted() -> ExitCode {
    for bug in PlantedBug::ALL.iter().filter(|bug| bug.is_simulated()) {
        let broken = Invariant::ALL.into_iter().find(|invariant| invariant.name() == bug.invariant());
        let world = if broken.is_some_and(Invariant::is_of_records) { World::Records } else { World::Messages };
        let listed = Listed { name: bug.name(), invariant: bug.invariant(), what: bug.what(), world: world.name() };
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

fn line(seed: u64, worlds: &[World]) -> String {
    let mut line = Line { seed, steps: 0, calls: 0, faults: Counts::new(), invariant: None, report: None };
    for world in worlds {
        let run = world.once(seed);
        line.steps += run.steps;
        line.calls += run.calls;
        for (fault, count) in run.faults {
            *line.faults.entry(fault).or_default() += count;
        }
        if let (Some(Breach { invariant, .. }), None) = (run.breach, line.invariant) {
            line.invariant = Some(invariant.name());
            line.report = world.minimal(seed).err().map(|violation| violation.to_string());
        }
    }
    serde_json::to_string(&line).unwrap_or_default()
}

/// The trace of the smallest schedule that fails.
fn minimal(seed: u64, worlds: &[World]) -> ExitCode {
    let Some(violation) = worlds.iter().find_map(|world| world.minimal(seed).err()) else {
        return ExitCode::SUCCESS;
    };
    println!("{violation}");
    for line in &violation.trace {
        println!("{line}");
    }
    ExitCode::FAILURE
}

fn trace(seed: u64, worlds: &[World]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for world in worlds {
        let run = world.trace(seed);
        println!("── {}", world.name());
        for line in run.trace {
            println!("{line}");
        }
        if let Some(breach) = run.breach {
            println!("{} is broken: {}", breach.invariant, breach.what);
            code = ExitCode::FAILURE;
        }
    }
    code
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
