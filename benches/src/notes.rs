//! The output of a bench: one JSON line for each time that a subject did the work.
//!
//! No bench draws conclusions. The report computes medians, spread and ratios from the lines afterwards.

use crate::Reading;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::{Duration, Instant},
};

/// Fieldpost's name in the lines.
pub(crate) const OURS: &str = "fieldpost";

/// One measurement of a piece of work.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The bench.
    pub bench: &'static str,
    /// The case.
    pub case: String,
    /// The subject.
    pub subject: String,
    /// The round. Measurements of one round were made right after each other.
    pub round: u32,
    /// Wall time.
    pub seconds: f64,
    /// CPU time.
    pub cpu: f64,
    /// The number of messages (or reads, or sends).
    pub units: u64,
    /// Other counts: requests, bytes, percentiles.
    pub facts: BTreeMap<&'static str, f64>,
}

/// The destination of the lines.
#[derive(Debug)]
pub struct Notes {
    bench: &'static str,
    print: bool,
    lines: Vec<Line>,
    /// When the time of this bench is over.
    until: Option<Instant>,
}

impl Notes {
    /// Prints lines as they come, for a bench that should take about this long.
    #[must_use]
    pub fn printed(bench: &'static str, time: Option<Duration>) -> Self {
        Self { bench, print: true, lines: Vec::new(), until: time.map(|time| Instant::now() + time) }
    }

    /// Only keeps the lines.
    #[must_use]
    pub const fn kept(bench: &'static str) -> Self {
        Self { bench, print: false, lines: Vec::new(), until: None }
    }

    /// The numbers of the rounds: at least one, then more, up to a maximum, while there is time.
    pub(crate) fn rounds(&self, most: u32) -> impl Iterator<Item = u32> + use<> {
        let until = self.until;
        (0..most).take_while(move |round| *round == 0 || until.is_none_or(|until| Instant::now() < until))
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If standard output is closed.
    pub fn write(
        &mut self,
        case: &str,
        subject: &str,
        round: u32,
        reading: Reading,
        units: u64,
        facts: impl IntoIterator<Item = (&'static str, f64)>,
    ) -> anyhow::Result<()> {
        let line = Line {
            bench: self.bench,
            case: case.to_owned(),
            subject: subject.to_owned(),
            round,
            seconds: reading.seconds,
            cpu: reading.cpu,
            units,
            facts: facts.into_iter().collect(),
        };
        if self.print {
            let mut out = io::stdout().lock();
            serde_json::to_writer(&mut out, &line)?;
            writeln!(out)?;
        }
        self.lines.push(line);
        Ok(())
    }

    /// Everything written so far.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

/// Prints a message for whoever watches the run.
pub(crate) fn say(text: &str) {
    // A failed write must not fail the bench.
    let _ = writeln!(io::stderr(), "{text}");
}

/// The value below which `share` of the sorted values lie.
#[must_use]
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (share * last as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}
