//! The goals for the figures. [`table`] lists them.

mod reasons;
mod table;

use reasons::Profile;
pub(super) use reasons::link;
pub(super) use table::goals;

use super::lines::{Line, Lines, OURS};

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
        let median = |subject, what: &dyn Fn(&Line) -> Option<f64>| lines.median((place.0, place.1, subject), what);
        let ratio = |other, what: &dyn Fn(&Line) -> Option<f64>| lines.ratio(place, (OURS, other), what);
        match self.look {
            Look::Speed(other) => ratio(other, &|line| Some(line.rate())),
            Look::Time(other) => ratio(other, &|line| line.fact("p50")),
            Look::Share(name, other) => ratio(other, &|line| line.fact(name)),
            Look::Longer(other) => {
                let p50 = |subject| median(subject, &|line| line.fact("p50"));
                Some((p50(OURS)? - p50(other)?) * 1e3)
            }
            Look::Growth(before) => {
                let rate = |case| lines.median((self.bench, case, OURS), |line| Some(line.rate()));
                Some(rate(before)? / rate(&self.case)?)
            }
            Look::Fact(name) => median(OURS, &|line| line.fact(name)),
            Look::Milliseconds(name) => median(OURS, &|line| line.fact(name)).map(|seconds| seconds * 1e3),
            Look::Seconds => median(OURS, &|line| Some(line.seconds)),
        }
    }

    /// The duration of the rounds: the share of processor time shows whether it is work or waiting.
    pub(super) fn took(&self, lines: &Lines) -> Option<(f64, f64)> {
        let place = (self.bench, self.case.as_str(), OURS);
        let milliseconds = |what: fn(&Line) -> f64| lines.median(place, |line| Some(what(line) * 1e3));
        Some((milliseconds(|line| line.seconds)?, milliseconds(|line| line.cpu)?))
    }

    pub(super) fn met(&self, measured: f64) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        }
    }
}
