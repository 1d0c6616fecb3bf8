//! What a bench writes down: one JSON line for each time that somebody did the work.
//!
//! No bench draws a conclusion. Medians, spread and ratios are made of the lines afterwards, by whoever reads them.

use crate::Reading;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::{Duration, Instant},
};

/// One piece of work, done once.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Which bench.
    pub bench: &'static str,
    /// Which of its cases.
    pub case: String,
    /// Who did it.
    pub subject: String,
    /// In which round. What stands in one round was measured right after each other.
    pub round: u32,
    /// Wall time.
    pub seconds: f64,
    /// CPU time.
    pub cpu: f64,
    /// How many messages (or reads, or sends) it was.
    pub units: u64,
    /// Whatever else was counted: requests, bytes, percentiles.
    pub facts: BTreeMap<&'static str, f64>,
}

/// Where lines go.
#[derive(Debug)]
pub struct Notes {
    bench: &'static str,
    print: bool,
    lines: Vec<Line>,
    /// When the time for this bench is over.
    until: Option<Instant>,
}

impl Notes {
    /// Lines that are printed as they come, of a bench that is to be done in about so much time.
    #[must_use]
    pub fn printed(bench: &'static str, time: Option<Duration>) -> Self {
        Self { bench, print: true, lines: Vec::new(), until: time.map(|time| Instant::now() + time) }
    }

    /// Lines that are only kept.
    #[must_use]
    pub const fn kept(bench: &'static str) -> Self {
        Self { bench, print: false, lines: Vec::new(), until: None }
    }

    /// The numbers of the rounds: one in any case, then more, up to so many, while there is time.
    pub(crate) fn rounds(&self, most: u32) -> impl Iterator<Item = u32> + use<> {
        let until = self.until;
        (0..most).take_while(move |round| *round == 0 || until.is_none_or(|until| Instant::now() < until))
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If standard output is gone.
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

/// Says something to whoever watches the run.
pub(crate) fn say(text: &str) {
    // A watcher who is gone is no failure.
    let _ = writeln!(io::stderr(), "{text}");
}

/// The value below which `share` of the sorted values lie.
#[must_use]
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (share * last as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}
