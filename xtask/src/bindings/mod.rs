//! The bindings of other languages: `cargo xtask bindings …`.
//!
//! One library, generated code per language, a small hand-written layer on top, and one scenario that every language carries out
//! (bindings/scenario).

mod build;
mod kotlin;
mod languages;
mod measured;
mod package;
mod scenario;
mod server;
mod size;
mod surface;
mod swift;
mod table;
mod typescript;

pub(crate) use languages::Language;

use anyhow::{Result, bail};
use build::Built;
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
    /// Make what a release uploads
    Package(package::PackageOptions),
    /// Build the library as phones have it, and hold it to its size budget
    Size,
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
        Action::Test(options) => {
            let (_, table) = test(&wanted(&options.only))?;
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
        Action::Size => size::run(),
        Action::Surface { check } => surface::run(&build::build()?, *check),
    }
}

/// What the tests of all languages came to, for the command that runs all tests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: i64,
    pub(crate) failed: i64,
    pub(crate) skipped: i64,
}

/// Runs the scenario, the tests of the packages and the check of the surface.
pub(crate) fn tally() -> Result<Tally> {
    let (due, later) = due();
    let (built, mut table) = test(&due)?;
    for language in later {
        eprintln!("── {language} is NOT tested today: it takes turns in CI (FIELDPOST_BINDINGS=all tests all)");
        table.skip(language);
    }
    table.print();
    let mut tally = Tally { passed: table.passed(), failed: table.failed(), skipped: table.skipped() };
    match surface::run(&built, true) {
        Ok(()) => tally.passed += 1,
        Err(error) => {
            println!("{error:#}");
            tally.failed += 1;
        }
    }
    Ok(tally)
}

/// The languages to test now, and those that have to wait. Where a change waits for it (CI), those that take minutes take turns by day.
fn due() -> (Vec<Language>, Vec<Language>) {
    let all = std::env::var("FIELDPOST_BINDINGS").is_ok_and(|wanted| wanted == "all");
    if all || std::env::var_os("CI").is_none() {
        return (Language::ALL.to_vec(), Vec::new());
    }
    let day =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / (24 * 60 * 60));
    Language::ALL.iter().partition(|language| language.is_due(day))
}

fn wanted(only: &[Language]) -> Vec<Language> {
    if only.is_empty() { Language::ALL.to_vec() } else { only.to_vec() }
}

fn test(languages: &[Language]) -> Result<(Built, Table)> {
    let built = build::build()?;
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
        language.prepare(&built)?;
        if language.runs() {
            scenario::run(*language, &built, &mut table)?;
        }
        language.package_tests(&built, &mut table)?;
        eprintln!("── {language}: {} s", started.elapsed().as_secs());
    }
    Ok((built, table))
}
