//! Runs a schedule, and shrinks it when it fails.

use super::{
    Breach, Counts, Disks, Invariant, Schedule, Violation, minimise::minimise, observer::Observer, step::Step,
    world::World,
};
use std::{io, sync::Arc};

/// A run to be started.
#[derive(Debug, Clone)]
pub struct Simulation {
    schedule: Schedule,
    disks: Disks,
}

/// A completed run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The first broken invariant, if any.
    pub breach: Option<Breach>,
    /// Every step, call and kind of response; empty unless tracing was requested.
    pub trace: Vec<String>,
    /// How often each fault happened.
    pub faults: Counts,
    /// The number of steps in the schedule.
    pub steps: u64,
    /// The number of calls of the devices.
    pub calls: u64,
}

impl Simulation {
    /// The run of a seed, on devices with data in memory.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { schedule: Schedule::from_seed(seed), disks: Disks::memory() }
    }

    /// Uses other disks: an app's own store.
    #[must_use]
    pub fn on(mut self, disks: Disks) -> Self {
        self.disks = disks;
        self
    }

    /// The schedule.
    #[must_use]
    pub const fn schedule(&self) -> &Schedule {
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
            |steps: &[Step]| self.steps(steps, false).breach.is_some_and(|breach| breach.invariant == invariant);
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

    fn steps(&self, steps: &[Step], traced: bool) -> Run {
        match self.live(steps, traced) {
            Ok((observer, ())) => {
                let (trace, faults, calls, breach) = observer.take();
                Run { breach, trace, faults, steps: steps.len() as u64, calls }
            }
            Err(error) => {
                let breach = Breach::new(Invariant::Liveness, format!("no runtime: {error}"));
                Run { breach: Some(breach), ..Run::default() }
            }
        }
    }

    fn live(&self, steps: &[Step], traced: bool) -> io::Result<(Arc<Observer>, ())> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        Ok(runtime.block_on(async {
            let mut world = World::new(&self.schedule, &self.disks, traced);
            let observer = Arc::clone(&world.hub.observer);
            (observer, world.live(steps).await)
        }))
    }
}
