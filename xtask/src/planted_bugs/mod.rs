//! Plants bugs, one at a time, and checks that the right test catches each.
//!
//! A guarantee without a test that would catch its loss is only a hope. Every bug of [`table`] removes one guarantee:
//! it replaces text in a function of `migrations/supabase/`, or runs SQL after them (which drops a trigger or an
//! index). The bug goes into a fresh database, never into the real stack. The named test must fail there, after it has
//! passed on the same files without the bug.
//!
//! The text that a bug replaces must occur exactly once, or the command fails: a list that no longer matches the files
//! proves nothing.

mod bug;
mod encryption;
mod migrations;
mod proofs;
mod simulation;
mod table;

use crate::{
    process,
    supabase::{self, Side},
};
use anyhow::{Context, Result, bail};
use bug::{Bug, Proof};
use clap::Args;
use migrations::Migrations;
use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use table::bugs;

/// The bugs to plant.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to plant the bugs
    #[arg(long, value_enum, default_value = "supabase")]
    suite: Suite,
    /// Only bugs whose line contains this; may be given several times
    #[arg(long)]
    only: Vec<String>,
    /// Check that every bug still matches the files, and run nothing
    #[arg(long)]
    check: bool,
}

impl Options {
    fn wants(&self, line: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| line.contains(only.as_str()))
    }
}

/// The test suites that bugs can be planted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Suite {
    /// The SQL, on real PostgreSQL
    Supabase,
    /// The engine, the store and the server, in the simulator
    Simulation,
    /// Keys, encrypted files and tokens, in the tests of Rust (needs perl and make)
    Encryption,
}

/// A test that hangs counts as failed.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The result of a test.
struct Outcome {
    passed: u32,
    failed: u32,
    /// The first error that it reported.
    complaint: String,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = process::root();
    match options.suite {
        Suite::Supabase => {}
        Suite::Simulation => return simulation::run(&root, options),
        Suite::Encryption => return encryption::run(options),
    }
    let files = root.join("migrations/supabase");
    let wanted: Vec<_> = bugs().into_iter().filter(|bug| options.wants(&bug.line())).collect();
    // Checks all of them before planting the first, so that a wrong list is reported at once.
    for bug in &wanted {
        bug.planted(&files).with_context(|| format!("the bug \"{}\" no longer fits", bug.name))?;
    }
    if options.check || wanted.is_empty() {
        println!("{} bugs fit the files", wanted.len());
        return Ok(());
    }
    let side = Side::open(&root, "planted")?;
    check_proofs(&root, &side, &files, &wanted)?;
    let mut caught = 0;
    for bug in &wanted {
        let start = Instant::now();
        // `install.mjs` and the tests look for the files here.
        let folder = side.home().join("migrations");
        bug.planted(&files)?.write(&folder)?;
        let stack = if bug.proof.own_database {
            side.cluster_stack()
        } else {
            side.fresh(&folder).with_context(|| format!("planting \"{}\"", bug.name))?
        };
        let outcome = prove(&root, &stack, &folder, &bug.proof)?;
        let (word, why) =
            if outcome.failed > 0 { ("caught", outcome.complaint.as_str()) } else { ("MISSED", "the test passed") };
        caught += usize::from(outcome.failed > 0);
        println!("{word}  {}  ({:.1} s): {why}", bug.line(), start.elapsed().as_secs_f32());
    }
    println!("{} planted, {caught} caught", wanted.len());
    if caught < wanted.len() {
        bail!("{} planted bugs were missed", wanted.len() - caught);
    }
    Ok(())
}

/// A test that always fails catches nothing: each must first pass on the unchanged files, prepared in the same way.
fn check_proofs(root: &Path, side: &Side, files: &Path, bugs: &[Bug]) -> Result<()> {
    let stack = side.fresh(files)?;
    let mut proofs: Vec<&Proof> = bugs.iter().map(|bug| &bug.proof).collect();
    proofs.sort();
    proofs.dedup();
    println!("── the tests without a bug");
    for proof in proofs {
        let start = Instant::now();
        let outcome = prove(root, &stack, files, proof)?;
        if outcome.failed > 0 || outcome.passed == 0 {
            bail!("{proof} does not pass without a bug ({} ran): {}", outcome.passed, outcome.complaint);
        }
        println!("passes  {proof}  ({:.1} s)", start.elapsed().as_secs_f32());
    }
    println!("── the tests with one bug each");
    Ok(())
}

