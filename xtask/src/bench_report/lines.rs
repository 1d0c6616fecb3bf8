//! The lines of a run, and the statistics on them: medians, spread, ratios within a round.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One piece of work, done once.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Line {
    pub(super) bench: String,
    pub(super) case: String,
    pub(super) subject: String,
    pub(super) round: u32,
    pub(super) seconds: f64,
    pub(super) cpu: f64,
    pub(super) units: u64,
    pub(super) facts: BTreeMap<String, f64>,
}

impl Line {
    pub(super) fn rate(&self) -> f64 {
        self.units as f64 / self.seconds
    }

    pub(super) fn fact(&self, name: &str) -> Option<f64> {
        self.facts.get(name).copied()
    }
}

/// All lines of a run.
#[derive(Debug)]
pub(super) struct Lines(Vec<Line>);

impl Lines {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("no line: {line}")));
        Ok(Self(lines.collect::<Result<_>>()?))
    }

    /// The cases of a bench, in the order of measurement.
    pub(super) fn cases(&self, bench: &str) -> Vec<&str> {
        in_order(self.0.iter().filter(|line| line.bench == bench).map(|line| line.case.as_str()))
    }

    /// The subjects of a case, ours first.
    pub(super) fn subjects(&self, bench: &str, case: &str) -> Vec<&str> {
        let of = self.0.iter().filter(|line| line.bench == bench && line.case == case);
        let mut subjects = in_order(of.map(|line| line.subject.as_str()));
        subjects.sort_by_key(|subject| *subject != OURS);
        subjects
    }

    pub(super) fn of(&self, bench: &str, case: &str, subject: &str) -> Vec<&Line> {
        let wanted = |line: &&Line| line.bench == bench && line.case == case && line.subject == subject;
        self.0.iter().filter(wanted).collect()
    }

    /// The median over the rounds of `what`.
    pub(super) fn median(
        &self,
        (bench, case, subject): (&str, &str, &str),
        what: impl Fn(&Line) -> Option<f64>,
    ) -> Option<f64> {
        Spread::of(self.of(bench, case, subject).into_iter().filter_map(what)).map(|spread| spread.median)
    }

    /// The median over the rounds of `what` of `subject`, relative to that of `other`.
    pub(super) fn ratio(
        &self,
        (bench, case): (&str, &str),
        (subject, other): (&str, &str),
        what: impl Fn(&Line) -> Option<f64>,
    ) -> Option<f64> {
        let others = self.of(bench, case, other);
        let pairs = self.of(bench, case, subject).into_iter().filter_map(|line| {
            let same = others.iter().find(|other| other.round == line.round)?;
            // There is no ratio to a subject that has done nothing.
            Some(what(line)? / what(same)?).filter(|ratio| ratio.is_finite())
        });
        Spread::of(pairs).map(|spread| spread.median)
    }
}

/// Fieldpost's name in the lines.
pub(super) const OURS: &str = "fieldpost";

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The median and the quartiles of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Spread {
    /// None if there are no values.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let quarter =
            |share: f64| values.get((share * (values.len().checked_sub(1)? as f64)).round() as usize).copied();
        Some(Self { median: quarter(0.5)?, low: quarter(0.25)?, high: quarter(0.75)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_made_within_a_round_so_that_a_slow_minute_hits_both() {
        let line = |subject: &str, round: u32, seconds: f64| {
            format!(
                r#"{{"bench":"b","case":"c","subject":"{subject}","round":{round},"seconds":{seconds},"cpu":0,"units":1,"facts":{{}}}}"#
            )
        };
        let text = [line("fieldpost", 0, 1.0), line("raw", 0, 2.0), line("fieldpost", 1, 50.0), line("raw", 1, 100.0)];
        let lines = Lines::parse(&text.join("\n")).unwrap();
        assert_eq!(lines.ratio(("b", "c"), (OURS, "raw"), |line| Some(line.rate())), Some(2.0));
        assert_eq!(lines.subjects("b", "c"), ["fieldpost", "raw"]);
    }

    #[test]
    fn the_spread_is_the_middle_half() {
        let spread = Spread::of([5.0, 1.0, 2.0, 4.0, 3.0]).unwrap();
        assert_eq!(spread, Spread { median: 3.0, low: 2.0, high: 4.0 });
        assert_eq!(Spread::of([]), None);
    }
}
