//! What the figures are measured by. Which goals there are is in [`table`].

mod reasons;
mod table;

pub(super) use table::goals;

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
    pub(super) case: String,
    pub(super) what: &'static str,
    pub(super) look: Look,
    pub(super) bound: Bound,
    /// What a profile shows where this is missed.
    pub(super) missed: &'static str,
}

impl Goal {
    /// What this run has measured; none if it has not.
    pub(super) fn measured(&self, lines: &Lines) -> Option<f64> {
        let place = (self.bench, self.case.as_str());
        let ours = lines.of(self.bench, &self.case, OURS);
        let fact = |name: &str| Spread::of(ours.iter().filter_map(|line| line.facts.get(name).copied()));
        match self.look {
            Look::Speed(other) => lines.ratio(place, (OURS, other), |line| Some(line.rate())),
            Look::Time(other) => lines.ratio(place, (OURS, other), |line| line.facts.get("p50").copied()),
            Look::Share(name, other) => lines.ratio(place, (OURS, other), |line| line.facts.get(name).copied()),
            Look::Longer(other) => {
                let others = lines.of(self.bench, &self.case, other);
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
