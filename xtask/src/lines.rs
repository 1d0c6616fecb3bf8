//! `cargo xtask lines`: slow lines, refusing servers, captive portals, and a message that is written while a first load
//! runs, measured with the real command line. tests/src/lines/mod.rs says how.
//!
//! The measurements that docs/benchmarks.md shows are kept as JSON lines in docs/benchmarks/, those of an earlier build
//! beside those of this one, so that the report can be written anew without measuring again.

use crate::process;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these groups: refusing, loading, portals, slow
    groups: Vec<String>,
    /// Measure this build of the command line instead of building the present one
    #[arg(long)]
    program: Option<PathBuf>,
    /// Keep the measurements as those of an earlier build, to compare with
    #[arg(long, requires = "program")]
    before: bool,
    /// Keep the measurements, and write the tables into docs/benchmarks.md
    #[arg(long)]
    write: bool,
    /// Print JSON lines instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Measured {
    case: String,
    what: String,
    figure: String,
}

const HEADING: &str = "## Bad lines";

pub(crate) fn run(options: &Options) -> Result<()> {
    let text = measure(options)?;
    if options.json {
        print!("{text}");
    }
    let folder = process::root().join("docs/benchmarks");
    let kept = folder.join(file(options.before));
    if options.write {
        fs::create_dir_all(&folder)?;
        fs::write(&kept, merged(&fs::read_to_string(&kept).unwrap_or_default(), &text)?)?;
        let path = process::root().join("docs/benchmarks.md");
        let report = fs::read_to_string(&path)?;
        fs::write(&path, with_section(&report, &section(&folder)?))?;
        println!("{} is written", path.display());
    } else if !options.json {
        println!("{}", tables(&[], &parse(&text)?));
    }
    Ok(())
}

const fn file(before: bool) -> &'static str {
    if before { "lines-before.jsonl" } else { "lines.jsonl" }
}

/// Builds what is measured and what measures, and runs it.
fn measure(options: &Options) -> Result<String> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--locked", "--quiet", "-p", "fieldpost-tests", "--bin", "lines"]);
    if options.program.is_none() {
        cargo.args(["-p", "fieldpost-cli", "--bin", "fieldpost"]);
    }
    if !cargo.status()?.success() {
        bail!("the programs do not build");
    }
    let built = process::root().join("target/release");
    let program = options.program.clone().unwrap_or_else(|| built.join(executable("fieldpost")));
    let mut lines = std::process::Command::new(built.join(executable("lines")));
    lines.arg("--program").arg(program).args(&options.groups).stderr(Stdio::inherit());
    let output = lines.output().context("cannot start the measurements")?;
    if !output.status.success() {
        bail!("a case could not be measured");
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

fn parse(text: &str) -> Result<Vec<Measured>> {
    text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("no measurement: {line}"))).collect()
}

/// The kept lines, with the new ones in place of those of the same cases.
fn merged(kept: &str, new: &str) -> Result<String> {
    let again = parse(new)?;
    let mut all = String::new();
    for line in kept.lines() {
        let one: Measured = serde_json::from_str(line)?;
        if again.iter().all(|other| other.case != one.case) {
            writeln!(all, "{line}")?;
        }
    }
    Ok(all + new)
}

/// The section of docs/benchmarks.md, from what is kept.
pub(crate) fn section(folder: &Path) -> Result<String> {
    let read = |before| parse(&fs::read_to_string(folder.join(file(before))).unwrap_or_default());
    let (before, now) = (read(true)?, read(false)?);
    if now.is_empty() {
        return Ok(String::new());
    }
    let about = "Written by `cargo xtask lines --write`, which runs the real command line behind a proxy. Times are of one run. \
                 \"Before\" is the build that had none of this (`--program PATH --before`).";
    Ok(format!("{HEADING}\n\n{about}\n\n{}\n", tables(&before, &now)))
}

/// The report with this section in place of the one it has, or at its end.
pub(crate) fn with_section(report: &str, section: &str) -> String {
    let Some(start) = report.find(HEADING) else {
        return format!("{}\n\n{section}", report.trim_end());
    };
    let end = report[start + HEADING.len()..].find("\n## ").map(|at| start + HEADING.len() + at + 1);
    let rest = end.map_or("", |end| &report[end..]);
    format!("{}{section}{}{rest}", &report[..start], if rest.is_empty() { "" } else { "\n" })
}

fn tables(before: &[Measured], now: &[Measured]) -> String {
    let mut text = "| case | measured | before | now |\n|---|---|---:|---:|\n".to_owned();
    for one in now {
        let earlier = before.iter().find(|other| other.case == one.case && other.what == one.what);
        let earlier = earlier.map_or("", |other| other.figure.as_str());
        let _ = writeln!(text, "| {} | {} | {earlier} | {} |", one.case, one.what, one.figure);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"case":"a","what":"time","figure":"2 s"}"#;

    #[test]
    fn new_measurements_replace_those_of_their_cases() {
        let kept = format!("{}\n{}\n", LINE.replace("2 s", "9 s"), LINE.replace("\"a\"", "\"b\""));
        let all = merged(&kept, &format!("{LINE}\n")).unwrap();
        assert_eq!(all, format!("{}\n{LINE}\n", LINE.replace("\"a\"", "\"b\"")));
        assert!(merged("", "nonsense\n").is_err());
    }

    #[test]
    fn the_section_is_replaced_and_nothing_else() {
        let report = "# Report\n\n## First\n\none\n\n## Bad lines\n\nold\n\n## Last\n\ntwo\n";
        let new = with_section(report, "## Bad lines\n\nnew\n");
        assert_eq!(new, "# Report\n\n## First\n\none\n\n## Bad lines\n\nnew\n\n## Last\n\ntwo\n");
        assert!(with_section("# Report\n", "## Bad lines\n\nnew\n").ends_with("\n\n## Bad lines\n\nnew\n"));
    }

    #[test]
    fn a_table_shows_what_was_before_beside_what_is() {
        let (before, now) = (parse(&LINE.replace("2 s", "9 s")).unwrap(), parse(LINE).unwrap());
        assert!(tables(&before, &now).ends_with("| a | time | 9 s | 2 s |\n"));
        assert!(tables(&[], &now).ends_with("| a | time |  | 2 s |\n"));
    }
}
