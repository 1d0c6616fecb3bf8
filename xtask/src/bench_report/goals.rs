//! What the figures are measured by, and why a goal is missed where it is.

use super::lines::{Lines, OURS, Spread};

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// How many times faster than this subject.
    Speed(&'static str),
    /// How many times the median time of one call by this subject.
    Time(&'static str),
    /// How many milliseconds longer the median call takes than by this subject.
    Longer(&'static str),
    /// How many times slower than in this case.
    Growth(&'static str),
    /// A fact of ours as it is.
    Fact(&'static str),
    /// A fact of ours in milliseconds.
    Milliseconds(&'static str),
    /// A fact of ours in proportion to the same of this subject.
    Share(&'static str, &'static str),
    /// The median time of the whole case in seconds.
    Seconds,
}

/// Which side of a number is good.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One goal.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) bench: &'static str,
    pub(super) case: &'static str,
    pub(super) what: &'static str,
    pub(super) look: Look,
    pub(super) bound: Bound,
    /// What a profile shows where this is missed.
    pub(super) missed: &'static str,
}

impl Goal {
    /// What this run has measured; none if it has not.
    pub(super) fn measured(&self, lines: &Lines) -> Option<f64> {
        let place = (self.bench, self.case);
        let ours = lines.of(self.bench, self.case, OURS);
        let fact = |name: &str| Spread::of(ours.iter().filter_map(|line| line.facts.get(name).copied()));
        match self.look {
            Look::Speed(other) => lines.ratio(place, (OURS, other), |line| Some(line.rate())),
            Look::Time(other) => lines.ratio(place, (OURS, other), |line| line.facts.get("p50").copied()),
            Look::Share(name, other) => lines.ratio(place, (OURS, other), |line| line.facts.get(name).copied()),
            Look::Longer(other) => {
                let others = lines.of(self.bench, self.case, other);
                let theirs = Spread::of(others.iter().filter_map(|line| line.facts.get("p50").copied()))?;
                Some((fact("p50")?.median - theirs.median) * 1e3)
            }
            Look::Growth(before) => {
                let before = lines.of(self.bench, before, OURS);
                let before = Spread::of(before.iter().map(|line| line.rate()))?;
                Some(before.median / Spread::of(ours.iter().map(|line| line.rate()))?.median)
            }
            Look::Fact(name) => fact(name).map(|spread| spread.median),
            Look::Milliseconds(name) => fact(name).map(|spread| spread.median * 1e3),
            Look::Seconds => Spread::of(ours.iter().map(|line| line.seconds)).map(|spread| spread.median),
        }
    }

    pub(super) fn met(&self, measured: f64) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        }
    }
}

const fn goal(
    bench: &'static str,
    case: &'static str,
    what: &'static str,
    look: Look,
    bound: Bound,
    missed: &'static str,
) -> Goal {
    Goal { bench, case, what, look, bound, missed }
}

const RAW: &str = "raw SQLite, in batches";
const ROWS: &str = "raw SQLite, row by row";

pub(super) const GOALS: &[Goal] = &[
    goal("apply", "2000 into an empty file", "× raw in batches", Look::Speed(RAW), Bound::AtLeast(0.7), ""),
    goal("apply", "2000 into an empty file", "× raw row by row", Look::Speed(ROWS), Bound::AtLeast(0.7), ""),
    goal("apply", "500 into an empty file", "× raw in batches", Look::Speed(RAW), Bound::AtLeast(0.7), ""),
    goal("apply", "2000 beside 100000", "× raw in batches", Look::Speed(RAW), Bound::AtLeast(0.7), ""),
    goal("apply", "500 beside 100000", "× raw in batches", Look::Speed(RAW), Bound::AtLeast(0.7), ""),
    goal("apply", "2000 beside 1000000", "× raw in batches", Look::Speed(RAW), Bound::AtLeast(0.7), ""),
    goal("apply", "500 beside 1000000", "× raw in batches", Look::Speed(RAW), Bound::AtLeast(0.7), ""),
    goal(
        "apply",
        "2000 beside 1000000",
        "× slower than into an empty file",
        Look::Growth("2000 into an empty file"),
        Bound::AtMost(1.3),
        "",
    ),
    goal("send", "one at a time", "× raw, one row", Look::Time("raw SQLite, one row"), Bound::AtMost(1.5), ""),
    goal("list", "one at a time", "ms longer than raw", Look::Longer("raw SQLite"), Bound::AtMost(0.3), ""),
    goal("list", "one at a time", "ms at the 99th percentile", Look::Milliseconds("p99"), Bound::AtMost(2.0), ""),
    goal("window", "one at a time", "ms longer than raw", Look::Longer("raw SQLite"), Bound::AtMost(0.3), ""),
    goal("window", "one at a time", "ms at the 99th percentile", Look::Milliseconds("p99"), Bound::AtMost(2.0), ""),
];