/// Runs one test against a stack, at the size that shows a bug, not at the one that shows a guarantee.
fn prove(root: &Path, stack: &Path, migrations: &Path, proof: &Proof) -> Result<Outcome> {
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-concurrency=1", "--test-reporter=tap", "--test-name-pattern"])
        .arg(format!("^{}", escaped(proof.test)))
        .arg(format!("--test-timeout={}", TEST_TIMEOUT.as_millis()))
        .arg(proof.file)
        .current_dir(root.join("tests/supabase"))
        .env(supabase::VARIABLE, stack)
        .env("FIELDPOST_MIGRATIONS", migrations)
        .env("FIELDPOST_SMALL", "1")
        .stdin(Stdio::null());
    let output = command.output().context("cannot start node")?;
    Ok(read_tap(&String::from_utf8_lossy(&output.stdout)))
}

/// A test name as a regular expression that matches only this name.
fn escaped(name: &str) -> String {
    name.chars().flat_map(|c| (!c.is_alphanumeric() && c != ' ').then_some('\\').into_iter().chain([c])).collect()
}

/// Parses `# pass 1`, `# fail 0`, and the first `error:` of a test.
fn read_tap(text: &str) -> Outcome {
    let count = |word: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(word)?.strip_prefix(' '));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    let mut lines = text.lines().map(str::trim);
    let mut complaint = lines.find_map(|line| line.strip_prefix("error:")).unwrap_or_default().trim().to_owned();
    if matches!(complaint.as_str(), "|-" | ">-" | "|" | ">") {
        // The text is a separate block; one line of it is enough.
        complaint = lines.find(|line| !line.is_empty()).unwrap_or_default().to_owned();
    }
    complaint = complaint.trim_matches('\'').chars().take(140).collect();
    // No counts at all mean that the file did not even load.
    let silent = count("pass") + count("fail") == 0;
    Outcome { passed: count("pass"), failed: count("fail") + u32::from(silent && !complaint.is_empty()), complaint }
}

impl Bug {
    /// All files of the folder, including this bug.
    fn planted(&self, folder: &Path) -> Result<Migrations> {
        let mut migrations = Migrations::read(folder)?;
        self.plants.iter().try_for_each(|plant| migrations.plant(plant))?;
        Ok(migrations)
    }

    /// The bug and the test that catches it.
    fn line(&self) -> String {
        format!("{} → {}", self.name, self.proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planted_bug_fits_its_definition_exactly_once() {
        let files = process::root().join("migrations/supabase");
        let unfit = |bug: &Bug| bug.planted(&files).err().map(|error| format!("{}: {error:#}", bug.name));
        assert_eq!(bugs().iter().filter_map(unfit).collect::<Vec<_>>(), Vec::<String>::new());
    }

    #[test]
    fn every_proof_names_one_test_that_there_is() {
        let folder = process::root().join("tests/supabase");
        for Bug { name, proof, .. } in bugs() {
            let text = std::fs::read_to_string(folder.join(proof.file)).unwrap();
            // A test that is run for several cases has a name with their values in it.
            let named = ['"', '`'].iter().map(|quote| text.matches(&format!("{quote}{}", proof.test)).count());
            assert_eq!(named.sum::<usize>(), 1, "{name}: {proof}");
        }
    }

    #[test]
    fn the_first_complaint_of_a_test_is_read() {
        let outcome =
            read_tap("not ok 1 - x\n  ---\n  error: |-\n    3 missed\n    \n    3 !== 0\n# pass 0\n# fail 1\n");
        assert_eq!((outcome.passed, outcome.failed, outcome.complaint.as_str()), (0, 1, "3 missed"));
        assert_eq!(escaped("a (b), c"), r"a \(b\)\, c");
    }
}
