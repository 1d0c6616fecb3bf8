//! The bindings of other languages: `cargo xtask bindings …`.
//!
//! One library, generated code per language, a small hand-written layer on top, and one scenario that every language carries out
//! (bindings/scenario).

mod build;
mod kotlin;
mod languages;
mod measured;
mod mobile;
mod package;
mod scenario;
mod server;
mod size;
mod surface;
mod swift;
mod table;
mod typescript;

pub(crate) use languages::Language;

use crate::test::Counts;
use anyhow::{Result, bail};
use build::Built;
pub(crate) use build::Parts;
use clap::{Args, Subcommand};
use std::time::{Instant, SystemTime};
use table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Build the library, and generate what the languages need of it
    Build {
        /// Only these languages
        #[arg(long, value_enum, value_delimiter = ',')]
        only: Vec<Language>,
    },
    /// Carry out the scenario in every language that is installed, and show a table
    Test(TestOptions),
    /// The scenario, the tests of the packages and the check of the surface, for the command that runs all tests
    #[command(hide = true)]
    Tally {
        #[command(flatten)]
        parts: Option<Parts>,
    },
    /// Make what a release uploads
    Package(package::PackageOptions),
    /// Build the library as phones have it, and hold it to its size budget
    Size(size::SizeOptions),
    /// Write what the languages see, as text, to bindings/surface
    Surface {
        /// Change nothing, and fail if it differs
        #[arg(long)]
        check: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TestOptions {
    /// Only these languages
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Language>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(action: &Action) -> Result<()> {
    match action {
        Action::Build { only } => {
            let built = build::build()?;
            wanted(only)
                .into_iter()
                .filter(|language| language.missing().is_none())
                .try_for_each(|it| it.prepare(&built))
        }
        Action::Tally { parts } => tally(&parts.clone().map_or_else(build::build, Built::of)?),
        Action::Test(options) => {
            let table = test(&build::build()?, &wanted(&options.only))?;
            if options.json {
                println!("{}", table.json());
            } else {
                table.print();
                measured::print(&table)?;
            }
            if table.failed() > 0 {
                bail!("{} steps failed", table.failed());
            }
            Ok(())
        }
        Action::Package(options) => package::run(options),
        Action::Size(options) => size::run(options),
        Action::Surface { check } => surface::run(&build::build()?, *check),
    }
}

/// What the tests of all languages came to: the last line of the command that the test command starts.
pub(crate) struct Tally;

impl Tally {
    const LINE: &str = "bindings in all: ";

    fn line(counts: Counts) -> String {
        let Counts { passed, failed, ignored } = counts;
        format!("{}{passed} passed, {failed} failed, {ignored} skipped", Self::LINE)
    }

    /// The counts, if it is that line.
    pub(crate) fn read(line: &str) -> Option<Counts> {
        let counts = line.strip_prefix(Self::LINE)?;
        let mut numbers = counts.split(", ").filter_map(|part| part.split(' ').next()?.parse().ok());
        Some(Counts { passed: numbers.next()?, failed: numbers.next()?, ignored: numbers.next()? })
    }
}

fn tally(built: &Built) -> Result<()> {
    let (due, later) = due();
    let mut table = test(built, &due)?;
    for language in later {
        eprintln!(
            "── {language} is NOT tested now: in CI it takes turns, and waits for its tools to be fetched (FIELDPOST_BINDINGS=all)"
        );
        table.skip(language);
    }
    table.print();
    let mut counts = Counts { passed: table.passed(), failed: table.failed(), ignored: table.skipped() };
    match surface::run(built, true) {
        Ok(()) => counts.passed += 1,
        Err(error) => {
            println!("{error:#}");
            counts.failed += 1;
        }
    }
    println!("{}", Tally::line(counts));
    Ok(())
}

/// The languages to test now, and those that have to wait. Where a change waits for it (CI), those that take minutes take turns by
/// day, and nothing is fetched that takes minutes.
fn due() -> (Vec<Language>, Vec<Language>) {
    let all = std::env::var("FIELDPOST_BINDINGS").is_ok_and(|wanted| wanted == "all");
    if all || std::env::var_os("CI").is_none() {
        return (Language::ALL.to_vec(), Vec::new());
    }
    let day =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / (24 * 60 * 60));
    Language::ALL.iter().partition(|language| language.is_due(day) && language.is_at_hand())
}

fn wanted(only: &[Language]) -> Vec<Language> {
    if only.is_empty() { Language::ALL.to_vec() } else { only.to_vec() }
}

fn test(built: &Built, languages: &[Language]) -> Result<Table> {
    let mut table = Table::default();
    for language in languages {
        if let Some(install) = language.missing() {
            eprintln!("── {language} is NOT tested: {install}");
            if language.runs() {
                table.skip(*language)
            } else {
                swift::skip(&mut table)
            }
            continue;
        }
        let started = Instant::now();
        language.prepare(built)?;
        if language.runs() {
            scenario::run(*language, built, &mut table)?;
        }
        language.package_tests(built, &mut table)?;
        eprintln!("── {language}: {} s", started.elapsed().as_secs());
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(Debug, clap::Parser)]
    struct Bindings {
        #[command(subcommand)]
        action: Action,
    }

    #[test]
    fn what_was_built_is_named_whole_or_not_at_all() {
        let parse = |arguments: &[&str]| Bindings::try_parse_from([&["bindings", "tally"], arguments].concat());
        let parts = |arguments| match parse(arguments).unwrap().action {
            Action::Tally { parts } => parts.map(|parts| parts.arguments().map(ToOwned::to_owned)),
            other => unreachable!("{other:?}"),
        };
        let all = ["--library", "l", "--generator", "g", "--program", "p"];
        assert_eq!(parts(&all), Some(all.map(Into::into)));
        assert_eq!(parts(&[]), None);
        assert!(parse(&all[..4]).is_err());
    }

    #[test]
    fn the_last_line_is_read_as_it_was_written() {
        let read = Tally::read(&Tally::line(Counts { passed: 255, failed: 1, ignored: 2 })).unwrap();
        assert_eq!((read.passed, read.failed, read.ignored), (255, 1, 2));
        assert!(Tally::read("255 passed, 1 failed, 2 skipped").is_none());
        assert!(Tally::read("bindings in all: many").is_none());
    }
}
