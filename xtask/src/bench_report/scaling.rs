//! The figures of docs/scaling.md: how many devices the measured rates of the server support.

use super::{
    lines::{Lines, OURS},
    markdown::number,
};
use anyhow::{Context, Result};
use std::{fmt::Write, fs, path::Path};

const BEGIN: &str = "<!-- figures of bench-report begin -->\n";
const END: &str = "<!-- figures of bench-report end -->";

/// The messages that a device sends and receives in a working day, and the length of that day.
const MESSAGES: f64 = 50.0;
const HOURS: f64 = 10.0;
/// A device in the foreground pulls every 30 s, one in the background every 15 minutes; a tenth is in the foreground.
const PULLS: f64 = 0.1 / 30.0 + 0.9 / 900.0;

/// Writes the figures into the document, between the markers.
pub(super) fn write(path: &Path, lines: &Lines) -> Result<()> {
    let Some(figures) = figures(lines) else { return Ok(()) };
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (before, rest) = text.split_once(BEGIN).context("docs/scaling.md has lost its marks")?;
    let (_, after) = rest.split_once(END).context("docs/scaling.md has lost its marks")?;
    Ok(fs::write(path, format!("{before}{BEGIN}{figures}{END}{after}"))?)
}

fn figures(lines: &Lines) -> Option<String> {
    let rate = |bench: &str, case: &str| lines.median((bench, case, OURS), |line| Some(line.rate()));
    let pushed = rate("serve", "push 500, 16 clients")?;
    let pulled = rate("serve", "pull 2000, 16 clients")?;
    let empty = 1.0 / rate("again", "1000000 messages").map(|rate| 1.0 / rate)?;
    let mut text = format!(
        "\nMeasured on the machine of [benchmarks.md](benchmarks.md), database and clients on the same cores: {} messages/s pushed in \
         batches of 500, {} messages/s pulled in pages of 2,000 (16 connections each), {} syncs/s that find nothing (one after the \
         other, through Supabase Lite).\n\n| devices | messages/s written | messages/s read | empty pulls/s | machines like this one |\n\
         |---:|---:|---:|---:|---:|\n",
        number(pushed.round()),
        number(pulled.round()),
        number(empty),
    );
    for devices in [1e3, 1e5, 1e7] {
        let messages = devices * MESSAGES / (HOURS * 3600.0);
        let pulls = devices * PULLS;
        let machines = messages / pushed + messages / pulled + pulls / empty;
        let [devices, messages, pulls, machines] = [devices, messages, pulls, machines].map(number);
        let _ = writeln!(text, "| {devices} | {messages} | {messages} | {pulls} | {machines} |");
    }
    Some(text + "\n")
}
