//! A small writer of bar charts as SVG.
//!
//! One bar for each subject of each case: its length is the median, and a line across its end reaches from the lower to
//! the upper quartile. If the values are too far apart to compare, the scale is logarithmic and labelled so.

use super::{
    lines::{Lines, OURS, Spread},
    markdown::{number, shown},
    sections::{Section, Unit},
};
use std::fmt::Write;

struct Bar {
    label: String,
    ours: bool,
    value: Spread,
}

/// The chart of a section; none if there is nothing to show.
pub(super) fn section(section: &Section, lines: &Lines) -> Option<String> {
    let mut groups = Vec::new();
    for case in lines.cases(section.bench) {
        let bars = lines.subjects(section.bench, case).into_iter().filter_map(|subject| {
            let measured = lines.of(section.bench, case, subject);
            let value = Spread::of(measured.iter().map(|line| shown(section.unit, line) * scale(section.unit)))?;
            Some(Bar { label: subject.to_owned(), ours: subject == OURS, value })
        });
        groups.push((case, bars.collect::<Vec<_>>()));
    }
    (!groups.is_empty()).then(|| draw(section, &groups))
}

/// Calls are shown in milliseconds.
const fn scale(unit: Unit) -> f64 {
    match unit {
        Unit::Messages | Unit::Seeds | Unit::Instructions => 1.0,
        Unit::Calls => 1e3,
    }
}

const LEFT: f64 = 230.0;
const LENGTH: f64 = 430.0;
const BAR: f64 = 16.0;
const STEP: f64 = 22.0;
/// The ratio above which the scale is logarithmic.
const FAR: f64 = 40.0;

fn draw(section: &Section, groups: &[(&str, Vec<Bar>)]) -> String {
    let bars = || groups.iter().flat_map(|(_, bars)| bars);
    let largest = bars().map(|bar| bar.value.high).fold(f64::MIN_POSITIVE, f64::max);
    let smallest = bars().map(|bar| bar.value.low).fold(largest, f64::min).max(largest / 1e6);
    let logarithmic = largest / smallest > FAR;
    let floor = smallest / 2.0;
    let length = |value: f64| {
        let share = if logarithmic { (value / floor).ln() / (largest / floor).ln() } else { value / largest };
        share.clamp(0.0, 1.0) * LENGTH
    };
    let height = 44.0 + groups.iter().map(|(_, bars)| 26.0 + bars.len() as f64 * STEP).sum::<f64>();
    let mut svg = head(section, height, logarithmic);
    let mut y = 44.0;
    for (case, bars) in groups {
        let _ = writeln!(svg, r#"<text x="10" y="{:.0}" font-weight="bold">{}</text>"#, y + 14.0, escaped(case));
        y += 22.0;
        for bar in bars {
            draw_bar(&mut svg, bar, y, &length);
            y += STEP;
        }
        y += 4.0;
    }
    svg + "</svg>\n"
}

fn head(section: &Section, height: f64, logarithmic: bool) -> String {
    let unit = match section.unit {
        Unit::Messages => "messages per second, more is better",
        Unit::Seeds => "seeds per second, more is better",
        Unit::Calls => "milliseconds, less is better",
        Unit::Instructions => "instructions, less is better",
    };
    let scale = if logarithmic { ", logarithmic" } else { "" };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"780\" height=\"{height:.0}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"22\" font-size=\"15\">{} ({unit}{scale})</text>\n",
        escaped(section.title)
    )
}

fn draw_bar(svg: &mut String, bar: &Bar, y: f64, length: &impl Fn(f64) -> f64) {
    let Spread { median, low, high } = bar.value;
    let color = if bar.ours { "#c2410c" } else { "#94a3b8" };
    let middle = y + BAR / 2.0;
    let _ = writeln!(
        svg,
        r#"<text x="{:.0}" y="{:.0}" text-anchor="end">{}</text><rect x="{LEFT}" y="{y:.0}" width="{:.1}" height="{BAR}" fill="{color}"/>"#,
        LEFT - 6.0,
        y + 12.0,
        escaped(&bar.label),
        length(median).max(1.0),
    );
    let _ = writeln!(
        svg,
        r##"<path d="M{:.1} {middle:.1}H{:.1}" stroke="#111"/><text x="{:.0}" y="{:.0}">{}</text>"##,
        LEFT + length(low),
        LEFT + length(high),
        LEFT + length(high).max(length(median)) + 6.0,
        y + 12.0,
        number(median),
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
