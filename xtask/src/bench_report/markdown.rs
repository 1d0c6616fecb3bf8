//! The report as text.

use super::{
    goals::{Bound, GOALS, Goal},
    lines::{Line, Lines, OURS, Spread},
    plot,
    sections::{SECTIONS, Section, Unit},
};
use std::fmt::Write;

/// The whole report.
pub(super) fn report(lines: &Lines, machine: &[String]) -> String {
    let mut text = String::from(HEAD);
    for line in machine {
        let _ = writeln!(text, "- {line}");
    }
    text += "\n## Goals\n\n| bench | case | goal | measured | |\n|---|---|---|---:|---|\n";
    for (goal, measured) in GOALS.iter().filter_map(|goal| Some((goal, goal.measured(lines)?))) {
        text += &goal_row(goal, measured);
    }
    text += &misses(lines);
    for section in SECTIONS.iter().filter(|section| !lines.cases(section.bench).is_empty()) {
        text += &self::section(section, lines);
    }
    text
}

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench-report`; every figure is of the one run that wrote this file. Subjects take turns round by
round. Ratios are medians of ratios within a round, so that a slow minute of the machine hits both sides; times are medians
with the middle half of the rounds in brackets, and mean little on another machine. CPU is that of the client's process,
all threads.

Not measured yet: decode and apply of a recorded answer; a first pull of 1,000 × 1,000 (1,000 × 100 is); a sync that finds
nothing at 100,000 and a million messages (1,000 and 20,000 are); the time until an observer has a sent message; seeds per second
of the simulator; instruction counts.

";

fn goal_row(goal: &Goal, measured: f64) -> String {
    let (sign, bound) = match goal.bound {
        Bound::AtLeast(bound) => ("≥", bound),
        Bound::AtMost(bound) => ("≤", bound),
    };
    let verdict = if goal.met(measured) { "met" } else { "**missed**" };
    let (measured, bound) = (number(measured), number(bound));
    format!("| {} | {} | {sign} {bound} {} | {measured} | {verdict} |\n", goal.bench, goal.case, goal.what)
}

fn misses(lines: &Lines) -> String {
    let mut text = String::new();
    for goal in GOALS {
        let Some(measured) = goal.measured(lines).filter(|measured| !goal.met(*measured)) else { continue };
        let why = if goal.missed.is_empty() { "not explained yet" } else { goal.missed };
        let _ = writeln!(text, "- **{}, {}** ({} {}): {why}", goal.bench, goal.case, number(measured), goal.what);
    }
    if text.is_empty() { text } else { format!("\nWhy goals are missed:\n\n{text}") }
}

fn section(section: &Section, lines: &Lines) -> String {
    let mut text = format!("\n## {}\n\n{}\n\n", section.title, section.text);
    if plot::section(section, lines).is_some() {
        let _ = writeln!(text, "![{}](benchmarks/{}.svg)\n", section.title, section.bench);
    }
    let what = match section.unit {
        Unit::Messages => "messages/s",
        Unit::Calls => "per call",
    };
    let _ = writeln!(
        text,
        "| case | subject | rounds | {what} | speed of fieldpost ÷ its | CPU ms | also |\n|---|---|---:|---:|---:|---:|---|"
    );
    for case in lines.cases(section.bench) {
        for subject in lines.subjects(section.bench, case) {
            text += &row(section, lines, case, subject);
        }
    }
    text
}

fn row(section: &Section, lines: &Lines, case: &str, subject: &str) -> String {
    let measured = lines.of(section.bench, case, subject);
    let Some(value) = Spread::of(measured.iter().map(|line| shown(section.unit, line))) else { return String::new() };
    let value = match section.unit {
        Unit::Messages => format!("{} ({}–{})", number(value.median), number(value.low), number(value.high)),
        Unit::Calls => {
            format!("{} ms ({}–{})", number(value.median * 1e3), number(value.low * 1e3), number(value.high * 1e3))
        }
    };
    let speed = |line: &Line| Some(1.0 / shown_time(section.unit, line));
    let ratio = if subject == OURS { None } else { lines.ratio((section.bench, case), (OURS, subject), speed) };
    let ratio = ratio.map(|ratio| format!("{} ×", number(ratio))).unwrap_or_default();
    // What is not counted is not nothing.
    let cpu = Spread::of(measured.iter().map(|line| line.cpu * 1e3)).filter(|cpu| cpu.high > 0.0);
    let cpu = cpu.map(|cpu| number(cpu.median)).unwrap_or_default();
    format!("| {case} | {subject} | {} | {value} | {ratio} | {} | {} |\n", measured.len(), cpu, facts(&measured))
}

/// What a section shows of a line: a rate, or the time of one call.
pub(super) fn shown(unit: Unit, line: &Line) -> f64 {
    match unit {
        Unit::Messages => line.rate(),
        Unit::Calls => shown_time(unit, line),
    }
}

fn shown_time(unit: Unit, line: &Line) -> f64 {
    let median = line.facts.get("p50").copied().filter(|_| unit == Unit::Calls);
    median.unwrap_or_else(|| line.seconds / line.units.max(1) as f64)
}

fn facts(measured: &[&Line]) -> String {
    let Some(first) = measured.first() else { return String::new() };
    let names = first.facts.keys().filter(|name| *name != "p50");
    let said = names.filter_map(|name| {
        let median = Spread::of(measured.iter().filter_map(|line| line.facts.get(name).copied()))?.median;
        Some(if name.starts_with('p') && name[1..].parse::<u32>().is_ok() {
            format!("{name} {} ms", number(median * 1e3))
        } else {
            format!("{} {}", number(median), name.replace('_', " "))
        })
    });
    said.collect::<Vec<_>>().join(", ")
}

/// Three digits that matter; thousands apart.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1000.0 {
        return format!("{value:.0}");
    }
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if digits == 0 { apart(&text) } else { text }
}

fn apart(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let texts = [0.7, 1.3456, 12.345, 123.4, 1_234_567.0, 12.0, 0.0123].map(number);
        assert_eq!(texts, ["0.70", "1.35", "12.3", "123", "1,234,567", "12", "0.012"]);
    }
}
