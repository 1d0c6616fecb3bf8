//! How many seeds per second the simulator runs. A seed that breaks an invariant makes it fail: such a run would stop
//! early and give a wrong figure.

use super::{collect::release, lines::OURS};
use crate::simulate::Seeds;
use anyhow::{Result, bail};
use serde_json::json;
use std::time::Instant;

/// Measures some rounds; each becomes a line.
pub(super) fn measure(quick: bool, mut keep: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let simulator = release()?.join("examples/simulate");
    let (rounds, seeds) = if quick { (2, 100) } else { (5, 400) };
    for round in 0..rounds {
        let (first, end) = (round * seeds, (round + 1) * seeds);
        let (mut calls, mut broken) = (0, None::<(u64, String)>);
        let started = Instant::now();
        let seeds_of_messages = Seeds { world: Some("messages".to_owned()), ..Seeds::new(first, end) };
        seeds_of_messages.run(&simulator, |found| {
            calls += found.calls;
            broken = found.invariant.map(|invariant| (found.seed, invariant));
            broken.is_none()
        })?;
        let seconds = started.elapsed().as_secs_f64();
        if let Some((seed, invariant)) = broken {
            bail!("seed {seed} breaks {invariant}");
        }
        let line = json!({
            "bench": "simulate", "case": "all faults", "subject": OURS, "round": round, "seconds": seconds, "cpu": 0.0,
            "units": seeds, "facts": {"calls_of_the_server_per_seed": calls as f64 / seeds as f64},
        });
        keep(&line.to_string())?;
    }
    Ok(())
}
