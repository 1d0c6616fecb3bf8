//! Adds up the results of many seeds.

use super::Found;
use anyhow::Result;
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write, stderr},
    time::Duration,
};

/// The number of violations reported in full.
const SHOWN: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Tally {
    seeds: u64,
    steps: u64,
    calls: u64,
    faults: BTreeMap<String, u64>,
    /// For each invariant, the seeds that break it.
    broken: BTreeMap<String, Vec<u64>>,
    reports: Vec<String>,
}

impl Tally {
    pub(super) fn add(&mut self, found: Found) {
        self.seeds += 1;
        self.steps += found.steps;
        self.calls += found.calls;
        for (name, count) in found.faults {
            *self.faults.entry(name).or_default() += count;
        }
        if let Some(invariant) = found.invariant {
            self.broken.entry(invariant).or_default().push(found.seed);
            self.reports.extend(found.report);
        }
    }

    pub(super) fn violations(&self) -> u64 {
        self.broken.values().map(|seeds| seeds.len() as u64).sum()
    }

    /// Shows progress on a terminal from time to time.
    pub(super) fn show_progress(&self, all: u64, quiet: bool) {
        if !quiet && self.seeds.is_multiple_of(100) && stderr().is_terminal() {
            eprint!("\r{} of {all} seeds, {} violations ", self.seeds, self.violations());
            // A failed write is ignored: progress is optional.
            let _ = stderr().flush();
        }
    }

    pub(super) fn finish(&self, took: Duration, as_json: bool) -> Result<()> {
        let seconds = took.as_secs_f64();
        let rate = self.seeds as f64 / seconds.max(f64::EPSILON);
        if as_json {
            let summary = json!({
                "seeds": self.seeds, "seconds": seconds, "seeds_per_second": rate, "steps": self.steps,
                "calls": self.calls, "faults": self.faults, "violations": self.broken,
            });
            println!("{}", serde_json::to_string_pretty(&summary)?);
            return Ok(());
        }
        if stderr().is_terminal() {
            eprintln!();
        }
        for report in self.reports.iter().take(SHOWN) {
            println!("{report}\n");
        }
        println!(
            "{} seeds in {seconds:.1} s ({rate:.0} seeds/s), {} steps, {} calls",
            self.seeds, self.steps, self.calls
        );
        let faults: Vec<String> = self.faults.iter().map(|(name, count)| format!("{count} {name}")).collect();
        println!("{} faults: {}", self.faults.values().sum::<u64>(), faults.join(", "));
        println!("{} violations", self.violations());
        for (invariant, seeds) in &self.broken {
            println!("  {invariant}: {} seeds, the first {:?}", seeds.len(), seeds.iter().min());
        }
        Ok(())
    }
}
