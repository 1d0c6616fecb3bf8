//! Runs every test and counts them by rung of the ladder (docs/testing.md).
//!
//! Cargo lists the test binaries; they are sorted by target name, run and counted. A rung that cannot run fails with a
//! message that says what is missing; one that a flag leaves out is counted as skipped.
//!
//! Tests that bring clusters of their own wait more than they compute, so they run beside the others ([`beside`]).
//!
//! The results of Node's runner come from the summary of its TAP stream. Rust's runner has only an unstable
//! machine-readable output (`--format json`), so its summary line is parsed, which has been the same since Rust 1.0;
//! the counts must equal the number of tests that the binary lists.

mod beside;
pub(crate) mod encryption;
mod failures;
mod node;
mod runner;

use crate::{
    bindings::Parts,
    process,
    supabase::{self, Purpose},
};
use anyhow::{Context, Result, bail};
use beside::Beside;
use cargo_metadata::{Message, Target, TargetKind};
use clap::Args;
use node::Run;
pub(crate) use runner::Counts;
use runner::{Output, run_and_count, rust_summary};
use std::{
    collections::BTreeMap,
    io::BufReader,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The tests to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only this rung
    #[arg(long, value_enum)]
    suite: Option<Rung>,
    /// Leave out what needs Node: the real stack, and existing projects; says how many tests that skips
    #[arg(long)]
    without_supabase: bool,
}

/// The rungs that this command runs, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Rung {
    Unit,
    Conformance,
    Simulation,
    Wire,
    Doc,
    Bindings,
    Projects,
    Supabase,
}

/// What the runs of a rung came to.
#[derive(Debug, Default)]
struct Row {
    counts: Counts,
    took: Duration,
}

/// What a build made.
#[derive(Default)]
struct Build {
    binaries: Vec<Binary>,
    /// All other files: libraries and programs.
    files: Vec<PathBuf>,
}

/// A built test program.
pub(crate) struct Binary {
    rung: Rung,
    /// The folder of its crate, and its target.
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
    pub(crate) folder: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted = |rung: Rung| options.suite.is_none_or(|suite| suite == rung);
    let mut table = Table::new();
    // The rung of existing projects uses none of our own programs, and that of the bindings builds its own.
    let none = matches!(options.suite, Some(Rung::Projects | Rung::Bindings));
    let (Build { binaries, files }, mut skipped) = if none { (Build::default(), 0) } else { build_all()? };
    let beside = Beside::start(wanted, !options.without_supabase, Parts::among(&files))?;
    let (mut claims, mut output) = (Vec::new(), Output::live());
    for binary in binaries.iter().filter(|binary| wanted(binary.rung) && binary.rung != Rung::Supabase) {
        add(&mut table, binary.rung, || run_binary(binary, &mut output))?;
    }
    if wanted(Rung::Doc) {
        add(&mut table, Rung::Doc, || run_docs(&mut output))?;
    }
    if wanted(Rung::Supabase) {
        let real: Vec<_> = binaries.iter().filter(|binary| binary.rung == Rung::Supabase).collect();
        if options.without_supabase {
            skipped += skip(&real)?;
        } else {
            add(&mut table, Rung::Supabase, || run_supabase(&real, &mut claims, &mut output))?;
        }
    }
    beside.finish(&mut table, &mut claims, &mut output)?;
    show_claims(&claims);
    output.failures.print();
    summarise(&table, skipped)
}

/// Builds all test binaries and sorts them by rung; says how many suites are left out.
fn build_all() -> Result<(Build, i64)> {
    println!("── building the tests");
    if !encryption::can_be_built() {
        println!("── perl or make is missing, so encrypted files are NOT tested (Debian: apt-get install perl make)");
        return Ok((compile(&["--workspace"])?, 1));
    }
    let mut all = compile(&[&["--workspace"], encryption::FEATURES.as_slice()].concat())?;
    if !encryption::plain_is_due() {
        println!(
            "── the stores of plain builds take turns in CI and are NOT tested today (FIELDPOST_FULL=1 tests all)"
        );
        return Ok((all, 1));
    }
    let plain = build(&encryption::PLAIN)?.into_iter().filter(|binary| binary.rung != Rung::Unit);
    all.binaries.extend(plain.map(|binary| Binary { name: format!("{}, plain", binary.name), ..binary }));
    all.binaries.sort_by(|a, b| (a.rung, &a.name).cmp(&(b.rung, &b.name)));
    Ok((all, 0))
}

/// Builds test programs, without running them.
pub(crate) fn build(what: &[&str]) -> Result<Vec<Binary>> {
    Ok(compile(what)?.binaries)
}

