//! Builds and runs the benches, and keeps their output.
//!
//! The run must end within three quarters of an hour, so each bench has a time: after it, the bench starts no new round, and it is
//! killed if it takes far longer. Benches without a stack come first, then those that need clean tables, then the rest,
//! each group with the fastest first. The benches have their own stack. If it is already up
//! (`cargo xtask supabase up --for benches`), it is used as it is; otherwise it is started over for clean tables. Every
//! line is saved as it comes, and a failing bench does not affect the others: whatever ends a run, the report of its
//! measurements can still be made (`--from`).

use super::{
    Options, needs,
    sections::{SECTIONS, Section, Stack},
    simulator,
};
use crate::{
    peers, process,
    supabase::{self, Purpose},
};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// The output of a run.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) lines: String,
    /// The duration of each part, in order.
    pub(super) times: Vec<(String, Duration)>,
    /// Which benches failed, and how.
    pub(super) failures: Vec<String>,
}

/// A run in progress.
struct Run {
    program: PathBuf,
    quick: bool,
    /// The file for the lines.
    kept: PathBuf,
    started: Instant,
    collected: Collected,
}

/// The requested benches, in the order of measurement. Reports now what they need and this machine lacks.
pub(super) fn wanted(options: &Options) -> Result<Vec<&'static Section>> {
    let only = options.only.as_deref();
    let mut wanted: Vec<_> =
        SECTIONS.iter().filter(|section| only.is_none_or(|only| section.bench.contains(only))).collect();
    if wanted.is_empty() {
        bail!("no bench has such a name; there are {}", SECTIONS.map(|section| section.bench).join(", "));
    }
    wanted.sort_by_key(|section| (section.stack, section.seconds));
    let lacking = needs::lacking(&wanted);
    if !lacking.is_empty() {
        eprintln!("this machine lacks:\n  {}", lacking.join("\n  "));
    }
    if !lacking.is_empty() && !options.without_missing {
        bail!("nothing was measured: install what is missing, or measure what can be with --without-missing");
    }
    Ok(wanted)
}

/// Runs these benches and returns their lines.
pub(super) fn collect(wanted: &[&Section], quick: bool) -> Result<Collected> {
    let mut run = Run::new(quick)?;
    run.timed("building the benches and the simulator", |run| {
        run.program = build()?;
        Ok(())
    })?;
    if wanted.iter().any(|section| needs::runs_peers(section)) {
        run.peer("RxDB, supabase-js and the seed algorithm", peers::ensure_packages);
    }
    if wanted.iter().any(|section| needs::runs_powersync(section)) {
        run.peer("PowerSync", peers::ensure_powersync);
    }
    run.measure_all(wanted)?;
    run.say_what_took_how_long();
    Ok(run.collected)
}

/// A bench is killed after this many times its own duration.
const PATIENCE: u32 = 3;

impl Run {
    fn new(quick: bool) -> Result<Self> {
        let folder = process::root().join(".fieldpost");
        fs::create_dir_all(&folder)?;
        let kept = folder.join("benches.jsonl");
        if kept.exists() {
            fs::rename(&kept, folder.join("benches-before.jsonl"))?;
        }
        eprintln!("lines are kept in {} as they come; --from makes a report of them", kept.display());
        let collected = Collected { lines: String::new(), times: Vec::new(), failures: Vec::new() };
        Ok(Self { program: PathBuf::new(), quick, kept, started: Instant::now(), collected })
    }

    fn timed(&mut self, what: &str, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let started = Instant::now();
        let result = work(self);
        self.collected.times.push((what.to_owned(), started.elapsed()));
        result
    }

    /// A missing peer does not prevent the other measurements.
    fn peer(&mut self, name: &str, ensure: fn() -> Result<()>) {
        if let Err(error) = self.timed(&format!("installing {name}"), |_| ensure()) {
            self.failed(name, &error);
        }
    }

