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
use serde_json::Value;
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
    /// The builds that can carry out the file.
    needs: Option<Need>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) step: String,
    /// A compiler refuses it.
    #[serde(default)]
    pub(super) untyped: bool,
    /// The builds that can carry it out, if not all.
    needs: Option<Need>,
}

/// What the build of the library must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Need {
    /// One that can encrypt.
    Encryption,
    /// One that cannot.
    NoEncryption,
}

impl Need {
    /// None if this build can carry it out.
    fn unmet(self, encrypts: bool) -> Option<Outcome> {
        match self {
            Self::Encryption if !encrypts => Some(Outcome::Skipped),
            // There is nothing to install for it.
            Self::NoEncryption if encrypts => Some(Outcome::NotPossible),
            Self::Encryption | Self::NoEncryption => None,
        }
    }
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
        let unmet = |step: &Step| step.needs.or(scenario.needs)?.unmet(built.encrypts);
        let mut told = match possible(&file, built, |name| {
            scenario.steps.iter().any(|step| step.step == name && unmet(step).is_none())
        })? {
            Some(file) => carry_out(language, built, &file)?,
            None => BTreeMap::new(),
        };
        for step in &scenario.steps {
            if let Some(outcome) = unmet(step) {
                table.enter_outcome(&scenario.title, &step.step, language, outcome);
                continue;
            }
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

/// The file with the steps that this build can carry out; none if there are none.
fn possible(file: &Path, built: &Built, can: impl Fn(&str) -> bool) -> Result<Option<PathBuf>> {
    let mut scenario: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let steps = scenario["steps"].as_array_mut().context("a scenario without steps")?;
    let all = steps.len();
    steps.retain(|step| step["step"].as_str().is_some_and(&can));
    if steps.len() == all {
        return Ok(Some(file.to_owned()));
    }
    if steps.is_empty() {
        return Ok(None);
    }
    let part = built.scratch.join(file.file_name().context("a file without a name")?);
    fs::write(&part, scenario.to_string())?;
    Ok(Some(part))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_needs_another_build_is_skipped_only_if_something_can_be_installed_for_it() {
        assert_eq!(Need::Encryption.unmet(false), Some(Outcome::Skipped));
        assert_eq!(Need::NoEncryption.unmet(true), Some(Outcome::NotPossible));
        assert_eq!((Need::Encryption.unmet(true), Need::NoEncryption.unmet(false)), (None, None));
    }

    #[test]
    fn encrypted_files_are_a_part_of_the_scenario() {
        let needs = |file: &PathBuf| read(file).unwrap().needs;
        assert!(files().unwrap().iter().any(|file| needs(file) == Some(Need::Encryption)));
    }
}