fn compile(what: &[&str]) -> Result<Build> {
    let mut child = process::cargo()
        .args(["test", "--no-run", "--locked", "--message-format=json-render-diagnostics"])
        .args(what)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut build = Build::default();
    for message in Message::parse_stream(BufReader::new(stdout)) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        if !artifact.profile.test {
            build.files.extend(artifact.filenames.into_iter().map(Into::into));
        } else if let Some(executable) = artifact.executable {
            let folder = artifact.manifest_path.parent().context("a manifest without a folder")?;
            build.binaries.push(Binary {
                rung: rung_of(&artifact.target),
                name: format!("{} {}", folder.file_name().unwrap_or_default(), artifact.target.name),
                executable: executable.into(),
                folder: folder.into(),
            });
        }
    }
    if !child.wait()?.success() {
        bail!("the tests do not build");
    }
    build.binaries.sort_by(|a, b| (a.rung, &a.name).cmp(&(b.rung, &b.name)));
    Ok(build)
}

fn rung_of(target: &Target) -> Rung {
    if !target.kind.contains(&TargetKind::Test) {
        return Rung::Unit;
    }
    match target.name.as_str() {
        // The suites on the reference implementations are named after them.
        name if name.contains("conformance") || ["memory", "reference"].contains(&name) => Rung::Conformance,
        name if name.contains("supabase") => Rung::Supabase,
        name if name.contains("machine") => Rung::Unit,
        "simulation" => Rung::Simulation,
        _ => Rung::Wire,
    }
}

/// Runs one test binary. A test that cannot run here prints a special line and passes; it is counted as skipped.
fn run_binary(binary: &Binary, output: &mut Output) -> Result<Counts> {
    output.begin(&binary.name);
    let mut command = Command::new(&binary.executable);
    command.current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
    command.env(supabase::VARIABLE, Purpose::Tests.stack(&process::root()));
    // Also shows the output of passing tests: it may say that the test could not run.
    command.arg("--show-output");
    let counts = run_and_count(&mut command, output, |line| {
        let skipped = Counts { passed: -1, failed: 0, ignored: 1 };
        if line.contains("SKIPPED ") { Some(skipped) } else { rust_summary(line) }
    })?;
    Ok(counts.of(listed(binary)?))
}

/// The number of tests that a binary lists.
fn listed(binary: &Binary) -> Result<i64> {
    let output = Command::new(&binary.executable).arg("--list").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(i64::try_from(text.lines().filter(|line| line.ends_with(": test")).count())?)
}

fn run_docs(output: &mut Output) -> Result<Counts> {
    output.begin("doc tests");
    let mut cargo = process::cargo();
    cargo.args(["test", "--workspace", "--doc", "--locked"]);
    // As the tests were built, so that nothing is compiled twice.
    cargo.args(encryption::can_be_built().then_some(encryption::FEATURES).into_iter().flatten());
    run_and_count(&mut cargo, output, rust_summary)
}

/// Runs the rung on the tests' stack.
fn run_supabase(binaries: &[&Binary], claims: &mut Vec<String>, output: &mut Output) -> Result<Counts> {
    let root = process::root();
    supabase::borrow(&root, Purpose::Tests, || run_on_the_stack(binaries, &root, claims, output))
}

fn run_on_the_stack(
    binaries: &[&Binary],
    root: &Path,
    claims: &mut Vec<String>,
    output: &mut Output,
) -> Result<Counts> {
    let mut counts = Counts::default();
    for binary in binaries {
        counts = counts.plus(run_binary(binary, output)?);
    }
    let mut node = Run::default();
    node.files_of(&root.join("tests/supabase"), output)?;
    claims.extend(node.claims);
    Ok(counts.plus(node.counts))
}

/// Prints the measured claims of the tests on the real stack: one line each, easy to find.
fn show_claims(claims: &[String]) {
    if !claims.is_empty() {
        println!("\nwhat was shown on real PostgreSQL");
    }
    for claim in claims {
        println!("  {claim}");
    }
}

/// Counts the tests that are left out, so that their absence is visible.
fn skip(binaries: &[&Binary]) -> Result<i64> {
    let mut tests = 0;
    for binary in binaries {
        tests += listed(binary)?;
    }
    println!(
        "── the real stack and existing projects were left out: {tests} tests skipped, and those of tests/supabase"
    );
    Ok(tests)
}

type Table = BTreeMap<Rung, Row>;

/// Runs something of a rung, and adds what it came to.
fn add(table: &mut Table, rung: Rung, runs: impl FnOnce() -> Result<Counts>) -> Result<()> {
    let started = Instant::now();
    let counts = runs()?;
    enter(table, rung, counts, started.elapsed());
    Ok(())
}

fn enter(table: &mut Table, rung: Rung, counts: Counts, took: Duration) {
    let row = table.entry(rung).or_default();
    row.counts = row.counts.plus(counts);
    row.took += took;
}

fn summarise(table: &Table, left_out: i64) -> Result<()> {
    println!("\nrung            passed  failed  skipped  seconds");
    let mut total = Counts { ignored: left_out, ..Counts::default() };
    for (rung, Row { counts, took }) in table {
        let name = format!("{rung:?}").to_lowercase();
        let Counts { passed, failed, ignored } = counts;
        println!("{name:<14} {passed:>7} {failed:>7} {ignored:>8} {:>8}", took.as_secs());
        total = total.plus(*counts);
    }
    println!("\n{} passed, {} failed, {} skipped", total.passed, total.failed, total.ignored);
    if total.failed > 0 {
        bail!("{} tests failed", total.failed);
    }
    if total.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}
