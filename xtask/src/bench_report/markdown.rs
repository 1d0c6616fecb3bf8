//! The report as text.

use super::{
    goals::{Bound, Goal, goals, link},
    lines::{Line, Lines, OURS, Spread},
    plot,
    sections::{SECTIONS, Section, Unit},
};
use std::{collections::BTreeSet, fmt::Write, time::Duration};

/// The whole report.
pub(super) fn report(lines: &Lines, machine: &[String]) -> String {
    let mut text = String::from(HEAD);
    text += &missing(lines);
    for line in machine {
        let _ = writeln!(text, "- {line}");
    }
    text += "\n## Goals\n\n| bench | case | goal | measured | |\n|---|---|---|---:|---|\n";
    let goals = goals();
    for goal in &goals {
        text += &goal_row(goal, goal.measured(lines));
    }
    text += &misses(&goals, lines);
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

";

/// The durations of a run, so that its length can be planned.
pub(super) fn times(times: &[(String, Duration)]) -> String {
    if times.is_empty() {
        return String::new();
    }
    let mut text = "\n## How long this run took\n\n| what | seconds |\n|---|---:|\n".to_owned();
    for (what, time) in times {
        let _ = writeln!(text, "| {what} | {:.0} |", time.as_secs_f64());
    }
    let all: Duration = times.iter().map(|(_, time)| *time).sum();
    let _ = writeln!(text, "| all of it | {:.0} |", all.as_secs_f64());
    text
}

/// The benches without lines in this run.
fn missing(lines: &Lines) -> String {
    let missing = SECTIONS.iter().filter(|section| lines.cases(section.bench).is_empty()).map(|section| section.title);
    match missing.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => none,
        titles => format!("**Not measured in this run:** {titles}.\n\n"),
    }
}

fn goal_row(goal: &Goal, measured: Option<f64>) -> String {
    let (sign, bound) = match goal.bound {
        Bound::AtLeast(bound) => ("≥", bound),
        Bound::AtMost(bound) => ("≤", bound),
    };
    let verdict = match measured.map(|measured| goal.met(measured)) {
        None => "not measured",
        Some(true) => "met",
        Some(false) => "**missed**",
    };
    let (measured, bound) = (measured.map(number).unwrap_or_default(), number(bound));
    format!("| {} | {} | {sign} {bound} {} | {measured} | {verdict} |\n", goal.bench, goal.case, goal.what)
}

fn misses(goals: &[Goal], lines: &Lines) -> String {
    let mut text = String::new();
    for goal in goals {
        let Some(measured) = goal.measured(lines).filter(|measured| !goal.met(*measured)) else { continue };
        let took = goal.took(lines).filter(|(_, cpu)| *cpu > 0.0);
        let took =
            took.map(|(all, cpu)| format!(" a round took {} ms, {} of processor time;", number(all), number(cpu)));
        let (missed, why) = (format!("{} {}", number(measured), goal.what), link(goal.missed));
        let _ = writeln!(text, "- **{}, {}** ({missed}):{} {why}.", goal.bench, goal.case, took.unwrap_or_default());
    }
    if text.is_empty() {
        text
    } else {
        format!("\nWhy goals are missed, by this run and by a profile of another day:\n\n{text}")
    }
}

fn section(section: &Section, lines: &Lines) -> String {
    let mut text = format!("\n## {}\n\n{}\n\n", section.title, section.text);
    if plot::section(section, lines).is_some() {
        let _ = writeln!(text, "![{}](benchmarks/{}.svg)\n", section.title, section.bench);
    }
    let _ = writeln!(
        text,
        "| case | subject | rounds | {} | {} | CPU ms | also |\n|---|---|---:|---:|---:|---:|---|",
        section.unit.title(),
        section.unit.comparison()
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
        Unit::Instructions => number(value.median),
        Unit::Messages | Unit::Seeds => {
            format!("{} ({}–{})", number(value.median), number(value.low), number(value.high))
        }
        Unit::Calls => {
            format!("{} ms ({}–{})", number(value.median * 1e3), number(value.low * 1e3), number(value.high * 1e3))
        }
    };
    let speed = |line: &Line| Some(1.0 / shown_time(section.unit, line));
    let ratio = if subject == OURS { None } else { lines.ratio((section.bench, case), (OURS, subject), speed) };
    let ratio = ratio.map(|ratio| format!("{} ×", number(ratio))).unwrap_or_default();
    // A value that was not counted is not zero.
    let cpu = Spread::of(measured.iter().map(|line| line.cpu * 1e3)).filter(|cpu| cpu.high > 0.0);
    let cpu = cpu.map(|cpu| number(cpu.median)).unwrap_or_default();
    format!("| {case} | {subject} | {} | {value} | {ratio} | {} | {} |\n", measured.len(), cpu, facts(&measured))
}

