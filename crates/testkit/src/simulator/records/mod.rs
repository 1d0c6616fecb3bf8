//! Runs with records: an app's own tables beside the messages, on the same devices and the same server.
//!
//! As in runs with messages alone, everything follows from a seed. The devices have the memory store, both engines and
//! the coordinator; a dashboard writes the same rows; clocks are wrong and jump between processes and during one; calls of
//! the two sides meet faults of their own. [`truth`](self) notes what was really done, and when, and each decision of the
//! server. The invariants are those of docs/invariants.md, "Records".
//!
//! In some runs each side is also run alone, with the same steps: it must end in the same way.

mod interruptible;
mod link;
mod policy;
mod schedule;
mod step;
mod tables;
mod truth;
mod urgent;
mod verdict;
mod world;

pub use schedule::{RecordSchedule, RecordSetup};
pub use step::RecordStep;

use super::{Breach, Counts, Invariant, Run, Violation, minimise::minimise};
use std::io;
use world::{Outcome, Sides, World};

/// A run with records to be started.
#[derive(Debug, Clone)]
pub struct RecordSimulation {
    schedule: RecordSchedule,
}

impl RecordSimulation {
    /// The run of a seed, on devices with data in memory.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { schedule: RecordSchedule::from_seed(seed) }
    }

    /// The schedule.
    #[must_use]
    pub const fn schedule(&self) -> &RecordSchedule {
        &self.schedule
    }

    /// Runs; if an invariant breaks, finds a small schedule that breaks it. Call it outside any async runtime: it
    /// creates its own, with virtual time.
    ///
    /// # Errors
    /// The broken invariant, and how to reproduce it.
    pub fn run(&self) -> Result<Run, Box<Violation>> {
        let run = self.steps(&self.schedule.steps, false);
        match &run.breach {
            None => Ok(run),
            Some(breach) => Err(Box::new(self.violation(breach.invariant))),
        }
    }

    /// Runs and keeps a trace.
    #[must_use]
    pub fn trace(&self) -> Run {
        self.steps(&self.schedule.steps, true)
    }

    /// Runs once and returns the result, even if an invariant breaks.
    #[must_use]
    pub fn once(&self) -> Run {
        self.steps(&self.schedule.steps, false)
    }

    fn violation(&self, invariant: Invariant) -> Violation {
        let fails =
            |steps: &[RecordStep]| self.steps(steps, false).breach.is_some_and(|breach| breach.invariant == invariant);
        let steps = minimise(&self.schedule.steps, fails);
        let run = self.steps(&steps, true);
        let breach = run.breach.unwrap_or(Breach::new(invariant, "it does not happen again"));
        Violation {
            seed: self.schedule.seed,
            setup: format!("{:?}", self.schedule.setup),
            steps: steps.iter().map(ToString::to_string).collect(),
            breach,
            trace: run.trace,
        }
    }

    fn steps(&self, steps: &[RecordStep], traced: bool) -> Run {
        let (mut run, both) = self.live(steps, Sides::BOTH, traced);
        if run.breach.is_some() || !self.schedule.setup.independent {
            return run;
        }
        let (of_records, records) = self.live(steps, Sides::RECORDS, false);
        let (of_messages, messages) = self.live(steps, Sides::MESSAGES, false);
        run.breach = of_records
            .breach
            .or(of_messages.breach)
            .or_else(|| differs("records", &both.records, &records.records))
            .or_else(|| differs("messages", &both.messages, &messages.messages));
        run
    }

    fn live(&self, steps: &[RecordStep], sides: Sides, traced: bool) -> (Run, Outcome) {
        match self.try_live(steps, sides, traced) {
            Ok(done) => done,
            Err(error) => {
                let breach = Breach::new(Invariant::RecordsLiveness, format!("no runtime: {error}"));
                (Run { breach: Some(breach), ..Run::default() }, Outcome::default())
            }
        }
    }

    fn try_live(&self, steps: &[RecordStep], sides: Sides, traced: bool) -> io::Result<(Run, Outcome)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        Ok(runtime.block_on(async {
            let mut world = World::new(&self.schedule, sides, traced);
            world.live(steps).await;
            let outcome = if self.schedule.setup.independent { world.outcome().await } else { Outcome::default() };
            let (trace, faults, calls, breach): (_, Counts, _, _) = world.observer().take();
            (Run { breach, trace, faults, steps: steps.len() as u64, calls }, outcome)
        }))
    }
}

/// Whether a side ended otherwise than alone.
fn differs(side: &str, both: &[String], alone: &[String]) -> Option<Breach> {
    let only = |these: &[String], those: &[String]| -> String {
        these.iter().filter(|line| !those.contains(line)).map(|line| format!("\n    {line}")).collect()
    };
    let (with, without) = (only(both, alone), only(alone, both));
    let same = with.is_empty() && without.is_empty() && both.len() == alone.len();
    let breach = || Breach::new(Invariant::Independence, format!("the {side} end otherwise than alone"));
    (!same).then(|| breach().with_views(without, with))
}
