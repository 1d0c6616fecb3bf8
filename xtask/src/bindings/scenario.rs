//! Carries out the scenario in one language, file by file, each with a server and a folder of its own.

use super::{
    Language,
    build::Built,
    languages::folder,
    server::Server,
    table::{Outcome, Table},
};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

/// The files, in their order.
pub(super) fn files() -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder("scenario"))?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    files.sort();
    Ok(files)
}

/// As much of a file as the table needs.
#[derive(Debug, Deserialize)]
pub(super) struct Scenario {
    pub(super) title: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) step: String,
    /// A compiler refuses it.
    #[serde(default)]
    pub(super) untyped: bool,
}

pub(super) fn read(file: &Path) -> Result<Scenario> {
    let text = fs::read_to_string(file)?;
    let scenario: Scenario =
        serde_json::from_str(&text).with_context(|| format!("{} is no scenario", file.display()))?;
    let mut names = BTreeSet::new();
    if let Some(twice) = scenario.steps.iter().find(|step| !names.insert(&step.step)) {
        bail!("{} has two steps `{}`", file.display(), twice.step);
    }
    Ok(scenario)
}

/// What a runner tells of a step.
#[derive(Debug, Deserialize)]
struct Told {
    step: String,
    ok: bool,
    /// The language has no such value.
    #[serde(default)]
    impossible: bool,
    #[serde(default)]
    note: String,
    measure: Option<String>,
    micros: Option<f64>,
}

pub(super) fn run(language: Language, built: &Built, table: &mut Table) -> Result<()> {
    for file in files()? {
        let scenario = read(&file)?;
        let mut told = carry_out(language, built, &file)?;
        for step in &scenario.steps {
            let outcome = match told.remove(&step.step) {
                Some(told) if told.impossible => Outcome::NotPossible,
                Some(told) => {
                    if let (Some(name), Some(micros)) = (told.measure, told.micros) {
                        table.measure(language, name, micros);
                    }
                    Outcome::of(told.ok, told.note)
                }
                None if step.untyped && language.is_typed() => Outcome::NotPossible,
                None => Outcome::Failed("the runner tells nothing of it".to_owned()),
            };
            table.enter_outcome(&scenario.title, &step.step, language, outcome);
        }
        for (step, _) in told {
            table.enter(&scenario.title, &step, language, false, "the scenario has no such step");
        }
    }
    Ok(())
}

fn carry_out(language: Language, built: &Built, file: &Path) -> Result<BTreeMap<String, Told>> {
    let name = file.file_stem().context("a file without a name")?.to_string_lossy();
    let server = Server::start(built)?;
    let folder = built.empty_folder(&format!("{language}-{name}").to_lowercase())?;
    let mut runner = language.runner(built, file, &server, &folder);
    let mut child = runner.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {runner:?}"))?;
    let stdout = child.stdout.take().context("a runner without output")?;
    let mut told = BTreeMap::new();
    let mut last = String::new();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        match serde_json::from_str::<Told>(&line) {
            Ok(step) => {
                last.clone_from(&step.step);
                told.insert(step.step.clone(), step);
            }
            // A runtime may say something of its own.
            Err(_) => eprintln!("{line}"),
        }
    }
    let status = child.wait()?;
    let failed = told.values().any(|step| !step.ok);
    // It must end well, too: a crash at the end is a crash.
    if !status.success()
        && !failed
        && let Some(step) = told.get_mut(&last)
    {
        step.ok = false;
        step.note = format!("the process ended after it with {status}");
    }
    Ok(told)
}