/// The value of a line that a section shows: a rate, or the time of one call.
pub(super) fn shown(unit: Unit, line: &Line) -> f64 {
    match unit {
        Unit::Messages | Unit::Seeds => line.rate(),
        Unit::Calls | Unit::Instructions => shown_time(unit, line),
    }
}

/// The cost of one unit: seconds, or instructions.
fn shown_time(unit: Unit, line: &Line) -> f64 {
    let known = match unit {
        Unit::Instructions => line.fact("instructions"),
        Unit::Calls => line.fact("p50"),
        Unit::Messages | Unit::Seeds => None,
    };
    known.unwrap_or_else(|| line.seconds / line.units.max(1) as f64)
}

/// Facts that are shown in another form, or in another column.
const ELSEWHERE: [&str; 6] = ["p50", "instructions", "unfinished_s", "arrived", "of", "failed"];

fn facts(measured: &[&Line]) -> String {
    let names: BTreeSet<_> = measured.iter().flat_map(|line| line.facts.keys()).collect();
    let names = names.into_iter().filter(|name| !ELSEWHERE.contains(&name.as_str()));
    let said = names.filter_map(|name| {
        let median = Spread::of(measured.iter().filter_map(|line| line.fact(name)))?.median;
        Some(if name.starts_with('p') && name[1..].parse::<u32>().is_ok() {
            format!("{name} {} ms", number(median * 1e3))
        } else {
            format!("{} {}", number(median), name.replace('_', " "))
        })
    });
    unfinished(measured).into_iter().chain(said).collect::<Vec<_>>().join(", ")
}

/// The progress of subjects that did not finish in time; of several rounds, the worst.
fn unfinished(measured: &[&Line]) -> Option<String> {
    let late = measured.iter().filter(|line| line.facts.contains_key("unfinished_s"));
    let worst = late.min_by(|a, b| a.units.cmp(&b.units))?;
    let [limit, arrived, of] =
        ["unfinished_s", "arrived", "of"].map(|name| worst.fact(name).map(number).unwrap_or_default());
    if worst.facts.contains_key("failed") {
        return Some(format!("**failed, {arrived} of {of} arrived**"));
    }
    Some(format!("**not finished in {limit} s, {arrived} of {of} arrived**"))
}

/// Three significant digits, with separators between thousands.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1000.0 {
        return format!("{value:.0}");
    }
    if !value.is_finite() {
        return "–".to_owned();
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
    fn who_is_not_done_in_time_is_shown_with_how_far_it_came_and_goals_without_figures_as_not_measured() {
        let line = r#"{"bench":"drain","case":"500 queued, 10% of answers lost","subject":"RxDB","round":0,"seconds":60,"cpu":1,"units":312,
            "facts":{"unfinished_s":60,"arrived":312,"of":500,"doubled":0}}"#;
        let text = report(&Lines::parse(&line.replace('\n', "")).unwrap(), &[]);
        assert!(text.contains("| **not finished in 60 s, 312 of 500 arrived**, 0 doubled |"), "{text}");
        assert!(text.contains("**Not measured in this run:** Applying pages, "));
        assert!(text.contains("| drain | 500 queued, 200 ms | ≤ 5 requests |  | not measured |"));
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let texts = [0.7, 1.3456, 12.345, 123.4, 1_234_567.0, 12.0, 0.0123].map(number);
        assert_eq!(texts, ["0.70", "1.35", "12.3", "123", "1,234,567", "12", "0.012"]);
    }
}