    fn measure_all(&mut self, wanted: &[&Section]) -> Result<()> {
        let root = process::root();
        let was_up = supabase::is_up(&root, Purpose::Benches);
        for (at, section) in wanted.iter().enumerate() {
            if section.stack == Stack::Clean && !was_up {
                self.timed("starting a stack with empty tables", |_| {
                    supabase::start_over(&root, Purpose::Benches)?;
                    supabase::ensure_up(&root, Purpose::Benches).map(drop)
                })?;
            } else if section.stack != Stack::Unused && !supabase::is_up(&root, Purpose::Benches) {
                self.timed("starting a stack", |_| supabase::ensure_up(&root, Purpose::Benches).map(drop))?;
            }
            self.measure(section, at + 1, wanted.len());
        }
        if was_up { Ok(()) } else { supabase::down(&root, Purpose::Benches) }
    }

    /// Runs one bench and records its failure.
    fn measure(&mut self, section: &Section, number: usize, of: usize) {
        eprintln!("{} ── {number} of {of}: {}, about {} s", clock(self.started), section.bench, self.seconds(section));
        let result = self.timed(section.bench, |run| match section.bench {
            "simulate" => simulator::measure(run.quick, |line| run.collected.keep(&run.kept, line)),
            _ => run.bench(section),
        });
        if let Err(error) = result {
            self.failed(section.bench, &error);
        }
    }

    fn failed(&mut self, what: &str, error: &anyhow::Error) {
        eprintln!("{} ── {what} failed: {error:#}", clock(self.started));
        self.collected.failures.push(format!("{what}: {error:#}"));
    }

    fn seconds(&self, section: &Section) -> u64 {
        if self.quick { section.seconds.div_ceil(3) } else { section.seconds }
    }

    fn bench(&mut self, section: &Section) -> Result<()> {
        let seconds = self.seconds(section);
        let size = if self.quick { "quick" } else { "full" };
        let mut command = Command::new(&self.program);
        command.args([section.bench, "--size", size, "--seconds", &seconds.to_string()]);
        command.env(supabase::VARIABLE, Purpose::Benches.stack(&process::root()));
        let mut child = command.stdout(Stdio::piped()).current_dir(process::root()).spawn()?;
        let output = child.stdout.take().context("a bench has no output")?;
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        let until = Instant::now() + PATIENCE * Duration::from_secs(seconds) + Duration::from_secs(60);
        loop {
            match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.collected.keep(&self.kept, &line)?,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    child.kill()?;
                    child.wait()?;
                    bail!("it was ended: it took far longer than {seconds} s");
                }
            }
        }
        let status = child.wait()?;
        if status.success() { Ok(()) } else { bail!("{status}") }
    }

    fn say_what_took_how_long(&self) {
        eprintln!("{} ── done. What took how long:", clock(self.started));
        for (what, time) in &self.collected.times {
            eprintln!("{:>7.0} s  {what}", time.as_secs_f64());
        }
    }
}

impl Collected {
    fn keep(&mut self, kept: &Path, line: &str) -> Result<()> {
        let mut file = File::options().create(true).append(true).open(kept)?;
        writeln!(file, "{line}")?;
        self.lines.push_str(line);
        self.lines.push('\n');
        Ok(())
    }
}

/// The time since the start of the run, in minutes and seconds.
fn clock(started: Instant) -> String {
    let seconds = started.elapsed().as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// Builds both together, so that they share their dependencies.
fn build() -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--locked", "--package", "fieldpost-benches", "--bin", "fieldpost-bench"]);
    cargo.args(["--package", "fieldpost-testkit", "--example", "simulate"]);
    process::run("building the benches", &mut cargo)?;
    Ok(release()?.join("fieldpost-bench"))
}

/// Cargo's folder for release builds.
pub(super) fn release() -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec()?;
    Ok(metadata.target_directory.join("release").into())
}
