//! What a key costs, for a person who watches the run.

use super::{LOCKED, PLAIN};
use crate::{
    Line, Notes,
    notes::{percentile, say as say_line},
};

/// What is compared, and what is the most, or the least, that it should be.
struct Goal {
    case: &'static str,
    of: Of,
    unit: &'static str,
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Of {
    /// How many units a second.
    Rate,
    /// The median of single calls, in milliseconds.
    Call,
    /// A fact.
    Fact(&'static str),
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    None,
}

const fn goal(case: &'static str, of: Of, unit: &'static str, bound: Bound) -> Goal {
    Goal { case, of, unit, bound }
}

const GOALS: [Goal; 8] = [
    goal("apply, into an empty file", Of::Rate, "messages a second", Bound::AtLeast(0.75)),
    goal("apply, beside others", Of::Rate, "messages a second", Bound::AtLeast(0.75)),
    goal("send", Of::Call, "ms", Bound::AtMost(1.8)),
    goal("list", Of::Call, "ms", Bound::AtMost(1.1)),
    goal("window, the same again", Of::Call, "ms", Bound::AtMost(1.1)),
    goal("window, of another thread", Of::Call, "ms", Bound::AtMost(1.1)),
    goal("open", Of::Call, "ms", Bound::None),
    goal("open", Of::Fact("file_MiB"), "MiB", Bound::None),
];

impl Of {
    fn at(self, line: &Line) -> f64 {
        match self {
            Self::Rate => line.units as f64 / line.seconds,
            Self::Call => 1_000.0 * line.facts.get("p50").copied().unwrap_or_default(),
            Self::Fact(name) => line.facts.get(name).copied().unwrap_or_default(),
        }
    }
}

impl Bound {
    fn verdict(self, ratio: f64) -> String {
        match self {
            Self::AtLeast(least) => format!("goal ≥ {least}: {}", if ratio >= least { "met" } else { "missed" }),
            Self::AtMost(most) => format!("goal ≤ {most}: {}", if ratio <= most { "met" } else { "missed" }),
            Self::None => String::new(),
        }
    }
}

pub(super) fn say(notes: &Notes) {
    say_line("with a key / without: median [middle half] of the ratios of the rounds");
    for goal in GOALS {
        let of = |subject: &'static str| {
            let lines = notes.lines().iter().filter(move |line| line.case == goal.case && line.subject == subject);
            let mut lines: Vec<_> = lines.collect();
            lines.sort_by_key(|line| line.round);
            lines.into_iter().map(|line| goal.of.at(line)).collect::<Vec<_>>()
        };
        let (locked, plain) = (of(LOCKED), of(PLAIN));
        let ratios = sorted(locked.iter().zip(&plain).map(|(locked, plain)| locked / plain).collect());
        let [low, ratio, high] = [0.25, 0.5, 0.75].map(|share| percentile(&ratios, share));
        let [locked, plain] = [locked, plain].map(|values| percentile(&sorted(values), 0.5));
        say_line(&format!(
            "{:<26} {locked:>10.3} / {plain:>10.3} {:<18} = {ratio:.3} [{low:.3}-{high:.3}]  {}",
            goal.case,
            goal.unit,
            goal.bound.verdict(ratio)
        ));
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}
