//! A range of seeds, distributed over the cores.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

/// The result of one seed.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) calls: u64,
    pub(crate) faults: Vec<(String, u64)>,
    pub(crate) invariant: Option<String>,
    pub(crate) report: Option<String>,
}

/// The seeds from `first` up to, but not including, `end`.
#[derive(Debug)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) end: u64,
    /// The bug to plant.
    pub(crate) plant: Option<String>,
    /// The kind of run, `messages` or `records`; none for both.
    pub(crate) world: Option<String>,
}

impl Seeds {
    pub(crate) const fn new(first: u64, end: u64) -> Self {
        Self { first, end, plant: None, world: None }
    }

    /// Runs them all, in no particular order, until `each` returns false.
    pub(crate) fn run(&self, simulator: &Path, mut each: impl FnMut(Found) -> bool) -> Result<()> {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        let (tell, told) = mpsc::channel();
        let mut children = Vec::new();
        for core in 0..cores {
            let mut child = self.start(simulator, core, cores)?;
            let output = child.stdout.take().context("the simulator has no output")?;
            let tell = tell.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if tell.send(read(&line)).is_err() {
                        break;
                    }
                }
            });
            children.push(child);
        }
        drop(tell);
        let enough = told.into_iter().any(|found| found.is_none_or(|found| !each(found)));
        for child in &mut children {
            if enough {
                // It may have ended already.
                let _ = child.kill();
            }
            let status = child.wait()?;
            if !enough && !status.success() {
                bail!("the simulator died ({status})");
            }
        }
        Ok(())
    }

    fn start(&self, simulator: &Path, core: u64, cores: u64) -> Result<Child> {
        let numbers = [self.first + core, cores, self.end].map(|number| number.to_string());
        let mut command = Command::new(simulator);
        if let Some(bug) = &self.plant {
            command.args(["--plant", bug]);
        }
        if let Some(world) = &self.world {
            command.args(["--world", world]);
        }
        command.args(numbers).stdin(Stdio::null()).stdout(Stdio::piped());
        command.spawn().context("cannot start the simulator")
    }
}

/// Parses one line of the simulator; none if it is something else.
fn read(line: &str) -> Option<Found> {
    let value: Value = serde_json::from_str(line).ok()?;
    let number = |name: &str| value[name].as_u64();
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let faults = value["faults"].as_object()?.iter();
    Some(Found {
        seed: number("seed")?,
        steps: number("steps")?,
        calls: number("calls")?,
        faults: faults.filter_map(|(name, count)| Some((name.clone(), count.as_u64()?))).collect(),
        invariant: text("invariant"),
        report: text("report"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_simulator_is_read() {
        let line = r#"{"seed":7,"steps":3,"calls":9,"faults":{"kills":2},"invariant":"no_loss","report":"x"}"#;
        let found = read(line).unwrap();
        assert_eq!((found.seed, found.steps, found.calls), (7, 3, 9));
        assert_eq!((found.faults, found.invariant.as_deref()), (vec![("kills".to_owned(), 2)], Some("no_loss")));
        assert!(read("not one").is_none());
    }
}
