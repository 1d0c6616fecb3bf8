//! Counts the instructions of a call with callgrind: a number that does not depend on the machine's speed or its other
//! load.
//!
//! One process makes some calls and ends; another makes more of them. The difference of the two counts, divided by the
//! additional calls, is the cost of one call on all threads. Starting, opening the file and ending are in both counts
//! and cancel out.

use crate::{
    Notes, Reading, Size,
    calls::{CALLS, Call},
    notes::say,
    peers::program,
    scene::Scene,
    subject::Subject,
};
use anyhow::{Context as _, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};
use tempfile::TempDir;

/// The call that is counted at the smallest size. The others are only made: each takes many seconds under callgrind.
const SMOKE: &str = "send";

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    if !can_be_counted() {
        say("SKIPPED instructions: valgrind is not installed");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let file = prepare(&folder, size.pick(500, 20_000, 20_000))?;
    for call in &CALLS {
        let more = size.pick(1, call.times, call.times);
        for who in call.subjects {
            if size == Size::Smoke && call.name != SMOKE {
                make(&folder, &file, call, who, more)?;
                continue;
            }
            let started = Instant::now();
            let count = |times| count(&folder, &file, call, who, times);
            let (before, after) = (count(call.before)?, count(call.before + more)?);
            ensure!(after > before, "{}: {after} instructions after {before}", call.name);
            let reading = Reading { seconds: started.elapsed().as_secs_f64(), cpu: 0.0 };
            let one = (after - before) as f64 / more as f64;
            notes.write(call.title, who, 0, reading, more, [("instructions", one)])?;
        }
    }
    Ok(())
}

/// Whether valgrind is installed.
#[must_use]
pub fn can_be_counted() -> bool {
    let asked = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// A file with some history.
fn prepare(folder: &TempDir, messages: u64) -> Result<PathBuf> {
    let mut scene = Scene::new(crate::calls::CONVERSATIONS);
    let subject = Subject::new(&scene)?;
    subject.fill(&mut scene, messages)?;
    subject.close()?;
    let file = folder.path().join("prepared.db");
    fs::copy(subject.file(), &file)?;
    Ok(file)
}

fn count(folder: &TempDir, prepared: &Path, call: &Call, who: &str, times: u64) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program()?);
    let said = call_with(valgrind, folder, prepared, call, who, times)?;
    collected(&said).with_context(|| format!("callgrind has collected nothing: {said}"))
}

/// Makes calls without counting.
fn make(folder: &TempDir, prepared: &Path, call: &Call, who: &str, times: u64) -> Result<()> {
    call_with(Command::new(program()?), folder, prepared, call, who, times).map(drop)
}

/// What the process says that makes the calls on a copy of the file.
fn call_with(
    mut command: Command,
    folder: &TempDir,
    prepared: &Path,
    call: &Call,
    who: &str,
    times: u64,
) -> Result<String> {
    let file = folder.path().join("counted.db");
    for left in ["", "-wal", "-shm"] {
        // The previous run may have left these files behind.
        let _ = fs::remove_file(folder.path().join(format!("counted.db{left}")));
    }
    fs::copy(prepared, &file)?;
    command.args(["--call", call.name, who, &times.to_string()]).arg(&file);
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{} by {who} failed: {said}", call.name);
    Ok(said)
}

/// `==123== Collected : 456`
fn collected(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callgrind_has_collected_is_read() {
        assert_eq!(collected("==7== \n==7== Events    : Ir\n==7== Collected : 1234\n"), Some(1_234));
        assert_eq!(collected("==7== done"), None);
    }
}
