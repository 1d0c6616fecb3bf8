//! The goals for the figures. [`table`] lists them.

mod reasons;
mod table;

use reasons::Profile;
pub(super) use reasons::link;
pub(super) use table::goals;

use super::lines::{Lines, OURS, Spread};

/// The measured quantity.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// How many times faster than this subject.
    Speed(&'static str),
    /// The median time of one call, relative to this subject's.
    Time(&'static str),
    /// How many milliseconds longer the median call takes than this subject's.
    Longer(&'static str),
    /// How many times slower than in this case.
    Growth(&'static str),
    /// A fact of ours, unchanged.
    Fact(&'static str),
    /// A fact of ours in milliseconds.
    Milliseconds(&'static str),
    /// A fact of ours, relative to this subject's.
    Share(&'static str, &'static str),
    /// The median time of the whole case in seconds.
    Seconds,
}

/// Which values meet the goal.
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
    /// The section of the docs with the profile, if the goal is missed.
    pub(super) missed: Profile,
}

impl Goal {
    /// The value of this run; none if it did not measure it.
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

    /// The duration of the rounds: the share of processor time shows whether it is work or waiting.
    pub(super) fn took(&self, lines: &Lines) -> Option<(f64, f64)> {
        let ours = lines.of(self.bench, &self.case, OURS);
        let seconds = Spread::of(ours.iter().map(|line| line.seconds))?.median;
        Some((seconds * 1e3, Spread::of(ours.iter().map(|line| line.cpu))?.median * 1e3))
    }

    pub(super) fn met(&self, measured: f64) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        }
    }
}
